// Workers that live long: positions count what a worker was sent, and go on
// where numbers of 32 bits, with a sign or without, come to their end.

import { assertEquals } from "@std/assert";
import { packageFrom } from "./helpers/first_position.ts";
import { runMain, WORKER_KINDS } from "./helpers/worker_harness.ts";

/** Where some numbers end; nobody comes to the end of those that are left. */
const FIRST_POSITIONS = {
  "2 ** 31": 2 ** 31 - 6,
  "2 ** 32": 2 ** 32 - 6,
  "2 ** 53": 2 ** 53 - 20_000,
};

/** What values come of calls, of each of many that are sent together, or not. */
const VALUES = `
  const pool = new Executor({ maxWorkers: 1 });
  const negate = (n) => -n;
  const numbers = Array.from({ length: 3000 }, (_, n) => n);
  const equal = (values) => values.every((value, n) => value === -n);
  const single = [];
  for (const n of numbers.slice(0, 12)) {
    single.push(await pool.submit(negate, n));
  }
  console.log(single.length, equal(single));
  const futures = numbers.map((n) => pool.submit(negate, n));
  console.log(equal(await Promise.all(futures)));
  for (const options of [{}, { chunkSize: 1 }, { chunkSize: 7 }]) {
    const values = await Array.fromAsync(pool.map(negate, numbers, options));
    console.log(values.length, equal(values));
  }
  await pool.shutdown();
`;

/** Whether a stop reaches each of some calls in one worker, by message or in memory. */
const STOPS = `
  const pool = new Executor({ maxWorkers: 1, gracePeriod: 60_000 });
  const wait = async (mod, yields) => {
    const { currentTask } = await import(mod);
    const current = currentTask();
    if (!yields) while (!current.cancelled);
    else if (!current.cancelled) {
      const { signal } = current;
      await new Promise((stop) => signal.addEventListener("abort", stop));
    }
    globalThis.stops = (globalThis.stops ?? 0) + 1;
  };
  const names = new Set();
  for (let n = 0; n < 10; n++) {
    const future = pool.submitWith({ timeout: 20 }, wait, MOD, n % 2 === 0);
    names.add((await future.exception()).name);
  }
  console.log([...names].join(), await pool.submit(() => globalThis.stops));
  await pool.shutdown();
`;

/** Which calls are made, and how often, where a worker dies of one of those that it was sent together. */
const DEATHS = `
  const enter = async (path, id, dies) => {
    Deno.writeTextFileSync(path, id + "\\n", { append: true });
    if (!dies) return id;
    // Without a word, where that ends nobody else.
    if (dies === "killed") Deno.kill(Deno.pid, "SIGKILL");
    self.close();
    await new Promise(() => {});
  };
  for (let before = 3; before < 8; before++) {
    const path = await Deno.makeTempFile({ dir: "." });
    const pool = new Executor({ maxWorkers: 1 });
    for (let n = 0; n < before; n++) await pool.submit(enter, path, n);
    const dies = Executor.name === "ProcessPoolExecutor" ? "killed" : "closed";
    const futures = ["a", "b", "c", "d"].map((id) =>
      pool.submit(enter, path, id, id === "b" && dies)
    );
    const ends = await Promise.allSettled(futures);
    const lines = (await Deno.readTextFile(path)).trim().split("\\n");
    console.log(
      ends.map(({ value, reason }) => value ?? reason.name).join(),
      lines.slice(before).join(),
    );
    await pool.shutdown();
  }
`;

/** What a program prints that does this with such a package. */
async function printed(
  executor: string,
  first: number,
  does: string,
): Promise<string> {
  const main = `
    import { ${executor} as Executor } from "./mod.ts";
    const MOD = import.meta.resolve("./mod.ts");
    ${does}
  `;
  const files = { ...await packageFrom(first), "main.ts": main };
  const { stdout } = await runMain(files);
  return stdout;
}

for (const { name } of WORKER_KINDS) {
  for (const [where, first] of Object.entries(FIRST_POSITIONS)) {
    Deno.test(`${name} makes each call of a worker that has come to ${where}`, async () => {
      assertEquals(
        await printed(name, first, VALUES),
        "12 true\ntrue\n3000 true\n3000 true\n3000 true\n",
      );
    });

    Deno.test(`${name} stops each call of a worker that has come to ${where}`, async () => {
      assertEquals(await printed(name, first, STOPS), "TimeoutError 10\n");
    });

    Deno.test(`${name} makes no call twice when a worker dies that has come to ${where}`, async () => {
      const line = "a,WorkerCrashedError,c,d a,b,c,d\n";
      assertEquals(await printed(name, first, DEATHS), line.repeat(5));
    });
  }
}
