// `futures map` as a user meets it, in a process of its own.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  FUNCTIONS,
  futures,
  futuresOnTerminal,
  HAS_TERMINAL,
} from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

/** A text with a line for each value. */
function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** 1 to 1000; every 10th line is no JSON. */
const BROKEN = count(1, 1000).map((n) => n % 10 === 0 ? `{${n}\n` : `${n}\n`)
  .join("");

const UNBROKEN = count(1, 1000).filter((n) => n % 10 !== 0);

Deno.test("futures map calls the default export with each line of the standard input", async () => {
  const { stdout, stderr } = await futures(["map", FUNCTIONS], {
    stdin: lines(count(1, 5000)),
  });
  assertEquals(stdout, lines(count(1, 5000).map((n) => 2 * n)));
  assertEquals(stderr, "");
});

Deno.test("futures map finds a module in the folder it runs in, or by its URL", async () => {
  await using folder = await makeTempFolder({
    "my%23module.js": "export const next = (n) => n + 1;",
  });
  const options = { cwd: folder.path, stdin: "1\n2\n" };
  const url = new URL("my%23module.js", folder.url).href;
  for (const module of ["my#module.js", "./my#module.js", url]) {
    const { stdout } = await futures(["map", `${module}#next`], options);
    assertEquals(stdout, "2\n3\n");
  }
});

Deno.test("futures map reads one file after the other", async () => {
  await using folder = await makeTempFolder({
    "a.jsonl": `{"name":"Ada"}\n["é", "𝒳"]`,
    "b.jsonl": `\ufeff"b"\r\n`,
    "empty.jsonl": "",
  });
  const { stdout } = await futures(
    ["map", `${FUNCTIONS}#same`, "a.jsonl", "empty.jsonl", "-", "b.jsonl"],
    { cwd: folder.path, stdin: "null" },
  );
  assertEquals(stdout, `{"name":"Ada"}\n["é","𝒳"]\nnull\n"b"\n`);
});

for (const executor of ["worker", "promise"]) {
  Deno.test(`futures map --executor ${executor} writes results in the order of the lines`, async () => {
    const { stdout } = await futures(
      ["map", `${FUNCTIONS}#late`, "--executor", executor, "--workers=3"],
      { stdin: lines(count(1, 20)) },
    );
    assertEquals(stdout, lines(count(1, 20)));
  });
}

Deno.test("futures map --unordered writes results as they come", async () => {
  const { stdout } = await futures(
    ["map", `${FUNCTIONS}#secondFirst`, "--unordered", "--executor=promise"],
    { stdin: "1\n2\n" },
  );
  assertEquals(stdout, "2\n1\n");
});

Deno.test("futures map gives lines of a slow function to several workers", async () => {
  await using folder = await makeTempFolder();
  const { stdout } = await futures(
    ["map", `${FUNCTIONS}#meets`, "--workers=2"],
    { cwd: folder.path, stdin: `["a","b"]\n["b","a"]\n` },
  );
  assertEquals(stdout, `"a"\n"b"\n`);
});

Deno.test("futures map --raw has strings for lines, in and out", async () => {
  const { stdout } = await futures(["map", `${FUNCTIONS}#loud`, "--raw"], {
    stdin: 'no "JSON"\n\ncarriage return\r\nlast',
  });
  assertEquals(stdout, 'no "JSON"!\n!\ncarriage return!\nlast!\n');
});

Deno.test("futures map --raw takes no result of several lines", async () => {
  const { stderr } = await futures(["map", `${FUNCTIONS}#twoLines`, "--raw"], {
    stdin: "a\n",
    code: 1,
  });
  assertStringIncludes(stderr, "futures: line 1: TypeError: A result with a");
});

Deno.test("futures map writes null for what JSON cannot say", async () => {
  const { stdout } = await futures(["map", `${FUNCTIONS}#nothing`], {
    stdin: "1\n2\n",
  });
  assertEquals(stdout, "null\nnull\n");
});

