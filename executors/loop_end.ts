/**
 * What can be said when the event loop has run out of work: what still waits in
 * this isolate then, waits for something that never comes.
 *
 * @module
 */

/** Who may have left somebody waiting. */
export interface LoopEndWaiter {
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
    for (const waiter of [...waiters]) {
      // Else Deno does not run what comes of it.
      if (waiter.loopEnded()) event.preventDefault();
    }
  });
}

/** Has `waiter` not told any more. */
export function offLoopEnd(waiter: LoopEndWaiter): void {
  waiters.delete(waiter);
}
