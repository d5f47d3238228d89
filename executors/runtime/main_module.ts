/**
 * Tells the main module of the program, also to workers, to which Deno does not.
 *
 * @module
 */

let told: string | undefined;

/** Sets the main module in a worker of this package. */
export function setMainModule(url: string | undefined): void {
  told = url;
}

/**
 * The URL of the main module; in a worker that is not of this package, that of
 * the worker's own module.
 */
export function mainModule(): string | undefined {
  return told ?? (Deno.mainModule as string | undefined) ?? workerModule();
}

function workerModule(): string | undefined {
  const { location } = globalThis as { location?: { href: string } };
  return location?.href;
}
