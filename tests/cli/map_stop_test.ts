// `futures map` that does not get to the end: stopped, killed, nobody reads it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  FUNCTIONS,
  futures,
  startFutures,
} from "../helpers/futures_command.ts";
import { Listener } from "../helpers/listener.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** Holds at 2000, with earlier results written. */
const HELD = ["map", `${FUNCTIONS}#held`, "in.jsonl"];

const INPUT = Array.from({ length: 4000 }, (_, i) => `${i + 1}\n`).join("");

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Waits until a file has something in it. */
async function untilWritten(path: string): Promise<void> {
  while ((await Deno.stat(path)).size === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("futures map ends quietly when nobody reads any more, however much there is", async () => {
  const child = startFutures(["map", `${FUNCTIONS}#same`], ".");
  const input = child.stdin.getWriter();
  const line = new TextEncoder().encode("1\n".repeat(10_000));
  // It never ends by itself.
  const feeding = (async () => {
    for (;;) await input.write(line);
  })().catch(() => {});

  const output = child.stdout.getReader();
  const { value } = await output.read();
  assertEquals(value?.[0], "1".charCodeAt(0));
  await output.cancel();

  assertEquals(await new Listener(child.stderr).end(), "");
  assertEquals((await child.status).code, 0);
  await feeding;
});

Deno.test("futures map --output leaves a file whole or does not touch it", async () => {
  await using folder = await makeTempFolder({
    "in.jsonl": "1\n2\n3\nx\n5\n",
    "out.jsonl": "before\n",
  });
  const cwd = folder.path;
  const args = ["map", FUNCTIONS, "in.jsonl", "--output=out.jsonl"];

  const { stdout, stderr } = await futures(args, { cwd, code: 1 });
  assertEquals(stdout, "");
  assertStringIncludes(stderr, "out.jsonl.partial has the results so far");
  assertEquals(await Deno.readTextFile(`${cwd}/out.jsonl`), "before\n");
  assertEquals(
    await Deno.readTextFile(`${cwd}/out.jsonl.partial`),
    "2\n4\n6\n",
  );

  await Deno.writeTextFile(`${cwd}/in.jsonl`, "7\n8\n");
  assertEquals(await futures(args, { cwd }), { stdout: "", stderr: "" });
  assertEquals(await Deno.readTextFile(`${cwd}/out.jsonl`), "14\n16\n");
  assertEquals(await exists(`${cwd}/out.jsonl.partial`), false);
});

Deno.test("futures map --resume goes on where a killed run has left", async () => {
  await using folder = await makeTempFolder({ "in.jsonl": INPUT });
  const cwd = folder.path;
  const args = [...HELD, "--output=out.jsonl", "--resume"];

  const child = startFutures(args, cwd);
  await child.stdin.close();
  await new Listener(child.stderr).until("holds");
  await untilWritten(`${cwd}/out.jsonl.partial`);
  child.kill("SIGKILL");
  await child.status;
  await child.stdout.cancel();
  assertEquals(await exists(`${cwd}/out.jsonl`), false);

  // As if it had been killed in the middle of a line.
  const partial = `${cwd}/out.jsonl.partial`;
  const before = await Deno.readTextFile(partial);
  await Deno.writeTextFile(partial, "99", { append: true });
  await Deno.writeTextFile(`${cwd}/go`, "");
  const { stderr } = await futures(args, { cwd });

  assertEquals(await Deno.readTextFile(`${cwd}/out.jsonl`), INPUT);
  // What was done before was not done again.
  const held = stderr.match(/^holds/gm)?.length ?? 0;
  assert(held <= 4000 - before.split("\n").length + 1);
});

Deno.test("futures map --resume refuses an input that is shorter than what is done", async () => {
  await using folder = await makeTempFolder({
    "out.jsonl.partial": "1\n2\n3\n",
    "in.jsonl": "1\n2\n",
  });
  const { stderr } = await futures(
    ["map", FUNCTIONS, "in.jsonl", "--output=out.jsonl", "--resume"],
    { cwd: folder.path, code: 2 },
  );
  assertEquals(
    stderr,
    "futures: cannot go on after line 3: the input has 2\n",
  );
});

Deno.test({
  name: "futures map finishes what runs after Ctrl-C, and nothing else",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await makeTempFolder({
      "in.jsonl": "2000\n2001\n2002\n2003\n",
    });
    const child = startFutures([...HELD, "--workers=2"], folder.path);
    // It does not wait for the end of what it does not read either.
    const said = new Listener(child.stderr);
    await said.until("holds 2000");
    await said.until("holds 2001");
    child.kill("SIGINT");
    await said.until("finishing what runs");
    await Deno.writeTextFile(`${folder.path}/go`, "");

    assertStringIncludes(await said.end(), "futures: stopped after 2 lines");
    assertEquals(await new Listener(child.stdout).end(), "2000\n2001\n");
    assertEquals((await child.status).code, 130);
    await child.stdin.close();
  },
});

Deno.test({
  name: "futures map ends after Ctrl-C while it waits for the standard input",
  ignore: IS_WINDOWS,
  fn: async () => {
    const child = startFutures(["map", FUNCTIONS], ".");
    const input = child.stdin.getWriter();
    const output = new Listener(child.stdout);
    await input.write(new TextEncoder().encode("1\n2\n"));
    // The results are there, though the input has not ended.
    await output.until("2\n4\n");
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    assertEquals(await output.end(), "2\n4\n");
    await child.stderr.cancel();
    await input.close().catch(() => {});
  },
});

Deno.test({
  name: "futures map ends at once after a second Ctrl-C",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await makeTempFolder({ "in.jsonl": "2000\n2001\n" });
    const child = startFutures(HELD, folder.path);
    const said = new Listener(child.stderr);
    await said.until("holds 2000");
    child.kill("SIGINT");
    await said.until("finishing what runs");
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    assertEquals(await new Listener(child.stdout).end(), "");
    await said.end();
    await child.stdin.close().catch(() => {});
  },
});
