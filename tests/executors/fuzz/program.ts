/**
 * The program whose workers lie. It says on its standard output, a line each,
 * that it lives, which round it makes, and at the end what it has made; the
 * first violation ends it. Its arguments are a kind of executor, seconds and a
 * seed. See run.ts.
 *
 * @module
 */

// First: what is imported after it starts workers through it.
import { noProcessLeft } from "./middle.ts";
import process from "node:process";
import { removeCells } from "../helpers/cells.ts";
import { randomOf } from "../helpers/random.ts";
import { noWorkerLeft, WORKER_KINDS } from "../helpers/worker_harness.ts";
import { spoilBytes } from "./bytes.ts";
import { Round } from "./round.ts";
import type { FuzzSummary, Said } from "./run.ts";

const BEAT_MS = 10;

/** So many rounds are made at the same time. */
const TOGETHER = 8;

/** Long against what workers take to be gone. */
const HANG_MS = 20_000;

/** A turn of the event loop that takes so long is a hang; the machine may be busy with something else. */
const LONGEST_TURN_MS = 2000;

/** What rounds may take, in bytes: much garbage, and less than a forged length says. */
const MAX_GROWTH = 2 ** 30;

const [name, seconds, seed] = Deno.args;
const { make } = WORKER_KINDS.find((kind) => kind.name === name)!;
const start = performance.now();
const summary: FuzzSummary = {
  rounds: 0,
  workers: 0,
  outcomes: {},
  lies: {},
  longestRound: { seed: 0, ms: 0 },
  longestTurnMs: 0,
  memory: [0, 0],
};
let early: number | undefined;
let growth = 0;
let heap = 0;
let last = performance.now();
let lastCpu = process.cpuUsage();
let violation: string | undefined;

function say(said: Said): void {
  console.log(JSON.stringify(said));
}

function memoryInUse(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Without what nobody needs any more; some of that is known a turn after it was collected. */
async function memoryLeft(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    (globalThis as unknown as { gc(): void }).gc();
    await delay(BEAT_MS);
  }
  return memoryInUse();
}

function beat(): void {
  const now = performance.now();
  const { user, system } = process.cpuUsage(lastCpu);
  const cpuMs = (user + system) / 1000;
  // What had no processor meanwhile has not computed anything.
  const turnMs = Math.min(now - last, cpuMs);
  summary.longestTurnMs = Math.max(summary.longestTurnMs, turnMs);
  if (turnMs > LONGEST_TURN_MS) {
    violation ??= `a turn of the event loop took ${Math.round(turnMs)} ms`;
  }
  growth = Math.max(growth, memoryInUse() - heap);
  last = now;
  lastCpu = process.cpuUsage();
}

/** The lives of some executors at the same time, as each is waited for now and then. */
async function makeRounds(seeds: readonly number[]): Promise<void> {
  heap = memoryInUse();
  growth = 0;
  await Promise.all(seeds.map(makeRound));
  const timer = setTimeout(
    () => fail(seeds[0]!, new Error("Workers are left")),
    HANG_MS,
  );
  await noWorkerLeft();
  await noProcessLeft();
  clearTimeout(timer);
  removeCells();
  beat();
  if (growth > MAX_GROWTH) {
    violation ??= `the heap grew by ${Math.round(growth / 2 ** 20)} MiB`;
  }
  if (violation !== undefined) throw new Error(violation);
  // What is loaded and compiled once is there by then.
  if (performance.now() - start >= Number(seconds) * 200) {
    early ??= await memoryLeft();
  }
}

async function makeRound(seed: number): Promise<void> {
  const round = new Round(seed, make);
  const start = performance.now();
  try {
    await round.run();
  } catch (error) {
    fail(seed, error);
  }
  const ms = performance.now() - start;
  if (ms > summary.longestRound.ms) summary.longestRound = { seed, ms };
  spoilBytes(randomOf(seed));
  summary.rounds++;
  summary.workers += round.workers;
  count(summary.outcomes, round.outcomes);
  count(summary.lies, round.told);
}

function fail(round: number, error: unknown): never {
  say({ round });
  say({ violation: error instanceof Error ? error.stack! : `${error}` });
  Deno.exit(1);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function count(
  sums: Record<string, number>,
  more: Record<string, number>,
): void {
  for (const [name, n] of Object.entries(more)) {
    sums[name] = (sums[name] ?? 0) + n;
  }
}

const timer = setInterval(beat, BEAT_MS);
const alive = setInterval(() => say({ alive: true }), 500);
for (
  let round = Number(seed);
  performance.now() - start < Number(seconds) * 1000;
  round += TOGETHER
) {
  say({ round });
  const seeds = Array.from({ length: TOGETHER }, (_, i) => round + i);
  await makeRounds(seeds).catch((error) => fail(round, error));
}
const end = await memoryLeft();
summary.memory = [early ?? end, end];
clearInterval(timer);
clearInterval(alive);
say({ summary });
// A thread that Deno cannot stop may still run.
Deno.exit(0);
