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

import { runBundler } from "./bundler.ts";
import { hashOf } from "./hash.ts";

/** A module with all that it imports. */
export interface Bundle {
  /** The SHA-256 of the bytes, in hexadecimal digits. */
  readonly hash: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The names of what it exports, as far as they can be told. */
  readonly exports: ReadonlySet<string> | undefined;
}

/** The bundles of this program, by the addresses of their modules: all executors have them in common. */
const bundles = new Map<string, Promise<Bundle>>();

/** What comes in front of the map of the source, at the end of a bundle. */
const MAP = "\n//# sourceMappingURL=data:application/json;base64,";

/** The exports of a bundle: esbuild has all of them in one place at its end. */
const EXPORTS = /\nexport \{\n((?: {2}.*\n)*)\};\n?$/;

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
  const end = text.lastIndexOf(MAP);
  const code = end < 0 ? text : text.slice(0, end);
  const map = end < 0
    ? ""
    : MAP + withAddresses(text.slice(end + MAP.length), module);
  const bytes = new TextEncoder().encode(`${code}${map}\n`);
  return { hash: await hashOf(bytes), bytes, exports: exportsOf(`${code}\n`) };
}

function exportsOf(code: string): ReadonlySet<string> | undefined {
  const [, list] = EXPORTS.exec(code) ?? [];
  // Names of more than ASCII are escaped.
  if (list === undefined || list.includes("\\")) return undefined;
  // "name", "variable as name", or "variable as "any text"".
  const names = list.trim().split(/,?\n/).map((line) =>
    line.trim().replace(/^\S+ as /, "").replace(/^"(.*)"$/, "$1")
  );
  return new Set(names);
}

/**
 * Has a map name the files of this machine, wherever the bundle will be: stack
 * traces tell them. Their text is left out.
 */
function withAddresses(base64: string, module: string): string {
  const bytes = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
  const map = JSON.parse(new TextDecoder().decode(bytes));
  const folder = new URL(".", module);
  const sources = (map.sources as string[]).map((source) =>
    URL.parse(source, folder)?.href ?? source
  );
  const text = JSON.stringify({ ...map, sources, sourcesContent: undefined });
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}
