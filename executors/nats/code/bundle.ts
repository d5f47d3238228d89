/**
 * Bundles the modules of tasks, by `deno bundle`: each with all that it imports,
 * so that a node needs nothing else.
 *
 * ```text
 * module ── deno bundle, as its own project says ──► text ── its map names the
 * files of this machine ──► bytes, and their hash
 * ```
 *
 * A module is bundled when the first of its tasks is sent, once in the life of the
 * program, which goes on with the modules that it has loaded, too. The next run
 * of the program bundles what the files have then.
 *
 * @module
 */

import { TaskNotFoundError } from "../../errors.ts";
import { missingFolder, pathOf } from "../../runtime/file_path.ts";
import { because } from "../../text.ts";
import { hashOf } from "./hash.ts";

/** A module with all that it imports. */
export interface Bundle {
  /** The SHA-256 of the bytes, in hexadecimal digits. */
  readonly hash: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The bundles of this program, by the addresses of their modules: all executors have them in common. */
const bundles = new Map<string, Promise<Bundle>>();

/** How much of what `deno bundle` says is repeated. */
const MAX_SAID = 2000;

/**
 * The flag with which esbuild keeps the names of functions: without, `function
 * age` may come out as `age2` (esbuild #1692).
 */
const KEEP_NAMES = "--keep-names";

/** What comes in front of the map of the source, at the end of a bundle. */
const MAP = "\n//# sourceMappingURL=data:application/json;base64,";

/**
 * Bundles a module.
 *
 * @param module Its address, a `file:` URL.
 * @throws {TaskNotFoundError} If that cannot be done; the message says why.
 */
export function bundleOf(module: string): Promise<Bundle> {
  let bundle = bundles.get(module);
  if (bundle === undefined) {
    bundles.set(module, bundle = makeBundle(module));
    // What was missing, such as the network, may be there another time.
    bundle.catch(() => bundles.delete(module));
  }
  return bundle;
}

async function makeBundle(module: string): Promise<Bundle> {
  const text = await runBundler(module);
  const bytes = new TextEncoder().encode(withAddresses(text, module));
  return { hash: await hashOf(bytes), bytes };
}

async function runBundler(module: string): Promise<string> {
  const command = Deno.execPath();
  const path = pathOf(new URL(module));
  const refuse = (why: string, todo: string, cause?: unknown) =>
    new TaskNotFoundError(
      `Cannot bundle ${module} for nodes: ${why}: ${todo}`,
      { cause },
    );
  const { state } = await Deno.permissions.query({ name: "run", command });
  if (state !== "granted") {
    throw refuse(
      `that starts ${command}`,
      `give the program --allow-run=${command}`,
    );
  }
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, {
      args: [...FLAGS, ...(keepsNames() ? [KEEP_NAMES] : []), path],
      // Deno takes the configuration of the folder that it runs in, and of
      // those around it: here, the project that the module belongs to.
      cwd: new URL(".", module),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
    }).output();
  } catch (cause) {
    throw refuse(
      `cannot start ${command}${because(missingFolder(cause) ?? cause)}`,
      `look whether \`deno bundle ${path}\` works`,
      cause,
    );
  }
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  throw refuse(
    saidBy(decoder.decode(output.stderr)),
    `look whether \`deno bundle ${path}\` works there; a task goes with all that its module imports, so let that be little`,
  );
}

/** The command, and what has it print a bundle and leave no file anywhere. */
const FLAGS = [
  "bundle",
  "--quiet",
  "--no-lock",
  "--node-modules-dir=none",
  "--vendor=false",
  // The program has loaded the same modules already, wherever they come from.
  "--allow-import",
  "--sourcemap=inline",
] as const;

/** Whether this Deno has {@linkcode KEEP_NAMES}. */
function keepsNames(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || minor > 6;
}

/**
 * Has the map of a bundle name the files of this machine, wherever the bundle
 * will be: stack traces tell them. Their text is left out.
 */
function withAddresses(text: string, module: string): string {
  const at = text.lastIndexOf(MAP);
  if (at < 0) return text;
  const map = JSON.parse(atobText(text.slice(at + MAP.length)));
  const sources = (map.sources as string[]).map((source) =>
    URL.parse(source, new URL(".", module))?.href ?? source
  );
  const { sourcesContent: _, ...rest } = map;
  return `${text.slice(0, at)}${MAP}${
    btoaText(JSON.stringify({ ...rest, sources }))
  }\n`;
}

function atobText(base64: string): string {
  const bytes = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function btoaText(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

/** What the bundler says, on one line, and without characters that a terminal obeys. */
function saidBy(output: string): string {
  return output.replace(/[\s\p{C}]+/gu, " ").trim().slice(0, MAX_SAID);
}
