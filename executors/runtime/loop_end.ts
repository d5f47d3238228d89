/**
 * What can be said when the event loop has run out of work: what still waits in
 * this isolate then, waits for something that never comes.
 *
 * @module
 */

/** Who may have left somebody waiting. */
export interface LoopEndWaiter {
  /**
   * Whether it is known to be at fault itself, as some of what waits was begun
   * by what that waits for.
   */
  waitsForItself(): boolean;
  /**
   * Nothing happens any more by itself.
   *
   * @returns Whether somebody was told, so that things go on.
   */
  loopEnded(): boolean;
}

const waiters = new Set<LoopEndWaiter>();
let listening = false;

/**
 * Has `waiter` told when the event loop ends. Deno does not say so when what
 * waits is a top-level `await`, which is an error of its own there.
 */
export function onLoopEnd(waiter: LoopEndWaiter): void {
  waiters.add(waiter);
  if (listening) return;
  listening = true;
  addEventListener("beforeunload", (event) => {
    // Somebody else has more to do, which may be what is waited for.
    if (event.defaultPrevented) return;
    // Only one is told: others may wait for what comes of that, and if they do
    // not, the event comes again.
    const guiltyFirst = [...waiters].sort((a, b) =>
      Number(b.waitsForItself()) - Number(a.waitsForItself())
    );
    if (guiltyFirst.some((waiter) => waiter.loopEnded())) {
      // Else Deno does not run what comes of it.
      event.preventDefault();
    }
  });
}

/** Has `waiter` not told any more. */
export function offLoopEnd(waiter: LoopEndWaiter): void {
  waiters.delete(waiter);
}
