// The standard input of a worker process whose messages have to stay there: a
// program that a task starts does not get it, whichever way Deno starts it.

import { assertEquals } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const STANDARD_INPUT =
  new URL("../../executors/pool/process/standard_input.ts", import.meta.url)
    .href;

/** Ways to start `cat` which resolve to what that finds, as expressions. */
const STARTS: Record<string, string> = {
  "new Deno.Command().spawn()":
    `new Deno.Command("cat", { stdout: "piped" }).spawn().output()`,
  "new Deno.Command().output()":
    `new Deno.Command("cat", { stdin: "inherit" }).output()`,
  "new Deno.Command().outputSync()":
    `new Deno.Command("cat", { stdin: "inherit" }).outputSync()`,
  "Deno.spawn() with options":
    `Deno.spawn("cat", { stdout: "piped" }).output()`,
  "Deno.spawn() with arguments":
    `Deno.spawn("cat", ["-u"], { stdout: "piped" }).output()`,
  "Deno.spawnAndWait()": `Deno.spawnAndWait("cat", { stdin: "inherit" })`,
  "Deno.spawnAndWaitSync()":
    `Deno.spawnAndWaitSync("cat", ["-u"], { stdin: "inherit" })`,
};

/** Runs a program that has hidden its input, in which there is a line, and tells what it prints. */
async function runHidden(program: string): Promise<string> {
  await using folder = await makeTempFolder({
    "main.js": `import { hideInput } from "${STANDARD_INPUT}";
      hideInput();
      ${program}
    `,
  });
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "main.js"],
    cwd: folder.path,
    env: Deno.env.toObject(),
    stdin: "messages\n",
    timeout: 20_000,
  });
  return stdout;
}

for (const [way, start] of Object.entries(STARTS)) {
  const [, name] = way.match(/^Deno\.(\w+)/) ?? [];
  Deno.test({
    name: `hideInput() keeps what ${way} starts from the messages`,
    ignore: Deno.build.os === "windows" ||
      name !== undefined && !(name in Deno),
    fn: async () => {
      const found = await runHidden(`
        const { stdout } = await ${start};
        console.log(new TextDecoder().decode(stdout) || "nothing");
      `);
      assertEquals(found, "nothing\n");
    },
  });
}

Deno.test({
  name:
    "hideInput() leaves the text that a task gives a program of Deno.spawn()",
  ignore: Deno.build.os === "windows" || !("spawn" in Deno),
  fn: async () => {
    const found = await runHidden(`
      const child = Deno.spawn("cat", [], { stdin: "piped", stdout: "piped" });
      const input = child.stdin.getWriter();
      input.write(new TextEncoder().encode("the task's own"));
      input.close();
      console.log(new TextDecoder().decode((await child.output()).stdout));
    `);
    assertEquals(found, "the task's own\n");
  },
});

Deno.test({
  name:
    "hideInput() leaves Deno.spawn() to refuse arguments that are given twice",
  ignore: !("spawn" in Deno),
  fn: async () => {
    const found = await runHidden(`
      try {
        Deno.spawn("cat", ["-u"], { args: ["-n"] });
      } catch (error) {
        console.log(error.name);
      }
    `);
    assertEquals(found, "TypeError\n");
  },
});
