// The command line as a user meets it, in a process of its own.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Report } from "../../cli/bench/benchmark.ts";
import config from "../../deno.json" with { type: "json" };
import {
  futures,
  futuresOnTerminal,
  HAS_TERMINAL,
} from "../helpers/futures_command.ts";
import { AGES } from "../helpers/scientist_ages.ts";

/** A benchmark that is over at once. */
const QUICK = ["--delay=20", "--work=100000", "--workers=2"];

const COMMANDS = ["bench", "map", "completions", "help"];

async function runJson(args: string[]): Promise<Report> {
  const { stdout } = await futures([...args, "--json"]);
  return JSON.parse(stdout);
}

Deno.test("futures --help names every option with its default", async () => {
  const { stdout } = await futures(["--help"]);
  // However it is wrapped.
  const text = stdout.replaceAll(/\s+/g, " ");
  for (
    const part of [
      "--workload KIND",
      "(default: both)",
      "--executors LIST",
      "(default: serial,promise,worker,process)",
      "--workers N",
      "--records N",
      "(default: 7)",
      "--delay MS",
      "(default: 1000)",
      "--work N",
      "--year Y",
      "(default: 2017)",
      "--json",
      "--quiet",
      "-h, --help",
      "-V, --version",
    ]
  ) assertStringIncludes(text, part);
  assertFits(stdout);
  assertEquals(await futures(["bench", "-h"]), { stdout, stderr: "" });
});

Deno.test("futures help COMMAND is COMMAND --help", async () => {
  assertEquals(await futures(["help"]), await futures(["--help"]));
  for (const command of COMMANDS) {
    const help = await futures(["help", command]);
    assertEquals(help, await futures([command, "--help"]));
    assertMatch(
      help.stdout,
      new RegExp(`^Usage: futures \\[?${command}\\b`, "m"),
    );
    assertFits(help.stdout);
  }
});

Deno.test("futures --help names the other commands", async () => {
  const { stdout } = await futures(["--help"]);
  const [, list = ""] = stdout.split("Other commands:\n");
  const names = list.match(/^ {2}\w+/gm)?.map((name) => name.trim());
  assertEquals(["bench", ...names ?? []], COMMANDS);
});

Deno.test("futures --version tells the version of deno.json", async () => {
  const expected = { stdout: `futures ${config.version}\n`, stderr: "" };
  assertEquals(await futures(["--version"]), expected);
  assertEquals(await futures(["-V"]), expected);
});

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

Deno.test("futures is futures bench, and its text has everything in order", async () => {
  const { stdout, stderr } = await futures(QUICK);
  let position = -1;
  for (
    const text of [
      `futures ${config.version}`,
      "7 Sally Ride",
      "wait: each record waits 20 ms",
      "speed-up",
      "Who worked when",
      "worker-2",
      "compute: each record takes 100,000 multiplications",
      "speed-up",
      "Who worked when",
      "worker-2",
    ]
  ) {
    position = stdout.indexOf(text, position + 1);
    assert(position >= 0, `Expected "${text}" at its place in\n${stdout}`);
  }
  assertFits(stdout);
  assertMatch(stderr, /^ {4}main works on Ada Lovelace$/m);
  assertMatch(stderr, /^ {4}worker-[12] is done with Sally Ride$/m);
});

Deno.test("futures bench --quiet prints tables and says nothing", async () => {
  const { stdout, stderr } = await futures(["bench", ...QUICK, "--quiet"]);
  assertEquals(stderr, "");
  assertEquals(stdout.match(/^ {2}serial .* 1\.00 ×$/gm)?.length, 2);
  assert(!stdout.includes("Who worked when"));
  assert(!stdout.includes("Ada Lovelace"));
});

Deno.test("futures colours nothing that is not for a terminal", async () => {
  const { stdout, stderr } = await futures([...QUICK, "--workload=wait"]);
  assert(!stdout.includes("\x1b"));
  assert(!stderr.includes("\x1b"));
});

Deno.test({
  name: "futures colours text and shows progress on a terminal",
  ignore: !HAS_TERMINAL,
  fn: async () => {
    const args = [...QUICK, "--workload=wait"];
    const colored = await futuresOnTerminal(args, ".", { color: true });
    assertStringIncludes(colored, "\x1b[1mWho worked when\x1b[0m");
    assertStringIncludes(colored, "serial: 7 of 7 done");
    const plain = await futuresOnTerminal(args, ".");
    assert(!plain.includes("\x1b[1m"));
    assertStringIncludes(plain, "serial: 7 of 7 done");
  },
});

for (
  const [args, message] of [
    [["frobnicate"], 'unknown command "frobnicate"; there is bench'],
    [["bench", "again"], 'unexpected argument "again"; bench takes nothing'],
    [["--json", "help"], "the command comes first: futures help"],
    [["help", "me"], "help takes one of bench, "],
    [["--bogus"], "unknown option --bogus; there are --workload --executors"],
    [["-x"], "unknown option -x; there are --workload --executors"],
    [["--no-json"], "unknown option --no-json; there are --workload"],
    [
      ["--workload=nap"],
      '--workload takes wait, compute or both: received "nap"',
    ],
    [
      ["--workload"],
      "--workload takes wait, compute or both: received nothing",
    ],
    [
      ["--executors=serial,thread"],
      '--executors takes one or more of serial,promise,worker,process: received "serial,thread"',
    ],
    [["--executors", ""], "--executors takes one or more of serial,promise"],
    [["--workers=0"], '--workers takes an integer of at least 1: received "0"'],
    [["--workers", "-1"], "--workers takes an integer of at least 1: received"],
    [["--workers=many"], "--workers takes an integer of at least 1: received"],
    [
      ["--workers", "--json"],
      "--workers takes an integer of at least 1: received nothing",
    ],
    [["--records=1.5"], "--records takes an integer of at least 1: received"],
    [["--records=0"], "--records takes an integer of at least 1: received"],
    [["--delay=soon"], "--delay takes a number of milliseconds, at least 0"],
    [["--delay=-1"], "--delay takes a number of milliseconds, at least 0"],
    [["--work=0"], "--work takes an integer of at least 1: received"],
    [["--year=MMXVII"], "--year takes an integer of at least 0: received"],
  ] as const
) {
  Deno.test(`futures ${args.join(" ")} is refused in one line`, async () => {
    const { stdout, stderr } = await futures([...args], { code: 2 });
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `futures: ${message}`);
    assertEquals(stderr.split("\n").length, 2);
  });
}

function assertFits(text: string): void {
  for (const line of text.split("\n")) assert(line.length <= 80, line);
}
