// Stand-in for @std/async/delay, used only where JSR does not answer.

/** Options for {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the delay before its time: the promise rejects with its reason. */
  signal?: AbortSignal;
  /**
   * Whether the program stays alive for the delay.
   *
   * @default {true}
   */
  persistent?: boolean;
}

/** The longest time that `setTimeout` knows; more is taken for none. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Resolves after `ms` milliseconds. */
export async function delay(
  ms: number,
  options: DelayOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  let rest = ms;
  for (; rest > LONGEST_TIMEOUT; rest -= LONGEST_TIMEOUT) {
    await timeout(LONGEST_TIMEOUT, options);
  }
  await timeout(rest, options);
}

function timeout(ms: number, options: DelayOptions): Promise<void> {
  const { signal, persistent = true } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(done, ms);
  if (!persistent) Deno.unrefTimer(timer);
  signal?.addEventListener("abort", abort, { once: true });
  return promise;

  function done() {
    signal?.removeEventListener("abort", abort);
    resolve();
  }
  function abort() {
    clearTimeout(timer);
    reject(signal?.reason);
  }
}
