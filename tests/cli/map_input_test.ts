// What `futures map` makes of bytes: lines, or a line about why not.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Lines, readLines } from "../../cli/line_reader.ts";
import {
  FUNCTIONS,
  futures,
  startFutures,
} from "../helpers/futures_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const IS_WINDOWS = Deno.build.os === "windows";

const SAME = ["map", `${FUNCTIONS}#same`];

const encoder = new TextEncoder();

/** Latin-1, as older programs write it. */
const LATIN = new Uint8Array([
  ...encoder.encode('"a"\n"'),
  0xe9,
  ...encoder.encode('"\n"é"\n'),
]);

/** The lines of some bytes that come in pieces of some sizes, one after the other. */
async function linesOf(
  bytes: Uint8Array,
  { sizes = [bytes.length], raw = true, maxLineBytes = 1000 } = {},
): Promise<Lines[]> {
  let position = 0;
  let reads = 0;
  const read = (buffer: Uint8Array) => {
    const size = Math.min(sizes[reads++ % sizes.length]!, buffer.length);
    const piece = bytes.subarray(position, position + size);
    buffer.set(piece);
    position += piece.length;
    return Promise.resolve(piece.length);
  };
  const lines: Lines[] = [];
  for await (const { text, error } of readLines(read, { raw, maxLineBytes })) {
    assert(text.endsWith("\n"));
    for (const line of text.split("\n").slice(0, -1)) {
      lines.push({ text: error?.name ?? line });
    }
  }
  return lines;
}

async function textsOf(
  text: string,
  options?: Parameters<typeof linesOf>[1],
): Promise<string[]> {
  const lines = await linesOf(encoder.encode(text), options);
  return lines.map(({ text }) => text);
}

Deno.test("readLines() gives the same lines however the bytes come", async () => {
  const text = "a\n\né𝒳\r\n  \n\ufeffb\n" + "long ".repeat(100) +
    "\n\n\n𝒳";
  const expected = text.split("\n");
  for (let size = 1; size <= 40; size++) {
    for (const sizes of [[size], [1, size], [size, 200, 3]]) {
      assertEquals(await textsOf(text, { sizes }), expected);
    }
  }
});

Deno.test("readLines() takes the mark at the start of a file away, and no other one", async () => {
  assertEquals(await textsOf("\ufeffa\n\ufeffb"), ["a", "\ufeffb"]);
  assertEquals(
    await textsOf("\ufeffa\n\ufeffb\n", { sizes: [1] }),
    ["a", "\ufeffb"],
  );
});

Deno.test("readLines() passes over empty lines at the end, unless lines are strings", async () => {
  for (const sizes of [[1], [2], [5], [100]]) {
    for (const end of ["", "\n", "\n\n", "\n \t\r\n", "\n\n  "]) {
      const text = `1\n\n2${end}`;
      assertEquals(await textsOf(text, { sizes, raw: false }), ["1", "", "2"]);
      const all = text.split("\n");
      if (all.at(-1) === "") all.pop();
      assertEquals(await textsOf(text, { sizes }), all);
    }
    assertEquals(await textsOf("\n\n", { sizes, raw: false }), []);
    assertEquals(await textsOf("\n\n1", { sizes, raw: false }), ["", "", "1"]);
  }
});

Deno.test("readLines() does not keep more empty lines than anybody has", async () => {
  const options = { raw: false, maxLineBytes: 1_000_000 };
  const lines = await textsOf("\n".repeat(1_000_000), options);
  assert(lines.length > 900_000);
});

Deno.test("readLines() keeps nothing of a line that is too long, and goes on behind it", async () => {
  const long = "x".repeat(200_000);
  const limit = { maxLineBytes: 70_000 };
  for (const sizes of [[1000], [65_536], [7, 65_536]]) {
    assertEquals(
      await textsOf(`1\n${long}\n2\n${long}${long}`, { sizes, ...limit }),
      ["1", "RangeError", "2", "RangeError"],
    );
  }
});

Deno.test("readLines() tells lines that are no UTF-8 from their neighbours", async () => {
  const bytes = new Uint8Array([
    ...encoder.encode("é\n\n"),
    ...[0xc3, 10],
    ...encoder.encode("𝒳\n"),
    ...[0x80, 0x41, 10, 0xf0, 0x9f],
  ]);
  for (let size = 1; size < 20; size++) {
    const lines = await linesOf(bytes, { sizes: [size] });
    assertEquals(
      lines.map(({ text }) => text),
      ["é", "", "EncodingError", "𝒳", "EncodingError", "EncodingError"],
    );
  }
});

for (const raw of [[], ["--raw"]]) {
  Deno.test(`futures map ${raw} does not change a line that is no UTF-8 without a word`, async () => {
    await using folder = await makeTempFolder();
    const cwd = folder.path;
    await Deno.writeFile(`${cwd}/in`, LATIN);
    const args = [...SAME, "in", ...raw];
    const stopped = await futures(args, { cwd, code: 1 });
    assertEquals(stopped.stdout, '"a"\n');
    assertStringIncludes(
      stopped.stderr,
      "futures: in, line 2 is no UTF-8: iconv",
    );
    const skipped = await futures([...args, "--on-error=skip"], { cwd });
    assertEquals(skipped.stdout, '"a"\n"é"\n');
    const reported = await futures([...args, "--on-error=report"], { cwd });
    const [, report = ""] = reported.stdout.split("\n");
    assertEquals(JSON.parse(report).line, 2);
    assertEquals(JSON.parse(report).error.name, "EncodingError");
  });
}

