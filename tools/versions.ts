// Runs the tests of the executors on other versions of Deno than the one at
// hand, one after another, and says at the end on which of them they failed:
//
//   deno run -A tools/with_jsr.ts run -A tools/versions.ts all
//   deno run -A tools/with_jsr.ts run -A tools/versions.ts workers 2.4.2 2.5.6
//
// Without versions, on one of each minor release that this project supports.
//
// A test file says in the last line of its first comment, as "// @group workers",
// to which of the GROUPS it belongs, if to any.

import { installDeno } from "./npm.ts";

/** One version of each minor release, the oldest that is supported first. */
export const VERSIONS = [
  "2.4.2",
  "2.5.6",
  "2.6.8",
  // This version differs from those around it: a fork that fails throws at once, for one.
  "2.7.9",
  "2.8.3",
  "2.9.6",
] as const;

const ROOT = new URL("../", import.meta.url);
const FOLDER = "tests/executors";

/** The groups of test files, and what they are about. */
const GROUPS = {
  processes: "what only processes do",
  workers:
    "how workers start, how they end, and what they may: where versions differ most",
} as const;

/** The name of a group. */
export type Group = keyof typeof GROUPS;

/** The runs of `deno test`: each element has the arguments of one. */
type Selection = () => string[][];

/** The selections of tests, by name. */
const SELECTIONS: Readonly<Record<string, Selection>> = {
  /** All tests. */
  all: () => [[FOLDER]],
  /**
   * A sixth of the time of all. Of the files about workers, behaviours that every
   * kind of executor has are tested with promises and threads, and with processes
   * only those that no other has.
   */
  workers: () => [
    ["--filter", otherThan("Process"), ...filesOf("workers")],
    filesOf("processes"),
  ],
};

/** One selection on some versions. */
interface Plan {
  readonly selection: string;
  readonly versions: readonly string[];
}

if (import.meta.main) {
  const plan = readPlan(Deno.args);
  if (plan === undefined) {
    const names = Object.keys(SELECTIONS).join(" or ");
    console.error(
      `Expected ${names}, and versions: got "${Deno.args.join(" ")}"`,
    );
    Deno.exit(2);
  }
  Deno.exit(await test(plan));
}

/** The plan that the arguments name; `undefined` if they make no sense. */
function readPlan(
  [selection = "", ...versions]: readonly string[],
): Plan | undefined {
  if (!Object.hasOwn(SELECTIONS, selection)) return undefined;
  if (!versions.every((version) => /^\d+\.\d+\.\d+$/.test(version))) {
    return undefined;
  }
  return { selection, versions: versions.length > 0 ? versions : VERSIONS };
}

/** Runs a plan; resolves to the exit code: 1 if a test failed on any version. */
async function test({ selection, versions }: Plan): Promise<number> {
  const failed = new Set<string>();
  for (const version of versions) {
    const program = await installDeno(version);
    const runs = SELECTIONS[selection]!();
    for (const [i, args] of runs.entries()) {
      console.log(
        `\nDeno ${version}, ${selection}, run ${i + 1} of ${runs.length}`,
      );
      const { success } = await new Deno.Command(program, {
        // Types are checked where the tests run on the newest version.
        args: ["test", "-A", "--no-check", ...args],
        cwd: ROOT,
      }).spawn().status;
      if (!success) failed.add(version);
    }
  }
  const tried = versions.join(", ");
  console.log(
    failed.size === 0
      ? `\nNo failures on Deno ${tried}`
      : `\nFailures on Deno ${[...failed].join(", ")}`,
  );
  return failed.size === 0 ? 0 : 1;
}

/**
 * Finds the test files of a group, in alphabetical order.
 *
 * @param group The group.
 * @returns Their paths from the root of this project.
 */
export function filesOf(group: Group): string[] {
  return [...Deno.readDirSync(new URL(FOLDER, ROOT))]
    .filter(({ name }) => name.endsWith("_test.ts"))
    .map(({ name }) => `${FOLDER}/${name}`)
    .filter((path) =>
      groupOf(Deno.readTextFileSync(new URL(path, ROOT))) === group
    )
    .sort();
}

/**
 * Finds the group of a test file.
 *
 * @param source The text of the file.
 * @returns The name; `undefined` if the file belongs to none.
 * @throws {Error} If there is no such group.
 */
export function groupOf(source: string): Group | undefined {
  const mark = "// @group ";
  const [comment = ""] = source.split("\n\n", 1);
  const group = comment.split("\n").find((line) => line.startsWith(mark))
    ?.slice(mark.length);
  if (group !== undefined && !Object.hasOwn(GROUPS, group)) {
    throw new Error(
      `Expected the group ${Object.keys(GROUPS).join(" or ")}: got "${group}"`,
    );
  }
  return group as Group | undefined;
}

/**
 * Makes a filter for tests whose names do not begin with a word. Deno's filters
 * know no "not", so this one names the letter of the word at which a name
 * differs.
 */
export function otherThan(word: string): string {
  const others = [...word].map((letter, i) =>
    `${word.slice(0, i)}($|[^${letter}])`
  );
  return `/^(${others.join("|")})/`;
}
