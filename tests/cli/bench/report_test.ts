// The benchmark's text, made from figures that are known.

import { assertEquals, assertThrows } from "@std/assert";
import {
  assertSameResults,
  type RunReport,
  type WorkloadReport,
} from "../../../cli/bench/benchmark.ts";
import {
  formatHeading,
  formatLesson,
  formatPlan,
  formatTable,
} from "../../../cli/bench/report.ts";
import { SCIENTISTS, takeScientists } from "../../../cli/bench/scientists.ts";
import { drawTimeline } from "../../../cli/bench/timeline.ts";

/** Four records that compute for a second each. */
const COMPUTE: WorkloadReport = {
  kind: "compute",
  records: 4,
  work: 800_000_000,
  runs: [
    run("serial", 1, 4000, [
      ["main", 0, 1000],
      ["main", 1000, 2000],
      ["main", 2000, 3000],
      ["main", 3000, 4000],
    ]),
    run("WorkerPoolExecutor", 2, 2100, [
      ["worker-2", 100, 1100],
      ["worker-10", 100, 1100],
      ["worker-2", 1100, 2100],
      ["worker-10", 1100, 2100],
    ]),
  ],
};

/** Three records that wait, two at a time. */
const WAIT: WorkloadReport = {
  kind: "wait",
  records: 3,
  delayMs: 50,
  runs: [
    run("PromisePoolExecutor", 2, 100, [
      ["main", 0, 50],
      ["main", 0, 50],
      ["main", 50, 100],
    ]),
  ],
};

function run(
  executor: RunReport["executor"],
  workers: number,
  wallMs: number,
  tasks: [worker: string, startMs: number, endMs: number][],
): RunReport {
  return {
    executor,
    workers,
    wallMs,
    speedup: executor === "PromisePoolExecutor" ? null : 4000 / wallMs,
    results: tasks.map((_, i) => ({ name: `Record ${i + 1}`, age: 30 })),
    tasks: tasks.map(([worker, startMs, endMs], i) => ({
      record: `Record ${i + 1}`,
      worker,
      startMs,
      endMs,
    })),
  };
}

Deno.test("formatPlan() says what is about to run, on how many cores", () => {
  assertEquals(
    formatPlan({
      version: "0.1.0",
      deno: "2.9.6",
      cores: 1,
      records: SCIENTISTS.map(({ name }) => name),
      runs: [
        { executor: "serial", workers: 1 },
        { executor: "PromisePoolExecutor", workers: 7 },
        { executor: "WorkerPoolExecutor", workers: 1 },
      ],
    }),
    `\
futures 0.1.0 on Deno 2.9.6, 1 core

The same function over the same 7 records, by
  serial               a plain loop, one record at a time
  PromisePoolExecutor  one thread, up to 7 records at a time
  WorkerPoolExecutor   up to 1 thread, each with one record at a time

Records: 1 Ada Lovelace, 2 Emmy Noether, 3 Marie Curie, 4 Tu Youyou,
5 Ada Yonath, 6 Vera Rubin, 7 Sally Ride`,
  );
});

Deno.test("formatHeading() says what a record costs", () => {
  assertEquals(
    formatHeading(COMPUTE),
    "compute: each record takes 800,000,000 multiplications, each after the other",
  );
  assertEquals(
    formatHeading(WAIT, { color: true }),
    "\x1b[1mwait\x1b[0m: each record waits 50 ms, as for an answer from the network",
  );
});

Deno.test("formatTable() has one unit for all times of a table", () => {
  assertEquals(
    formatTable(COMPUTE),
    `\
  executor              workers   wall time   speed-up
  ────────────────────────────────────────────────────
  serial                      1      4.00 s     1.00 ×
  WorkerPoolExecutor          2      2.10 s     1.90 ×`,
  );
});

Deno.test("formatTable() has no speed-up without serial", () => {
  assertEquals(
    formatTable(WAIT),
    `\
  executor              workers   wall time   speed-up
  ────────────────────────────────────────────────────
  PromisePoolExecutor         2    100.0 ms          –`,
  );
});

Deno.test("formatLesson() speaks of the executors that ran", () => {
  assertEquals(
    formatLesson(WAIT),
    `\
  One thread can wait for many records at the same time, and waiting needs no
  more.`,
  );
});