Deno.test("futures map --resume counts lines that are no UTF-8", async () => {
  await using folder = await makeTempFolder({ "out.partial": '"a"\n{}\n' });
  const cwd = folder.path;
  await Deno.writeFile(`${cwd}/in`, LATIN);
  await futures(
    [...SAME, "in", "--output=out", "--resume", "--on-error=report"],
    { cwd },
  );
  assertEquals(await Deno.readTextFile(`${cwd}/out`), '"a"\n{}\n"é"\n');
});

Deno.test("futures map takes an empty last line for none, but for a line with --raw", async () => {
  for (const text of ["1\n2\n\n", "1\n2\n\r\n", "1\n2\n \n\n\n"]) {
    assertEquals(await futures(SAME, { stdin: text }), {
      stdout: "1\n2\n",
      stderr: "",
    });
  }
  const { stdout } = await futures([...SAME, "--raw"], { stdin: "1\n\n" });
  assertEquals(stdout, "1\n\n");
});

Deno.test("futures map fails at an empty line before others", async () => {
  const { stdout, stderr } = await futures(SAME, {
    stdin: "1\n\n2\n",
    code: 1,
  });
  assertEquals(stdout, "1\n");
  assertStringIncludes(stderr, "futures: line 2 is no JSON");
});

Deno.test("futures map passes over empty last lines of each file, and goes on after them when it resumes", async () => {
  await using folder = await makeTempFolder({
    "a": "1\n2\n\n",
    "b": "3\n4\n\n",
    "out.partial": "1\n2\n3\n",
  });
  const cwd = folder.path;
  await futures([...SAME, "a", "b", "--output=out", "--resume"], { cwd });
  assertEquals(await Deno.readTextFile(`${cwd}/out`), "1\n2\n3\n4\n");
});

Deno.test({
  name: "futures map says in one line that the standard input is a folder",
  ignore: IS_WINDOWS,
  fn: async () => {
    const child = startFutures(SAME, ".", ["sh", "-c", '"$@" < /', "sh"]);
    await child.stdin.close();
    const { code, stderr } = await child.output();
    assertEquals(code, 2);
    assertEquals(
      new TextDecoder().decode(stderr),
      "futures: cannot read the standard input: Is a directory (os error 21)\n",
    );
  },
});

Deno.test({
  name: "futures map says in one line that a device fails",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (
      const [args, message, code] of [
        [["/proc/self/mem"], "cannot read /proc/self/mem: Input/output", 2],
        [["in", "--output=/dev/full"], "cannot write /dev/full: it is not", 2],
        [
          ["in", "--on-error=report", "--errors=/dev/full"],
          "cannot write /dev/full: No space",
          1,
        ],
      ] as const
    ) {
      await using folder = await makeTempFolder({ in: "x\n" });
      const { stderr } = await futures([...SAME, ...args], {
        cwd: folder.path,
        code,
      });
      assertStringIncludes(stderr, `futures: ${message}`);
      assertEquals(stderr.split("\n").length, 2);
    }
  },
});

for (const command of [["--help"], ["map", "--help"], ["completions", "zsh"]]) {
  Deno.test({
    name: `futures ${command.join(" ")} says in one line that there is no room`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const shell = ["sh", "-c", '"$@" > /dev/full', "sh"];
      const child = startFutures(command, ".", shell);
      await child.stdin.close();
      const { code, stderr } = await child.output();
      assertEquals(code, 1);
      const text = new TextDecoder().decode(stderr);
      assertStringIncludes(text, "futures: ");
      assertStringIncludes(text, "No space left");
      assertEquals(text.split("\n").length, 2);
    },
  });
}

for (
  const [what, disturb, message] of [
    ["became shorter", (path) => Deno.truncate(`${path}/a`, 100), "a: it be"],
    ["is gone", (path) => Deno.remove(`${path}/b`), "no such file: b"],
    ["is a folder now", async (path) => {
      await Deno.remove(`${path}/b`);
      await Deno.mkdir(`${path}/b`);
    }, "cannot read b: "],
  ] as [string, (path: string) => Promise<void>, string][]
) {
  Deno.test({
    name: `futures map says in one line that an input ${what}`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeTempFolder({
        // More than is read before the first results are there.
        "a": '["started","go"]\n' +
          '["other","started"]\n'.repeat(20_000),
        "b": "",
      });
      const { path } = folder;
      const child = startFutures(
        ["map", `${FUNCTIONS}#meets`, "a", "b", "--executor=promise"],
        path,
      );
      await child.stdin.close();
      while (
        !await Deno.stat(`${path}/started`).then(() => true, () => false)
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await disturb(path);
      await Deno.writeTextFile(`${path}/go`, "");
      const { code, stderr } = await child.output();
      assertEquals(code, 2);
      const text = new TextDecoder().decode(stderr);
      assertStringIncludes(text, message);
      assertEquals(text.split("\n").length, 2);
    },
  });
}
