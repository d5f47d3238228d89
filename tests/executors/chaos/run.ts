/**
 * Chaos: random tasks, cancelled, stopped, crashing and abandoned in random
 * ways, on one executor after another, and a check of what has become of each.
 *
 * @module
 */

import { randomOf } from "../helpers/random.ts";
import type { MakeExecutor } from "../helpers/worker_harness.ts";
import { Round } from "./round.ts";

/** Options for {@linkcode runChaos}. */
export interface ChaosOptions {
  /** Makes the executors that are to bear it. */
  make: MakeExecutor;
  seconds: number;
  /** Of the first round; each round has the next one. */
  seed: number;
}

/** What has been done, without a violation. */
export interface ChaosSummary {
  rounds: number;
  /** How many futures there were, and how they ended. */
  outcomes: Record<string, number>;
  /** How many items of maps were entered. */
  mapped: number;
  /** Resident memory in bytes, early on and at the end. */
  memory: readonly [start: number, end: number];
}

/**
 * Makes chaos for so long.
 *
 * @throws {Error} At the first violation; its message names the seed that
 * begins with the round in question.
 */
export async function runChaos(
  { make, seconds, seed }: ChaosOptions,
): Promise<ChaosSummary> {
  const outcomes: Record<string, number> = {};
  const summary = { rounds: 0, outcomes, mapped: 0, memory: [0, 0] as const };
  const start = performance.now();
  const passed = () => (performance.now() - start) / 1000;
  let early: number | undefined;
  for (; passed() < seconds; summary.rounds++) {
    const roundSeed = seed + summary.rounds;
    try {
      const round = new Round(randomOf(roundSeed), make);
      await round.run();
      summary.mapped += round.mapped;
      for (const [name, count] of Object.entries(round.outcomes)) {
        outcomes[name] = (outcomes[name] ?? 0) + count;
      }
    } catch (cause) {
      throw new Error(`Chaos with seed ${roundSeed}: ${cause}`, { cause });
    }
    // What is loaded and compiled once is there by then.
    if (passed() >= seconds / 5) early ??= Deno.memoryUsage().rss;
  }
  const { rss } = Deno.memoryUsage();
  return { ...summary, memory: [early ?? rss, rss] };
}

/** For people. */
export function showChaos(
  { rounds, outcomes, mapped, memory }: ChaosSummary,
): string {
  const count = (n: number) => n.toLocaleString("en");
  const [start, end] = memory.map((bytes) =>
    `${Math.round(bytes / 2 ** 20)} MiB`
  );
  const futures = Object.values(outcomes).reduce((a, b) => a + b, 0);
  const ends = Object.entries(outcomes).sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${count(n)} ${name}`);
  return [
    `${count(rounds)} executors, ${count(futures)} futures, ${
      count(mapped)
    } results of maps`,
    `  ${ends.join(", ")}`,
    `  resident memory ${start} early on, ${end} at the end`,
  ].join("\n");
}
