/**
 * Tells when nodes worked by the clock of this program: the clocks of two
 * machines differ by anything from milliseconds to hours.
 *
 * What a node says takes a while to come. What came soonest has taken next to
 * nothing, so it ended when it was heard of; the rest of the same node is moved
 * by as much.
 *
 * @module
 */

import type { Performance } from "./strategies.ts";

/**
 * Moves what was done by other clocks.
 *
 * @param performances The records, at their places in the list.
 * @returns The same, by the clock of this program.
 */
export function byOwnClock(
  performances: readonly Performance[],
): Performance[] {
  const behind = new Map<string, number>();
  for (const { heard, endedAt } of performances) {
    if (heard === undefined) continue;
    const { node, at } = heard;
    behind.set(node, Math.min(at - endedAt, behind.get(node) ?? Infinity));
  }
  return performances.map((performance) => {
    const { heard, startedAt, endedAt } = performance;
    if (heard === undefined) return performance;
    const shift = behind.get(heard.node)!;
    return {
      ...performance,
      startedAt: startedAt + shift,
      endedAt: endedAt + shift,
    };
  });
}
