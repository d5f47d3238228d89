/**
 * Keeps bundles in files of a node, from which its workers load them.
 *
 * ```text
 * hash ──► is there a file of this name with this hash? ──► its address
 *             │ no                                             ▲
 *             └──► fetch ──► has this hash? ──► write, rename ─┘
 * ```
 *
 * Names of files are made of hashes alone, and only the user of the node may
 * write there: what has a hash is what was sent under it.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { TaskNotFoundError } from "../../errors.ts";
import { absolutePath } from "../../runtime/file_path.ts";
import { because } from "../../text.ts";
import { hashOf } from "./hash.ts";
import { userCacheFolder } from "./user_cache.ts";

/** Only the user of the node reads and writes here. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Others may write. */
const OPEN_MODE = 0o022;

/** A bundle that no node has begun to use for so long, in milliseconds, is removed when one starts. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** The files that are written here: bundles, and unfinished ones. */
const OWN = /^[0-9a-f]{64}\.mjs(\.[0-9a-f-]{36})?$/;

/** The bundles that a node keeps. */
export class CodeCache implements Disposable {
  /** What the user has named. */
  readonly #wished: string | undefined;
  /** The folder, once it is there. */
  #folder: Promise<string> | undefined;
  /** The folder that goes with this cache. */
  #temporary: string | undefined;
  /** What files were like as their hashes were looked at. */
  readonly #known = new Map<string, string>();
  /** Those that are being looked at, or fetched. */
  readonly #asked = new Map<string, Promise<string>>();

  /**
   * Makes a cache; the folder is made with the first bundle.
   *
   * @param folder The folder; by default one of its own where the user of the
   * node has caches, or else a temporary one.
   */
  constructor(folder?: string) {
    this.#wished = folder;
  }

  /**
   * The address of a bundle, which is fetched if it is not here.
   *
   * @param hash Its SHA-256, in hexadecimal digits.
   * @param fetch Fetches its bytes.
   * @throws {TaskNotFoundError} If what comes has another hash, or if it cannot be kept.
   */
  get(hash: string, fetch: () => Promise<Uint8Array>): Promise<string> {
    const get = () => this.#get(hash, fetch);
    // Whoever the other one fetches from may not have it any more.
    const asked = (this.#asked.get(hash)?.catch(get) ?? get()).finally(() => {
      if (this.#asked.get(hash) === asked) this.#asked.delete(hash);
    });
    this.#asked.set(hash, asked);
    return asked;
  }

  /** Removes the folder, if it was a temporary one. */
  [Symbol.dispose](): void {
    if (this.#temporary === undefined) return;
    try {
      Deno.removeSync(this.#temporary, { recursive: true });
    } catch {
      // Somebody has removed it already.
    }
    this.#temporary = undefined;
  }

  async #get(hash: string, fetch: () => Promise<Uint8Array>): Promise<string> {
    const folder = await this.#choose();
    // A package.json further up says what .js means, but not what this does.
    const path = `${folder}/${hash}.mjs`;
    if (!await this.#has(path, hash)) {
      const bytes = new Uint8Array(await fetch());
      if (await hashOf(bytes) !== hash) {
        throw new TaskNotFoundError(
          "What came as the code of a task is not what was announced",
        );
      }
      // Somebody may have removed it meanwhile.
      await openFolder(folder);
      await write(path, bytes);
      this.#known.set(hash, identityOf(await Deno.stat(path)));
    }
    return pathToFileURL(path).href;
  }

  /** Whether a file has the bytes with this hash. */
  async #has(path: string, hash: string): Promise<boolean> {
    try {
      const identity = identityOf(await Deno.stat(path));
      if (this.#known.get(hash) === identity) return true;
      if (await hashOf(await Deno.readFile(path)) !== hash) return false;
      // So that it is not removed as old; who may only read here removes nothing.
      const now = new Date();
      await Deno.utime(path, now, now).catch(() => {});
      this.#known.set(hash, identityOf(await Deno.stat(path)));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  #choose(): Promise<string> {
    if (this.#folder === undefined) {
      this.#folder = this.#open();
      // Its user may mend that.
      this.#folder.catch(() => this.#folder = undefined);
    }
    return this.#folder;
  }

  async #open(): Promise<string> {
    if (this.#wished !== undefined) {
      return await openCache(absolutePath(this.#wished));
    }
    const folder = userCacheFolder();
    try {
      if (folder !== undefined) return await openCache(folder);
    } catch {
      // It may be read-only, for one.
    }
    try {
      return this.#temporary = await Deno.makeTempDir({ prefix: "futures-" });
    } catch (cause) {
      throw unusable("a temporary folder", cause);
    }
  }
}

async function openCache(folder: string): Promise<string> {
  await openFolder(folder);
  try {
    await removeOld(folder);
  } catch {
    // Another node does the same at this moment.
  }
  return folder;
}

async function removeOld(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!OWN.test(name)) continue;
    const path = `${folder}/${name}`;
    const { mtime } = await Deno.stat(path);
    if (mtime !== null && Date.now() - mtime.getTime() > KEEP_MS) {
      await Deno.remove(path);
    }
  }
}

/** Makes a folder if it is not there, and sees to it that nobody else may write to it. */
async function openFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const { mode, uid } = await Deno.stat(folder);
    if (mode !== null && (mode & OPEN_MODE) !== 0) {
      throw new Error("Others may write there");
    }
    if (uid !== null && uid !== 0 && isOther(uid)) {
      throw new Error("It belongs to somebody else");
    }
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function unusable(folder: string, cause: unknown): TaskNotFoundError {
  return new TaskNotFoundError(
    `Cannot keep code of tasks in ${folder}${
      because(cause)
    }: start the node with another cache`,
    { cause },
  );
}

/** Whether that is not the user of this program, if it can tell. */
function isOther(uid: number): boolean {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "uid" });
  return state === "granted" && Deno.uid() !== uid;
}

/** What a file is not like any more when somebody has written it. */
function identityOf({ ino, size, mtime }: Deno.FileInfo): string {
  return `${ino} ${size} ${mtime?.getTime()}`;
}

/** Writes a file so that nobody sees half of it, and it has its name only when it is whole. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(unfinished, bytes, {
      createNew: true,
      mode: FILE_MODE,
    });
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
}
