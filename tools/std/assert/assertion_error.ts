// Stand-in for @std/assert/assertion-error, used only where JSR does not answer.

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  /** Constructs a new instance. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
