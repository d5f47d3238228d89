// docs/security.md: its program, run as it says, and its table, which names tests.

import { assert, assertEquals } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const TEXT = Deno.readTextFileSync(new URL("docs/security.md", ROOT));

/** What is in a block of code. */
function block(language: string): string {
  return new RegExp("```" + language + "\n(.*?)```", "s").exec(TEXT)![1]!;
}

Deno.test("docs/security.md shows a program that calls an upload, and is started as it says", async () => {
  await using folder = await makeTempFolder({
    "deno.json": JSON.stringify({
      imports: { "@concurrent/futures": new URL("mod.ts", ROOT) },
    }),
    "main.ts": block("ts"),
    "uploads/square.ts": `
      export default (n: number) => {
        const name = (attempt: () => unknown) => {
          try {
            return attempt();
          } catch (error) {
            return (error as Error).name;
          }
        };
        return [n * n, name(() => Deno.readTextFileSync("main.ts")), name(() => Deno.env.get("HOME"))].join();
      };
    `,
  });
  const [deno, ...args] = block("sh").trim().split(" ");
  assertEquals(deno, "deno");
  // As `deno` is found where the shell finds it.
  const path = new URL(".", `file://${Deno.execPath()}`).pathname;
  const { stdout } = await runCommand(Deno.execPath(), {
    args,
    cwd: folder.url,
    env: { ...Deno.env.toObject(), PATH: path },
    timeout: 20_000,
  });
  assertEquals(stdout, "144,NotCapable,NotCapable\n");
});

Deno.test("docs/security.md names tests that are there", async () => {
  const links = Array.from(
    TEXT.matchAll(/\]\((\.\.\/tests\/[^)]*)\)/g),
    ([, path]) => new URL(path!, new URL("docs/", ROOT)),
  );
  assert(links.length > 0);
  for (const link of links) assert((await Deno.stat(link)).isFile);
});
