// The bar of progressBar(), on a terminal of its own.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { progressBar } from "../../executors/progress/mod.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import {
  runOnTerminal,
  screenOf,
  type TerminalOptions,
} from "./helpers/terminal.ts";
import { MOD } from "./helpers/worker_harness.ts";

/** Where there is a terminal to be had. */
const HAS_TERMINAL = Deno.build.os === "linux";

/** Text with a character that is seen for the one with which a terminal is told something. */
const visible = (written: string) => written.replaceAll("\x1b", "␛");

/** A program that has a pool, a bar and some functions. */
const program = (code: string, label = "Squares") => `
  import { ProcessPoolExecutor, PromisePoolExecutor } from "${MOD}";
  import { progressBar } from "${new URL(
  "../../executors/progress/mod.ts",
  import.meta.url,
)}";
  await using pool = new PromisePoolExecutor({ maxWorkers: 2 });
  const onProgress = progressBar({ label: ${JSON.stringify(label)} });
  const numbers = Array.from({ length: 40 }, (_, i) => i);
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const square = async (n) => {
    await sleep(20);
    return n * n;
  };
  ${code}
`;

const MAP = program("await pool.map(square, numbers, { onProgress });");

function onTerminal(
  name: string,
  code: string,
  check: (written: string) => void,
  options: TerminalOptions = {},
): void {
  if (!HAS_TERMINAL) return;
  watched(
    `progressBar() ${name}`,
    async () => check(await runOnTerminal(code, options)),
  );
}

onTerminal("draws a bar, and leaves its last line", MAP, (written) => {
  const [line, ...rest] = screenOf(written);
  assertMatch(
    line!,
    /^\[={20}\] Squares: 40 of 40 done, 0 failed, [\d.]+\/s in [\d.]+ s$/,
  );
  assertEquals(rest, [""]);
  assertMatch(
    visible(written),
    /\r␛\[K\[=+> *\] Squares: \d+ of 40 done, 0 failed, \d+ %, [\d.]+ s, [\d.]+\/s\r/,
  );
});

onTerminal(
  "has no colours if the environment has NO_COLOR",
  MAP,
  (written) => assert(!written.includes("m"), written),
);

onTerminal("has colours otherwise", MAP, (written) => {
  assertMatch(visible(written), /\[␛\[32m=+>␛\[0m +\] Squares: /);
  assertEquals(screenOf(written).length, 2);
}, { color: true });

for (
  const [columns, line] of [
    [65, /^\[={10}\] Squares: 40 of 40 done, 0 failed, /],
    [52, /^Squares: 40 of 40 done, 0 failed, [\d.]+\/s in [\d.]+ s$/],
    [25, /^Squares: 40 of 40 done$/],
    [10, /^40 of 40 $/],
    [2, /^4$/],
  ] as const
) {
  onTerminal(`fits into ${columns} columns`, MAP, (written) => {
    const lines = screenOf(written, columns);
    assertMatch(lines[0]!, line);
    assertEquals(lines.length, 2);
  }, { columns });
}

onTerminal(
  "counts where nobody knows how many there are, and what failed",
  program(`
    const inputs = function* () { yield* numbers };
    const odd = async (n) => {
      if (await square(n) % 2 === 1) throw new Error("It is odd");
    };
    await pool.map(odd, inputs(), { onProgress, settled: true });
  `),
  (written) => {
    const [line] = screenOf(written);
    assertMatch(line!, /^Squares: 40 done, 20 failed, [\d.]+\/s in [\d.]+ s$/);
    assertMatch(written, /Squares: \d+ done, \d+ failed, [\d.]+ s, [\d.]+\/s/);
  },
);

onTerminal(
  "leaves its line when an error ends the map, and begins anew for the next",
  program(`
    const bad = async (n) => {
      if (n === 30) throw new Error("It is bad");
      return await square(n);
    };
    await pool.map(bad, numbers, { onProgress }).catch(({ message }) => console.log(message));
    await pool.map(square, [1, 2], { onProgress });
  `),
  (written) => {
    const [failed, message, whole, ...rest] = screenOf(written);
    assertMatch(failed!, /^\[=+> +\] Squares: \d+ of 40 done, 1 failed, /);
    assertEquals(message, "It is bad");
    assertMatch(whole!, /^\[={20}\] Squares: 2 of 2 done, 0 failed, /);
    assertEquals(rest, [""]);
  },
);

onTerminal(
  "makes room for what worker processes print",
  program(`
    await using processes = new ProcessPoolExecutor({ maxWorkers: 1 });
    const print = async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log("has", n);
    };
    await processes.map(print, numbers, { onProgress, chunkSize: 1 });
  `),
  (written) => {
    const lines = screenOf(written);
    const printed = lines.filter((line) => line.includes("has"));
    assertEquals(printed.length, 40);
    for (const line of printed) assertMatch(line, /^\S+: has \d+$/);
    // The bar was drawn, and taken away.
    assertMatch(visible(written), /\/s\r␛\[K\S+: has/);
    assertEquals(lines.filter((line) => line.includes("Squares")).length, 1);
  },
);

onTerminal(
  "shows no character of its label that a terminal obeys",
  program(
    "await pool.map(square, [1], { onProgress });",
    "\x1b[2J\r\nSquares",
  ),
  (written) => {
    assert(!written.includes("\x1b[2J"));
    const [line] = screenOf(written);
    assertMatch(line!, /\\u\{1b\}\[2J\\u\{d\}\\u\{a\}Squares: 1 of 1 done/);
  },
);

watched("progressBar() draws nothing on what is no terminal", async () => {
  await using folder = await makeTempFolder({ "main.ts": MAP });
  const output = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-check", "--quiet", "main.ts"],
    cwd: folder.url,
    env: Deno.env.toObject(),
    timeout: 25_000,
  });
  assertEquals(output, { stdout: "", stderr: "" });
});

Deno.test("progressBar() checks its options", () => {
  for (const options of [null, "Squares", { label: 1 }, { label: null }]) {
    assertThrows(() => progressBar(options as never), TypeError);
  }
  progressBar({});
});
