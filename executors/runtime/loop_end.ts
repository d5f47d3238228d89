/**
 * Tells when the event loop has run out of work: whoever still waits in this
 * isolate then, waits for something that never comes.
 *
 * @module
 */

/** Is told when nothing can end a wait any more, as it may have to. */
export interface LoopEndWaiter {
  /**
   * Whether this one is known to be the reason: some of the work that waits in it
   * was submitted by work that waits for that.
   */
  waitsForItself(): boolean;
  /**
   * The event loop has run out of work.
   *
   * @returns Whether anybody was told, so that the program goes on.
   */
  loopEnded(): boolean;
}

const waiters = new Set<LoopEndWaiter>();
let listening = false;

/**
 * Has `waiter` told when the event loop runs out of work. Deno does not tell if a
 * top-level `await` waits, for which it has an error of its own.
 */
export function onLoopEnd(waiter: LoopEndWaiter): void {
  waiters.add(waiter);
  if (listening) return;
  listening = true;
  addEventListener("beforeunload", (event) => {
    // Another listener has more to do, which may end the wait.
    if (event.defaultPrevented) return;
    // Only one is told: that may end the waits of others; if not, the event comes
    // again.
    const guiltyFirst = [...waiters].sort((a, b) =>
      Number(b.waitsForItself()) - Number(a.waitsForItself())
    );
    if (guiltyFirst.some((waiter) => waiter.loopEnded())) {
      // Keeps the program from its end, so that those who were told can go on.
      event.preventDefault();
    }
  });
}

/** Has `waiter` not told any more. */
export function offLoopEnd(waiter: LoopEndWaiter): void {
  waiters.delete(waiter);
}
