/**
 * The program whose workers lie. It says on its standard output, a line each,
 * that it lives, which round it makes, and at the end what it has made; the
 * first violation ends it. Its arguments are a kind of executor, seconds and a
 * seed. See run.ts.
 *
 * @module
 */

// First: what is imported after it starts workers through it.
import "./middle.ts";
import process from "node:process";
import { WORKER_KINDS } from "../worker_harness.ts";
import { randomOf } from "../random.ts";
import { spoilBytes } from "./bytes.ts";
import { Round } from "./round.ts";
import type { FuzzSummary, Said } from "./run.ts";

const BEAT_MS = 10;

/** A turn of the event loop that takes so long is a hang; the machine may be busy with something else. */
const LONGEST_TURN_MS = 2000;

/** What a round may take of the heap, beside the arguments and results of its tasks, in bytes. */
const MAX_GROWTH = 200 * 2 ** 20;

const [name, seconds, seed] = Deno.args;
const { make } = WORKER_KINDS.find((kind) => kind.name === name)!;
const start = performance.now();
const summary: FuzzSummary = {
  rounds: 0,
  workers: 0,
  outcomes: {},
  lies: {},
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
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
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

async function makeRound(round: number): Promise<void> {
  const random = randomOf(round);
  heap = memoryInUse();
  growth = 0;
  const it = new Round(random, round, make);
  await it.run();
  spoilBytes(random);
  beat();
  // What is loaded and compiled once is there by then.
  if (performance.now() - start >= Number(seconds) * 200) {
    early ??= await memoryLeft();
  }
  summary.workers += it.workers;
  count(summary.outcomes, it.outcomes);
  count(summary.lies, it.told);
  if (growth > MAX_GROWTH) {
    violation ??= `the heap grew by ${Math.round(growth / 2 ** 20)} MiB`;
  }
  if (violation !== undefined) throw new Error(violation);
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
for (; performance.now() - start < Number(seconds) * 1000; summary.rounds++) {
  const round = Number(seed) + summary.rounds;
  say({ round });
  try {
    await makeRound(round);
  } catch (error) {
    say({ violation: error instanceof Error ? error.stack! : `${error}` });
    Deno.exit(1);
  }
}
const end = await memoryLeft();
summary.memory = [early ?? end, end];
clearInterval(timer);
clearInterval(alive);
say({ summary });
// A thread that Deno cannot stop may still run.
Deno.exit(0);
