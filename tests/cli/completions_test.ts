// `futures completions`, asked the way shells ask.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../cli/commands.ts";
import { futures } from "../helpers/futures_command.ts";
import { runCommand } from "../helpers/run_command.ts";

/** What comes behind `futures`, up to the cursor, and what is there to choose. */
const QUESTIONS: [words: string[], answer: string[]][] = [
  [["m"], ["map"]],
  [["--work"], ["--workload", "--workers", "--work"]],
  [["bench", "--ex"], ["--executors"]],
  [["bench", "--executors", "n"], ["nats"]],
  [["bench", "--o"], ["--on"]],
  [["--tls-c"], ["--tls-ca", "--tls-cert"]],
  [["map", "--ex"], ["--executor"]],
  [["map", "--executor", ""], ["worker", "process", "promise"]],
  [["map", "--on-error", "s"], ["stop", "skip"]],
  [["map", "--raw", "--on-error", "r"], ["report"]],
  [["help", "c"], ["completions"]],
  [["s"], ["serve"]],
  [["serve", "--executor", ""], ["worker", "process", "promise"]],
  [["nodes", "--w"], ["--watch"]],
  [["map", "--tls-"], ["--tls-ca", "--tls-cert", "--tls-key"]],
  [["completions", "z"], ["zsh"]],
];

const ASK_BASH = `
COMP_WORDS=(futures "$@")
COMP_CWORD=$#
_futures
printf '%s\\n' "\${COMPREPLY[@]}"`;

async function script(shell: string): Promise<string> {
  const { stdout } = await futures(["completions", shell]);
  return stdout;
}

/** Runs a shell without the user's settings. */
async function run(
  shell: string,
  args: string[],
  text: string,
): Promise<string> {
  const { stdout } = await runCommand(shell, {
    args: ["-c", text, ...args],
    cwd: ".",
    env: { PATH: Deno.env.get("PATH")!, HOME: "/nonexistent", TERM: "dumb" },
    timeout: 30_000,
  });
  return stdout;
}

function isInstalled(shell: string): boolean {
  try {
    return new Deno.Command(shell, { args: ["-c", "true"] }).outputSync()
      .success;
  } catch {
    return false;
  }
}

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`futures completions ${shell} knows every command and option`, async () => {
    const text = await script(shell);
    for (const { name, options } of COMMANDS) {
      assertStringIncludes(text, name);
      for (const option of Object.keys(options)) {
        assertStringIncludes(text, option);
      }
    }
  });
}

Deno.test({
  name: "futures completions bash completes commands, options and values",
  ignore: !isInstalled("bash"),
  fn: async () => {
    const text = await script("bash");
    const ask = async (...words: string[]) =>
      (await run("bash", ["bash", ...words], text + ASK_BASH)).trim();
    for (const [words, answer] of QUESTIONS) {
      assertEquals((await ask(...words)).split("\n"), answer);
    }
    // As bash cuts --executor=w.
    assertEquals(await ask("map", "--executor", "=", "w"), "worker");
    // That is left to bash, which knows the files.
    assertEquals(await ask("map", "--output", "o"), "");
    assertEquals(await ask("map", "module"), "");
  },
});

Deno.test({
  name: "futures completions fish completes commands, options and values",
  ignore: !isInstalled("fish"),
  fn: async () => {
    const text = await script("fish");
    for (const [words, answer] of QUESTIONS) {
      const line = ["futures", ...words].join(" ");
      const found = await run(
        "fish",
        [],
        `${text}\ncomplete -C '${line}'`,
      );
      const names = found.trim().split("\n").map((it) => it.split("\t")[0]!);
      assertEquals(names.toSorted(), answer.toSorted(), line);
    }
  },
});

Deno.test({
  name: "futures completions zsh is a script that zsh can read",
  ignore: !isInstalled("zsh"),
  fn: async () => {
    const text = await script("zsh");
    // Nothing runs inside a function that is not called.
    assertEquals(await run("zsh", [], `unread() {\n${text}\n}`), "");
  },
});

for (const args of [[], ["csh"], ["bash", "zsh"]]) {
  Deno.test(`futures completions ${args.join(" ")} is refused in one line`, async () => {
    const { stdout, stderr } = await futures(["completions", ...args], {
      code: 2,
    });
    assertEquals(stdout, "");
    assertEquals(
      stderr,
      `futures: completions takes one of bash, zsh, fish: received "${
        args.join(" ")
      }"\n`,
    );
  });
}
