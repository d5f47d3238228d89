// Times of nodes whose clocks are wrong.

import { assertEquals } from "@std/assert";
import { byOwnClock } from "../../../cli/bench/node_clocks.ts";
import type { Performance } from "../../../cli/bench/strategies.ts";

function performance(
  index: number,
  startedAt: number,
  endedAt: number,
  heard?: { node: string; at: number },
): Performance {
  const worker = heard === undefined ? "main" : `${heard.node}/worker-1`;
  return {
    index,
    worker,
    startedAt,
    endedAt,
    ...heard === undefined ? {} : { heard },
  };
}

Deno.test("byOwnClock() moves what a node did by what its clock is off", () => {
  const moved = byOwnClock([
    // An hour ahead; the second word came at once, the first after 30 ms.
    performance(0, 3_600_100, 3_600_200, { node: "ahead", at: 230 }),
    performance(1, 3_600_200, 3_600_300, { node: "ahead", at: 300 }),
    // A minute behind.
    performance(2, -59_900, -59_800, { node: "behind", at: 205 }),
    // No node.
    performance(3, 100, 200),
  ]);
  assertEquals(
    moved.map(({ index, startedAt, endedAt }) => [index, startedAt, endedAt]),
    [[0, 100, 200], [1, 200, 300], [2, 105, 205], [3, 100, 200]],
  );
});
