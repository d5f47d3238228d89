// The client of this package for `deno task bench:nats`: its arguments are the
// server, a folder, and the workloads with their sizes as JSON. It writes a line
// of JSON for each: its name, and the figure.

import { NatsPoolExecutor } from "../../executors/nats/mod.ts";
import { median } from "../peers/report.ts";

const [servers, folder, workloads] = Deno.args as [string, string, string];

const MEGABYTE = new Uint8Array(1_000_000);
const LARGE = new Uint8Array(32_000_000);

function noop() {}

function busy(ms: number) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

const echo = (bytes: Uint8Array) => bytes;
const lengthOf = (bytes: Uint8Array) => bytes.length;
const make = (length: number) => new Uint8Array(length);
const increment = (n: number) => n + 1;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first time it waits to be killed, with its node, the number of which it leaves in a file. */
function wait(path: string) {
  try {
    Deno.statSync(path);
    return;
  } catch {
    Deno.writeTextFileSync(`${path}.new`, `${Deno.pid}`);
    Deno.renameSync(`${path}.new`, path);
  }
  return new Promise((resolve) => setTimeout(resolve, 60_000));
}

await using pool = new NatsPoolExecutor({ servers });
await pool.start();

const seconds = async (run: () => unknown) => {
  const begun = performance.now();
  await run();
  return (performance.now() - begun) / 1000;
};
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function measureBusy(ms: number, count: number): Promise<number> {
  const passed = await seconds(() =>
    Promise.all(range(count).map(() => pool.submit(busy, ms)))
  );
  return count * ms / 1000 / 2 / passed;
}

/** Calls in a second. */
async function measureWait(ms: number, count: number): Promise<number> {
  // All nodes answer this, and each loads the function.
  const nodes = await pool.nodes();
  await Promise.all(range(10 * nodes.length).map(() => pool.submit(sleep, ms)));
  const passed = await seconds(() =>
    Promise.all(range(count).map(() => pool.submit(sleep, ms)))
  );
  return count / passed;
}

/** Megabytes in a second, of calls that follow each other by twos. */
async function measureBytes(
  count: number,
  megabytes: number,
  run: () => PromiseLike<unknown>,
): Promise<number> {
  const passed = await seconds(async () => {
    for (let left = count; left > 0; left -= 2) {
      await Promise.all(range(Math.min(left, 2)).map(run));
    }
  });
  return count * megabytes / passed;
}

async function measureRerun(): Promise<number> {
  const path = `${folder}/rerun`;
  const future = pool.submit(wait, path);
  let pid: number | undefined;
  while (pid === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      pid = Number(Deno.readTextFileSync(path));
    } catch {
      // It has not begun.
    }
  }
  return 1000 * await seconds(() => {
    Deno.kill(pid, "SIGKILL");
    return future;
  });
}

const MEASURES: Record<string, (count: number) => Promise<number>> = {
  noop: async (count) =>
    count /
    await seconds(() => Promise.all(range(count).map(() => pool.submit(noop)))),
  "busy-1": (count) => measureBusy(1, count),
  "busy-10": (count) => measureBusy(10, count),
  "busy-50": (count) => measureBusy(50, count),
  "wait-10": (count) => measureWait(10, count),
  "wait-50": (count) => measureWait(50, count),
  megabyte: (count) =>
    measureBytes(count, 2, () => pool.submit(echo, MEGABYTE)),
  argument: (count) =>
    measureBytes(count, 32, () => pool.submit(lengthOf, LARGE)),
  result: (count) =>
    measureBytes(count, 32, () => pool.submit(make, 32_000_000)),
  single: async (count) => {
    const all: number[] = [];
    for (const _ of range(count)) {
      all.push(1000 * await seconds(() => pool.submit(noop)));
    }
    return median(all);
  },
  map: async (count) =>
    count / await seconds(() => pool.map(increment, range(count))),
  rerun: measureRerun,
};

// Workers load what they need, and the pool learns how long a no-op takes.
await pool.map(noop, range(100));
for (const [id, count] of Object.entries<number>(JSON.parse(workloads))) {
  console.log(JSON.stringify([id, await MEASURES[id]!(count)]));
}
