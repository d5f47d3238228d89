/**
 * Chaos on many machines: random tasks, cancelled, stopped and abandoned in
 * random ways, while nodes, the server and other clients come to harm, and a
 * check of what has become of each, and that nothing is left behind.
 *
 * @module
 */

import { randomOf } from "../../helpers/random.ts";
import { Round } from "./round.ts";
import { World } from "./world.ts";

/** Options for {@linkcode runNatsChaos}. */
export interface NatsChaosOptions {
  seconds: number;
  /** Of the first round; each round has the next one. */
  seed: number;
  /**
   * Whether nodes may be away for as long as it takes to give them up, and each
   * round waits until nothing is left of clients that are gone; the last one
   * always does.
   */
  patient?: boolean;
}

/** What has been done, without a violation. */
export interface NatsChaosSummary {
  rounds: number;
  /** How many futures there were, and how they ended. */
  outcomes: Record<string, number>;
  /** How many results of maps were read. */
  mapped: number;
  /** What has happened to nodes, server and other clients. */
  events: Record<string, number>;
  /** After how many rounds it was seen that nothing is left of clients that are gone, and what it may take the nodes at most, in milliseconds. */
  clean: number;
  cleanMs: number;
}

/**
 * Makes chaos for so long, and until the round is over.
 *
 * @throws {Error} At the first violation; its message names the seed that
 * begins with the round in question.
 */
export async function runNatsChaos(
  { seconds, seed, patient = false }: NatsChaosOptions,
): Promise<NatsChaosSummary> {
  await using world = await World.start();
  const outcomes: Record<string, number> = {};
  const { events } = world;
  const summary = {
    rounds: 0,
    outcomes,
    mapped: 0,
    events,
    clean: 0,
    cleanMs: 0,
  };
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    const roundSeed = seed + summary.rounds++;
    try {
      const round = new Round(randomOf(roundSeed), world, patient);
      await round.run();
      if (patient || performance.now() >= end) {
        summary.cleanMs = Math.max(summary.cleanMs, await world.becomeClean());
        summary.clean++;
      }
      round.checkLater();
      summary.mapped += round.mapped;
      for (const [name, count] of Object.entries(round.outcomes)) {
        outcomes[name] = (outcomes[name] ?? 0) + count;
      }
    } catch (cause) {
      throw new Error(`Chaos with seed ${roundSeed}: ${cause}`, { cause });
    }
  }
  return summary;
}

/** For people. */
export function showNatsChaos(
  { rounds, outcomes, mapped, events, clean, cleanMs }: NatsChaosSummary,
): string {
  const futures = Object.values(outcomes).reduce((a, b) => a + b, 0);
  return [
    `${rounds} executors, ${futures} futures, ${mapped} results of maps`,
    `  ${showCounts(outcomes)}`,
    `  ${showCounts(events)}`,
    `  after ${clean} of them tasks, results, parts and consumers were looked for: none was left, after ${
      (cleanMs / 1000).toFixed(1)
    } s at most`,
  ].join("\n");
}

function showCounts(counts: Record<string, number>): string {
  return Object.entries(counts).sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${n} ${name}`).join(", ");
}
