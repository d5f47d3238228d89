/**
 * How long it takes until the death of a worker is noticed: from just before
 * it dies until the future of its task has failed.
 *
 * @module
 */

import { load, makeCells } from "./cells.ts";
import { type Death, DEATHS, dieTimed } from "../fixtures/dying.ts";
import type { MakeExecutor } from "./worker_harness.ts";

/** Delays in milliseconds, in ascending order, for each way to die. */
export type DeathDelays = Record<Death, number[]>;

/** Has workers die, so many in each way. */
export async function measureDeaths(
  make: MakeExecutor,
  samples: number,
): Promise<DeathDelays> {
  await using executor = make({ maxWorkers: 1 });
  const delays = {} as DeathDelays;
  for (const death of Object.keys(DEATHS) as Death[]) {
    delays[death] = [];
    for (let sample = 0; sample < samples; sample++) {
      const moment = makeCells();
      await executor.submit(() => "the next worker is ready");
      const error = await executor.submit(dieTimed, moment, death).exception();
      const now = performance.timeOrigin + performance.now();
      if (error === undefined) throw new Error(`${death} did not end a worker`);
      delays[death].push(now - load(moment, 0));
    }
    delays[death].sort((a, b) => a - b);
  }
  return delays;
}

/** For people. */
export function showDeaths(delays: DeathDelays): string {
  const ms = (delay: number) => `${delay.toFixed(1)} ms`.padStart(10);
  const lines = Object.entries(delays).map(([death, sorted]) => {
    const at = (part: number) =>
      ms(sorted[Math.floor(part * (sorted.length - 1))]!);
    return `  ${death.padEnd(34)}${at(0)}${at(0.5)}${at(0.9)}${at(1)}`;
  });
  const head = ["least", "median", "90 %", "most"].map((name) =>
    name.padStart(10)
  );
  return [`  ${"died of".padEnd(34)}${head.join("")}`, ...lines].join("\n");
}
