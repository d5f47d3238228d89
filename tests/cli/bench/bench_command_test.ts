// `futures bench` as a user meets it, in a process of its own.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Report } from "../../../cli/bench/benchmark.ts";
import config from "../../../deno.json" with { type: "json" };
import { futures } from "../../helpers/futures_command.ts";
import { AGES } from "../../helpers/scientist_ages.ts";

/** A benchmark that is over at once. */
const QUICK = ["--delay=20", "--work=100000", "--workers=2"];

async function runJson(args: string[]): Promise<Report> {
  const { stdout } = await futures([...args, "--json"]);
  return JSON.parse(stdout);
}

Deno.test("futures bench --json prints one object with every run", async () => {
  const { version, deno, cores, workload } = await runJson(QUICK);
  assertEquals(version, config.version);
  assertEquals(deno, Deno.version.deno);
  assertEquals(cores, navigator.hardwareConcurrency);
  assertEquals(workload.map(({ runs: _, ...rest }) => rest), [
    { kind: "wait", records: 7, delayMs: 20 },
    { kind: "compute", records: 7, work: 100000 },
  ]);
  for (const { runs } of workload) {
    assertEquals(
      runs.map(({ executor, workers }) => [executor, workers]),
      [
        ["serial", 1],
        ["PromisePoolExecutor", 2],
        ["WorkerPoolExecutor", 2],
        ["ProcessPoolExecutor", 2],
      ],
    );
    for (const { wallMs, speedup, results, tasks } of runs) {
      assertEquals(speedup, Math.round(runs[0]!.wallMs / wallMs * 1000) / 1000);
      assertEquals(results, AGES);
      assertEquals(
        tasks.map(({ record }) => record),
        AGES.map(({ name }) => name),
      );
      for (const { startMs, endMs } of tasks) {
        // The clocks of two isolates differ by a millisecond or two.
        assert(-5 < startMs && startMs <= endMs && endMs < wallMs + 5);
      }
    }
  }
});

Deno.test("futures bench tells which worker worked when", async () => {
  const { workload } = await runJson([...QUICK, "--workload=wait"]);
  const [serial, promise, worker, process] = workload[0]!.runs.map(
    ({ tasks }) => tasks,
  );
  assertEquals(new Set(serial!.map((task) => task.worker)), new Set(["main"]));
  for (const [i, { startMs }] of serial!.slice(1).entries()) {
    assert(startMs >= serial![i]!.endMs);
  }
  assertEquals(new Set(promise!.map((task) => task.worker)), new Set(["main"]));
  assert(promise![1]!.startMs < promise![0]!.endMs);
  assertEquals(
    new Set(worker!.map((task) => task.worker)),
    new Set(["worker-1", "worker-2"]),
  );
  const pids = new Set(process!.map((task) => task.worker));
  assertEquals(pids.size, 2);
  for (const pid of pids) assertMatch(pid, /^\d+$/);
});

Deno.test("futures bench runs only what is asked for", async () => {
  const { workload } = await runJson([
    ...QUICK,
    "--workload=compute",
    "--executors=worker,promise",
    "--year=2000",
    "--records=1",
  ]);
  assertEquals(workload.map(({ kind }) => kind), ["compute"]);
  const { runs } = workload[0]!;
  assertEquals(
    runs.map(({ executor }) => executor),
    ["PromisePoolExecutor", "WorkerPoolExecutor"],
  );
  for (const { speedup, results } of runs) {
    // There is nothing to compare to.
    assertEquals(speedup, null);
    assertEquals(results, [{ name: "Ada Lovelace", age: 185 }]);
  }
});

Deno.test("futures bench --records beyond seven repeats them with numbers", async () => {
  const { workload } = await runJson([
    ...QUICK,
    "--delay=1",
    "--workload=wait",
    "--records=15",
  ]);
  const { records, runs } = workload[0]!;
  assertEquals(records, 15);
  for (const { results } of runs) {
    assertEquals(results, [
      ...AGES,
      ...AGES.map(({ name, age }) => ({ name: `${name} 2`, age })),
      { name: "Ada Lovelace 3", age: 202 },
    ]);
  }
});

Deno.test("futures bench gives every record a promise unless told otherwise", async () => {
  const { workload } = await runJson([
    "--executors=promise",
    "--workload=wait",
    "--delay=1",
    "--records=40",
  ]);
  assertEquals(workload[0]!.runs[0]!.workers, 32);
});

Deno.test("futures bench --quiet prints tables and says nothing", async () => {
  const { stdout, stderr } = await futures(["bench", ...QUICK, "--quiet"]);
  assertEquals(stderr, "");
  assertEquals(stdout.match(/^ {2}serial .* 1\.00 ×$/gm)?.length, 2);
  assert(!stdout.includes("Who worked when"));
  assert(!stdout.includes("Ada Lovelace"));
});
