// Stand-in for @std/async/deadline, used only where JSR does not answer.

/** Options for {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait before its time: the promise rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * Gives what `p` gives, unless that takes longer than `ms` milliseconds: then
 * rejects with a `DOMException` named "TimeoutError".
 */
export async function deadline<T>(
  p: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  if (!(p instanceof Promise)) {
    // The real one would take it for an async iterable and not wait at all.
    throw new TypeError("Cannot set a deadline as 'p' must be a Promise");
  }
  const signals = options.signal ? [options.signal] : [];
  if (ms < Number.MAX_SAFE_INTEGER) signals.push(AbortSignal.timeout(ms));
  const signal = AbortSignal.any(signals);
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, p]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
