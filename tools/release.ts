// Compiles cli.ts for every kind of machine that releases are for, into
// dist/release/: an archive for each, and SHA256SUMS with their digests.
//
//   deno task release
//   deno task release x86_64-pc-windows-msvc
//
// Each archive holds one file, so that the program is still one that can be run
// when it has been downloaded.

import { compile } from "./compile.ts";

/** The kinds of machines, as `deno compile` calls them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const ROOT = new URL("../", import.meta.url);
const RELEASE = "dist/release";

if (import.meta.main) {
  const targets = Deno.args.length > 0 ? Deno.args : TARGETS;
  const unknown = targets.find((name) => !TARGETS.some((it) => it === name));
  if (unknown !== undefined) {
    console.error(`Expected ${TARGETS.join(" or ")}: got "${unknown}"`);
    Deno.exit(2);
  }
  const folder = new URL(`${RELEASE}/`, ROOT);
  await Deno.mkdir(folder, { recursive: true });
  for (const target of targets) await release(target);
  await writeChecksums(folder);
}

/** Makes the archive for a kind of machine. */
async function release(target: string): Promise<void> {
  const name = target.includes("windows") ? "futures.exe" : "futures";
  const folder = `dist/${target}`;
  const code = await compile({ output: `${folder}/${name}`, target });
  if (code !== 0) Deno.exit(code);
  const archive = `${RELEASE}/futures-${target}.tar.gz`;
  const { success } = await new Deno.Command("tar", {
    args: ["-czf", archive, "-C", folder, name],
    cwd: ROOT,
  }).spawn().status;
  if (!success) Deno.exit(1);
}

/**
 * Writes SHA256SUMS, as `sha256sum --check` reads it, for the archives in a
 * folder.
 *
 * @param folder The folder, with a slash at the end.
 */
export async function writeChecksums(folder: URL): Promise<void> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".tar.gz")) continue;
    const bytes = await Deno.readFile(new URL(name, folder));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(
      digest,
      (byte) => byte.toString(16).padStart(2, "0"),
    );
    lines.push(`${hex.join("")}  ${name}\n`);
  }
  lines.sort((a, b) => a.slice(64) < b.slice(64) ? -1 : 1);
  await Deno.writeTextFile(new URL("SHA256SUMS", folder), lines.join(""));
}
