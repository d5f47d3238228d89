// tools/release.ts: what a release consists of.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TARGETS, writeChecksums } from "../../tools/release.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

Deno.test("writeChecksums() tells the digest of each archive", async () => {
  await using folder = await makeTempFolder({
    "b.tar.gz": "abc",
    "a.tar.gz": "",
    "notes.txt": "",
  });
  await writeChecksums(folder.url);
  assertEquals(
    await Deno.readTextFile(new URL("SHA256SUMS", folder.url)),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.tar.gz\n" +
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b.tar.gz\n",
  );
});

Deno.test("release.ts says for which machines it compiles", async () => {
  const { stderr } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", "tools/release.ts", "riscv64-unknown-linux-gnu"],
    cwd: new URL("../../", import.meta.url),
    env: Deno.env.toObject(),
    code: 2,
    timeout: 20_000,
  });
  for (const target of TARGETS) assertStringIncludes(stderr, target);
});