Deno.test("drawTimeline() draws a row for each worker, in order of their numbers", () => {
  assertEquals(
    drawTimeline(COMPUTE, {}),
    `\
  Who worked when: 1██ is record 1, computing

               0 s            1 s           2 s            3 s            4 s
  serial: one thread, one record at a time
    main       1██████████████2██████████████3█████████████4██████████████
  WorkerPoolExecutor: 2 threads, each with one record at a time
    worker-2    1██████████████3██████████████
    worker-10   2██████████████4██████████████`,
  );
});

Deno.test("drawTimeline() gives overlapping bars of one worker rows of their own", () => {
  assertEquals(
    drawTimeline(WAIT, {}),
    `\
  Who worked when: 1░░ is record 1, waiting

               0 ms        20 ms       40 ms      60 ms       80 ms       100 ms
  PromisePoolExecutor: one thread, which waits for up to 2 records at a time
    main     ┌ 1░░░░░░░░░░░░░░░░░░░░░░░░░░░░░3░░░░░░░░░░░░░░░░░░░░░░░░░░░░
             └ 2░░░░░░░░░░░░░░░░░░░░░░░░░░░░░`,
  );
});

Deno.test("drawTimeline() has room for names of nodes, and shows the ends of long ones", () => {
  assertEquals(
    drawTimeline({
      ...WAIT,
      records: 2,
      runs: [
        run("NatsPoolExecutor", 3, 100, [
          ["ada/worker-1", 0, 50],
          ["a-node-with-a-long-name-1/worker-1", 0, 100],
        ]),
      ],
    }, {}),
    `\
  Who worked when: 1░░ is record 1, waiting

                              0 ms     20 ms    40 ms   60 ms    80 ms    100 ms
  NatsPoolExecutor: 2 nodes of a pool that has 3 workers
    …-a-long-name-1/worker-1  2░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
    ada/worker-1              1░░░░░░░░░░░░░░░░░░░░░`,
  );
});

Deno.test("drawTimeline() colours bars, and only on demand", () => {
  const colored = drawTimeline(COMPUTE, { color: true });
  assertEquals(
    // deno-lint-ignore no-control-regex
    colored.replaceAll(/\x1b\[\d+m/g, ""),
    drawTimeline(COMPUTE, {}),
  );
});

Deno.test("drawTimeline() stays within 80 columns and a screen whatever ran", () => {
  const many = takeScientists(500).map((_, i): [string, number, number] => [
    "main",
    i % 50,
    i % 50 + 100,
  ]);
  const drawn = drawTimeline({
    kind: "wait",
    records: 500,
    delayMs: 100,
    runs: [run("PromisePoolExecutor", 500, 150, many)],
  }, {});
  const lines = drawn.split("\n");
  assertEquals(lines.length, 3 + 1 + 16 + 1);
  assertEquals(lines.at(-1), "    … and 484 more rows");
  assertEquals(Math.max(...lines.map((line) => line.length)) <= 80, true);
});

Deno.test("drawTimeline() draws what took no time", () => {
  const drawn = drawTimeline({
    kind: "wait",
    records: 2,
    delayMs: 0,
    runs: [run("serial", 1, 0, [["main", 0, 0], ["main", 0, 0]])],
  }, {});
  assertEquals(drawn.split("\n").at(-1), "    main       ░");
});

Deno.test("assertSameResults() names executor, record, expected and received", () => {
  const [first, second] = COMPUTE.runs as [RunReport, RunReport];
  assertSameResults(second, first);
  const results = [...second.results];
  results[2] = { name: "Record 3", age: 31 };
  assertThrows(
    () => assertSameResults({ ...second, results }, first),
    Error,
    'Results differ for Record 3: serial made { name: "Record 3", age: 30 } of it, ' +
      'WorkerPoolExecutor made { name: "Record 3", age: 31 }',
  );
  assertThrows(
    () => assertSameResults({ ...second, results: results.slice(0, 1) }, first),
    Error,
    "WorkerPoolExecutor made undefined",
  );
});

Deno.test("SCIENTISTS cannot be changed", () => {
  assertEquals(SCIENTISTS.length, 7);
  for (const it of [SCIENTISTS, ...SCIENTISTS, ...takeScientists(8)]) {
    assertEquals(Object.isFrozen(it), true);
  }
});