Deno.test("futures map has what the function says on the standard error stream", async () => {
  const { stdout, stderr } = await futures(["map", `${FUNCTIONS}#talks`], {
    stdin: "1\n",
  });
  assertEquals({ stdout, stderr }, { stdout: "1\n", stderr: "working on 1\n" });
});

Deno.test("futures map without lines writes none", async () => {
  assertEquals(await futures(["map", FUNCTIONS]), { stdout: "", stderr: "" });
});

Deno.test("futures map stops at the first line that is no JSON", async () => {
  const { stdout, stderr } = await futures(["map", `${FUNCTIONS}#same`], {
    stdin: BROKEN,
    code: 1,
  });
  assertEquals(stdout, lines(count(1, 9)));
  assertStringIncludes(stderr, "futures: line 10 is no JSON: ");
  assertEquals(stderr.split("\n").length, 2);
});

Deno.test("futures map stops at the first line that fails, and names file and error", async () => {
  await using folder = await makeTempFolder({
    "1.jsonl": lines(count(1, 9)),
    "2.jsonl": lines(count(9, 1000)),
  });
  const { stdout, stderr } = await futures(
    ["map", `${FUNCTIONS}#failsAtTens`, "1.jsonl", "2.jsonl"],
    { cwd: folder.path, code: 1 },
  );
  assertEquals(stdout, lines([...count(1, 9), 9]));
  assertEquals(
    stderr,
    "futures: 2.jsonl, line 2: RangeError: 10 is round\n",
  );
});

Deno.test("futures map --on-error skip leaves lines out and counts them", async () => {
  const { stdout, stderr } = await futures(
    ["map", `${FUNCTIONS}#same`, "--on-error=skip"],
    { stdin: BROKEN },
  );
  assertEquals(stdout, lines(UNBROKEN));
  assertEquals(
    stderr,
    "futures: 100 of 1000 lines failed and were skipped\n",
  );
});

Deno.test("futures map --on-error report writes errors in the places of results", async () => {
  const { stdout, stderr } = await futures(
    ["map", `${FUNCTIONS}#same`, "--on-error=report"],
    { stdin: BROKEN },
  );
  const results = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(results.length, 1000);
  for (const [i, result] of results.entries()) {
    const n = i + 1;
    if (n % 10 !== 0) {
      assertEquals(result, n);
    } else {
      assertEquals(result.error.name, "SyntaxError");
      assertStringIncludes(result.error.message, "JSON");
      assertEquals(result.line, n);
    }
  }
  assertEquals(stderr, "futures: 100 of 1000 lines failed\n");
});

Deno.test("futures map --errors FILE has the reports apart, with the names of files if there are several", async () => {
  await using folder = await makeTempFolder({
    "1.jsonl": lines(count(1, 15)),
    "2.jsonl": lines(count(16, 30)),
  });
  const { stdout } = await futures([
    ...["map", `${FUNCTIONS}#failsAtTens`, "1.jsonl", "2.jsonl"],
    ...["--on-error=report", "--errors=errors.jsonl"],
  ], { cwd: folder.path });
  assertEquals(stdout, lines(count(1, 30).filter((n) => n % 10 !== 0)));
  const error = (n: number) => ({
    name: "RangeError",
    message: `${n} is round`,
  });
  assertEquals(
    await Deno.readTextFile(`${folder.path}/errors.jsonl`),
    lines([
      { error: error(10), line: 10, file: "1.jsonl" },
      { error: error(20), line: 5, file: "2.jsonl" },
      { error: error(30), line: 15, file: "2.jsonl" },
    ]),
  );
});

Deno.test("futures map --retries tries lines again that failed", async () => {
  const args = ["map", `${FUNCTIONS}#failsOnce`, "--workers=1"];
  const stdin = lines(count(1, 100));
  const once = await futures([...args, "--on-error=skip"], { stdin });
  assertEquals(once.stdout, "");
  const twice = await futures([...args, "--retries=1"], { stdin });
  assertEquals(twice, { stdout: stdin, stderr: "" });
});

