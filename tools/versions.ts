// Runs the tests of the executors on other versions of Deno than the one at
// hand, one after another, and says at the end on which of them they failed:
//
//   deno run -A tools/with_jsr.ts run -A tools/versions.ts all
//   deno run -A tools/with_jsr.ts run -A tools/versions.ts core 2.4.2 2.5.6
//
// Without versions, it is one of each minor release that this project supports.

import { installDeno } from "./npm.ts";

/** One version of each minor release, the oldest that is supported first. */
export const VERSIONS = [
  "2.4.2",
  "2.5.6",
  "2.6.8",
  // Unlike those around it: a fork that fails throws at once, for one.
  "2.7.9",
  "2.8.3",
  "2.9.6",
] as const;

const FOLDER = "tests/executors";

/** What `deno test` is to run: each element is the arguments of one run. */
type Selection = () => string[][];

/** What only processes do. */
const PROCESS_FILES = /^process_\w+_test\.ts$/;

/** How workers start, how they end, and what they may: where versions differ most. */
const WORKER_FILES =
  /^(crash|exit_at_load|initializer|permissions|start\w*|terminate|worker_\w+)_test\.ts$/;

/** The same many times, or at random: they try this package more than they try Deno. */
const LONG_FILES = /^(chaos|many_\w+|\w+_model)_test\.ts$/;

/** Which tests there are to choose from. */
const SELECTIONS: Record<string, Selection> = {
  /** Every test there is. */
  all: () => [[FOLDER]],
  /**
   * A third of the time of all: behaviours that every kind of executor
   * has are tested with promises and threads, and of processes what only they
   * do, which is what the files are about whose names begin with `process_`.
   */
  core: () => [
    [
      "--filter",
      otherThan("Process"),
      `--ignore=${files(LONG_FILES).join()}`,
      FOLDER,
    ],
    files(PROCESS_FILES),
  ],
  /** A sixth of the time of all: as core, of the files about workers alone. */
  workers: () => [
    ["--filter", otherThan("Process"), ...files(WORKER_FILES)],
    files(PROCESS_FILES),
  ],
};

if (import.meta.main) {
  const [name = "", ...versions] = Deno.args;
  const selection = SELECTIONS[name];
  const wrong = versions.find((version) => !/^\d+\.\d+\.\d+$/.test(version));
  if (selection === undefined || wrong !== undefined) {
    const names = Object.keys(SELECTIONS).join(" or ");
    console.error(`Expected ${names}, and versions: got "${wrong ?? name}"`);
    Deno.exit(2);
  }
  Deno.exit(await testOn(versions.length > 0 ? versions : VERSIONS, selection));
}

/** Resolves to the exit code: 1 if there was a failure on any of them. */
async function testOn(
  versions: readonly string[],
  selection: Selection,
): Promise<number> {
  const failed: string[] = [];
  for (const version of versions) {
    const program = await installDeno(version);
    const runs = selection();
    for (const [i, args] of runs.entries()) {
      console.log(`\nDeno ${version}, run ${i + 1} of ${runs.length}`);
      const { success } = await new Deno.Command(program, {
        // Types are checked where the newest version runs them.
        args: ["test", "-A", "--no-check", ...args],
        cwd: new URL("../", import.meta.url),
      }).spawn().status;
      if (!success) failed.push(version);
    }
  }
  const where = [...new Set(failed)].join(", ");
  console.log(
    failed.length === 0
      ? `\nNo failures on Deno ${versions.join(", ")}`
      : `\nFailures on Deno ${where}`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** The test files with such names. */
function files(names: RegExp): string[] {
  const folder = new URL(`../${FOLDER}/`, import.meta.url);
  return [...Deno.readDirSync(folder)]
    .map(({ name }) => name)
    .filter((name) => names.test(name))
    .sort()
    .map((name) => `${FOLDER}/${name}`);
}

/**
 * A filter for tests whose names do not begin with a word. Deno's filters know
 * no "not", so it says at which letter of the word a name is another one.
 */
export function otherThan(word: string): string {
  const others = [...word].map((letter, i) =>
    `${word.slice(0, i)}($|[^${letter}])`
  );
  return `/^(${others.join("|")})/`;
}
