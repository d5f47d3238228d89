/**
 * Chaos and lies for as long as one likes, and figures that take a quiet machine:
 *
 *     deno task soak --minutes 10 --seed 1
 *     deno task soak --minutes 10 --only nats
 *
 * It ends with the first violation, whose message names the seed that goes
 * there at once.
 *
 * @module
 */

// First: what is imported after it takes the time from there.
import { interleaveProcesses, interleaveThreads } from "./interleaving/run.ts";
import { parseArgs } from "@std/cli/parse-args";
import { runChaos, showChaos } from "./chaos/run.ts";
import { measureDeaths, showDeaths } from "./helpers/deaths.ts";
import { runFuzz, showFuzz } from "./fuzz/run.ts";
import { runNatsChaos, showNatsChaos } from "./nats/chaos/run.ts";
import { HAS_NATS } from "./nats/nats_server.ts";
import { measureManyPools } from "./helpers/many_pools.ts";
import { forSeeds, type Random } from "./helpers/random.ts";
import { WORKER_KINDS } from "./helpers/worker_harness.ts";

/** How many workers die in each way. */
const DEATHS = 50;

/** How many executors are made one after another. */
const EXECUTORS = 1000;

/** How much time the scheduler alone gets with each kind of worker, compared with the chaos. */
const INTERLEAVING_PART = 0.2;

/** The scheduler with models of workers, by what they are models of. */
const INTERLEAVINGS = {
  threads: interleaveThreads,
  processes: interleaveProcesses,
};

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["minutes", "seed", "only"] });
  const minutes = Number(flags.minutes ?? 1);
  const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (flags.only !== "nats") await soakWorkers(minutes, seed);
  if (HAS_NATS) {
    console.log(`NATS: chaos for ${minutes} minutes from seed ${seed}`);
    const seconds = 60 * minutes;
    const summary = await runNatsChaos({ seconds, seed, patient: true });
    console.log(showNatsChaos(summary));
  }
}

async function soakWorkers(minutes: number, seed: number): Promise<void> {
  for (const { name, make } of WORKER_KINDS) {
    console.log(`${name}: chaos for ${minutes} minutes from seed ${seed}`);
    const summary = await runChaos({ make, seconds: 60 * minutes, seed });
    console.log(showChaos(summary));
    console.log(`${name}: lies for ${minutes} minutes from seed ${seed}`);
    const seconds = 60 * minutes;
    console.log(showFuzz(await runFuzz({ name, seconds, seed })));
    console.log(`${name}: ${DEATHS} deaths of each kind, noticed after`);
    console.log(showDeaths(await measureDeaths(make, DEATHS)));
    console.log(`${name}: ${EXECUTORS} executors, one after another`);
    console.log(await showManyPools(name));
  }
  for (const [workers, interleave] of Object.entries(INTERLEAVINGS)) {
    console.log(`Scheduler of ${workers}: interleavings from seed ${seed}`);
    const seconds = INTERLEAVING_PART * 60 * minutes;
    console.log(await showInterleavings(interleave, seconds, seed));
  }
}

async function showInterleavings(
  interleave: (random: Random) => Promise<void>,
  seconds: number,
  seed: number,
): Promise<string> {
  let runs = 0;
  for (
    const end = performance.now() + 1000 * seconds;
    performance.now() < end;
  ) {
    await forSeeds(1, interleave, seed + runs++);
  }
  return `  ${runs.toLocaleString("en")} runs`;
}

async function showManyPools(name: string): Promise<string> {
  const measured = await measureManyPools(name, EXECUTORS);
  const [early, end] = measured.map(({ resident, heap }) =>
    `${mebibytes(resident)} resident and ${mebibytes(heap)} in use in the heap`
  );
  return `  ${early} after the first ${EXECUTORS / 10}, ${end} at the end`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
