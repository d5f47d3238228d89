// `futures` among programs that make the streams non-blocking which it shares
// with them, as Node.js does: a full pipe refuses what it has no room for.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ofAnyLength } from "./fixtures/line_functions.ts";
import { FUNCTIONS, startFutures } from "../helpers/futures_command.ts";

/** Where the number is known by which a stream is made so. */
const IS_LINUX = Deno.build.os === "linux";

/** Makes the streams of its arguments non-blocking. */
const UNBLOCK = `
  const { symbols } = Deno.dlopen("libc.so.6", {
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  });
  const [F_GETFL, F_SETFL, O_NONBLOCK] = [3, 4, 0o4000];
  for (const stream of Deno.args.map(Number)) {
    const flags = symbols.fcntl(stream, F_GETFL, 0);
    symbols.fcntl(stream, F_SETFL, flags | O_NONBLOCK);
  }
`;

/** Runs `futures` on non-blocking streams, whose readers begin when they are long full. */
async function futuresUnblocked(
  args: string[],
  { stdin = "", shell = "" }: { stdin?: string; shell?: string },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `"$0" eval "$1" -- 1 2; shift; "$@"; code=$?`;
  const child = startFutures(args, ".", [
    ...["sh", "-c", shell.replace("FUTURES", script)],
    ...[Deno.execPath(), UNBLOCK],
  ]);
  const input = child.stdin.getWriter();
  input.write(new TextEncoder().encode(stdin)).catch(() => {});
  input.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

for (const executor of ["worker", "promise"]) {
  Deno.test({
    name:
      `futures map --executor ${executor} says all on a standard error stream that is full and does not wait`,
    ignore: !IS_LINUX,
    fn: async () => {
      const { stdout } = await futuresUnblocked(
        ["map", `${FUNCTIONS}#saysMuch`, "--executor", executor],
        {
          stdin: "1\n",
          shell: `{ FUTURES; } 2>&1 >/dev/null | { sleep 2; cat; }`,
        },
      );
      assertEquals(stdout.match(/^said at length$/gm)?.length, 40_000);
      assertStringIncludes(stdout, "\nfutures: line 1: Error: said all\n");
    },
  });
}

for (const executor of ["worker", "promise"]) {
  Deno.test({
    name:
      `futures map --executor ${executor} has a result for a line whose function logs to a stream that is full and does not wait`,
    ignore: !IS_LINUX,
    fn: async () => {
      const { stdout } = await futuresUnblocked(
        ["map", `${FUNCTIONS}#logsMuch`, "--executor", executor],
        {
          stdin: "1\n",
          shell: `{ FUTURES; echo $code >&2; } 2>&1 >/dev/null |
            { sleep 2; cat; }`,
        },
      );
      for (const way of ["log", "warn"]) {
        const said = stdout.match(RegExp(`^said by ${way} \\d+ x{50}$`, "gm"));
        assertEquals(said?.length, 2000);
      }
      assertEquals(stdout.split("\n").at(-2), "0");
    },
  });
}

/** Ways to a reader that begins late, and takes its time. */
const READERS = {
  "a pipe": `{ FUTURES; echo $code >&2; } | { sleep 2; cat; }`,
  "a pipe with a name": `folder=$(mktemp -d); mkfifo $folder/pipe
    { sleep 2; cat; rm -r $folder; } < $folder/pipe &
    { FUTURES; echo $code >&2; } > $folder/pipe
    wait`,
};

for (const [way, shell] of Object.entries(READERS)) {
  for (const raw of [[], ["--raw"]]) {
    Deno.test({
      name: `${
        ["futures map", ...raw].join(" ")
      } writes each result once to ${way} that is full and does not wait`,
      ignore: !IS_LINUX,
      fn: async () => {
        const numbers = Array.from({ length: 3000 }, (_, n) => n);
        const { stdout, stderr } = await futuresUnblocked(
          ["map", `${FUNCTIONS}#ofAnyLength`, ...raw],
          { stdin: numbers.join("\n"), shell },
        );
        assertEquals(stderr, "0\n");
        const results = numbers.map((n) =>
          raw.length > 0 ? ofAnyLength(n) : JSON.stringify(ofAnyLength(n))
        );
        // Not by `assertEquals()`, which would show megabytes.
        assert(stdout === `${results.join("\n")}\n`);
      },
    });
  }
}

Deno.test({
  name:
    "futures bench --json writes a long report to a pipe that is full and does not wait",
  ignore: !IS_LINUX,
  fn: async () => {
    const { stdout, stderr } = await futuresUnblocked([
      ...["bench", "--json", "--records=1000", "--executors=promise"],
      ...["--workload=compute", "--work=1", "--quiet"],
    ], { shell: READERS["a pipe"] });
    assertEquals(stderr, "0\n");
    // More than a pipe holds.
    assert(stdout.length > 100_000);
    assertEquals(JSON.parse(stdout).workload.length, 1);
  },
});
