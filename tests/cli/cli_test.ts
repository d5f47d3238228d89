// The command line as a user meets it, in a process of its own.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import {
  futures,
  futuresOnTerminal,
  HAS_TERMINAL,
} from "../helpers/futures_command.ts";

/** A benchmark that is over at once. */
const QUICK = ["--delay=20", "--work=100000", "--workers=2"];

const COMMANDS = ["bench", "map", "serve", "nodes", "completions", "help"];

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
      '--executors takes one or more of serial,promise,worker,process,nats: received "serial,thread"',
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