for (
  const [executor, hanging] of [["worker", [2, 3]], ["promise", [2]]] as const
) {
  Deno.test(`futures map --executor ${executor} --timeout ends lines that hang, and nothing else`, async () => {
    const { stdout } = await futures([
      ...["map", `${FUNCTIONS}#hangs`, "--executor", executor, "--workers=1"],
      ...["--timeout=300", "--on-error=report"],
    ], { stdin: lines([1, ...hanging, 4, 5]) });
    const error = { name: "TimeoutError", message: "No result after 300 ms" };
    assertEquals(
      stdout,
      lines([1, ...hanging.map((_, i) => ({ error, line: 2 + i })), 4, 5]),
    );
  });
}

Deno.test("futures map goes on after a worker that died, without the line it had", async () => {
  const { stdout, stderr } = await futures(
    ["map", `${FUNCTIONS}#diesAtTens`, "--on-error=skip"],
    { stdin: lines(count(1, 35)) },
  );
  assertEquals(stdout, lines(count(1, 35).filter((n) => n % 10 !== 0)));
  assertEquals(stderr, "futures: 3 of 35 lines failed and were skipped\n");
});

Deno.test("futures map --progress says how far it is", async () => {
  const { stderr } = await futures(
    ["map", `${FUNCTIONS}#failsAtTens`, "--progress", "--on-error=skip"],
    { stdin: lines(count(1, 1000)) },
  );
  assert(
    /^1,000 done, 100 failed, [\d,]+\/s in [\d.]+ s$/m.test(stderr),
    stderr,
  );
});

Deno.test({
  name:
    "futures map shows progress on a terminal that does not get the results",
  ignore: !HAS_TERMINAL,
  fn: async () => {
    await using folder = await makeTempFolder({ "in.jsonl": "1\n2\n" });
    const run = (...args: string[]) =>
      futuresOnTerminal(["map", FUNCTIONS, "in.jsonl", ...args], folder.path);
    assertStringIncludes(await run("--output=out"), "2 done, 0 failed, ");
    assertEquals(await run("--output=out", "--quiet"), "");
    assertEquals(await run(), "2\r\n4\r\n");
  },
});

for (
  const [args, message] of [
    [["map"], "map takes a module: futures map MODULE[#EXPORT]"],
    [["map", "nowhere.ts"], "no such module: nowhere.ts"],
    [["map", "./README.md#x"], "cannot load ./README.md: "],
    [
      ["map", "mod.ts#nope"],
      'mod.ts exports no function "nope": there is mod.',
    ],
    [["map", "mod.ts"], "mod.ts has no default export that is a function"],
    [["map", FUNCTIONS, "nowhere.jsonl"], "no such file: nowhere.jsonl"],
    [["map", FUNCTIONS, "tests"], "cannot read tests: it is a folder"],
    [
      ["map", FUNCTIONS, "--output=nowhere/file"],
      "cannot write nowhere/file: No such file",
    ],
    [["map", FUNCTIONS, "--output=tests"], "cannot write tests: it is not a"],
    [["map", FUNCTIONS, "--output"], "--output takes the name of a file"],
    [
      ["map", FUNCTIONS, "--executor=gpu"],
      '--executor takes worker, process or promise: received "gpu"',
    ],
    [["map", FUNCTIONS, "--timeout=0"], "--timeout takes a number of milli"],
    [["map", FUNCTIONS, "--retries=-1"], "--retries takes an integer of at"],
    [["map", FUNCTIONS, "--on-error=cry"], "--on-error takes stop, skip or"],
    [["map", FUNCTIONS, "--errors=x"], "--errors goes with --on-error report"],
    [["map", FUNCTIONS, "--resume"], "--resume needs --output"],
    [
      ["map", FUNCTIONS, "--resume", "--output=x", "--on-error=skip"],
      "--resume needs a result for every line",
    ],
  ] as const
) {
  Deno.test(`futures ${args.join(" ").replace(FUNCTIONS, "MODULE")} is refused in one line`, async () => {
    const { stdout, stderr } = await futures([...args], { code: 2 });
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `futures: ${message}`);
    assertEquals(stderr.split("\n").length, 2);
  });
}
