/**
 * This package as it is in a worker that has been sent a great many items: a
 * copy of it in which positions begin at another number than 0. No worker lives
 * so long in a test, and nothing of the package is there for tests alone.
 *
 * @module
 */

/** Where the position of the first item is said, and how often. */
const BEGINNINGS: readonly [file: string, text: string][] = [
  ["executors/pool/host/ledger.ts", "\n  head = 0;\n"],
  ["executors/pool/host/ledger.ts", "\n  tail = 0;\n"],
  ["executors/pool/host/validator.ts", "\n  #reported = 0;\n"],
  ["executors/pool/process/announced_slots.ts", "\n  #tail = 0;\n"],
  ["executors/pool/process/announced_slots.ts", "\n  #head = 0;\n"],
  ["executors/pool/process/announced_slots.ts", "\n  #unsent = 0;\n"],
  ["executors/pool/process/main.ts", "\n  #tail = 0;\n"],
  ["executors/pool/worker/loop.ts", "\n  #position = 0;\n"],
  ["executors/pool/worker/report.ts", "\n  #reported = 0;\n"],
];

/** The files of such a package, by their names. */
export async function packageFrom(
  position: number,
): Promise<Record<string, string>> {
  const root = new URL("../../../", import.meta.url);
  const files: Record<string, string> = {};
  files["mod.ts"] = await Deno.readTextFile(new URL("mod.ts", root));
  await readFolder("executors/");
  for (const [file, text] of BEGINNINGS) {
    const parts = files[file]?.split(text) ?? [];
    if (parts.length !== 2) {
      throw new Error(`Where does ${file} say the first position?`);
    }
    files[file] = parts.join(text.replace("0", `${position}`));
  }
  return files;

  async function readFolder(folder: string): Promise<void> {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
      const path = `${folder}${name}`;
      if (!isFile) await readFolder(`${path}/`);
      else files[path] = await Deno.readTextFile(new URL(path, root));
    }
  }
}
