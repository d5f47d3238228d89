/**
 * How nodes find the functions of a client: described once, and bundles stored
 * once, for as long as the server keeps them.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import type { AnyFunction } from "../../task.ts";
import type { Described } from "../code/describe.ts";
import type { Code } from "../messages.ts";
import { BUNDLES, type Parts } from "../parts.ts";

/** The server forgets what is an hour old: a bundle is stored again long before. */
const STORED_MS = 1_800_000;

/** What could not be stored is described, and stored, again after so long. */
const AGAIN_MS = 250;

/** What is known of one function. */
interface Entry {
  code?: Code;
  error?: unknown;
  failed: boolean;
  /** After this, it has to be described again. */
  until: number;
}

/** The functions of one client. */
export class Codes {
  readonly #client: string;
  readonly #describe: (fn: AnyFunction) => Described | Promise<Described>;
  readonly #ready: () => void;
  readonly #entries = new Map<number, Entry>();
  /** Whether something of the client is stored with the server. */
  stored = false;

  /**
   * Knows no function yet.
   *
   * @param client The name of the client.
   * @param describe Describes a function.
   * @param ready Called when a function that was asked for in vain is known.
   */
  constructor(
    client: string,
    describe: (fn: AnyFunction) => Described | Promise<Described>,
    ready: () => void,
  ) {
    this.#client = client;
    this.#describe = describe;
    this.#ready = ready;
  }

  /**
   * How nodes find a function; `undefined` while that is being found out.
   *
   * @param id The number of the function.
   * @param fn The function.
   * @param parts Where bundles are stored.
   * @throws What keeps nodes from finding it; the next call tries again.
   */
  find(id: number, fn: AnyFunction, parts: Parts): Code | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.until < monotonicTime()) {
      const made: Entry = { failed: false, until: Infinity };
      this.#entries.set(id, made);
      this.#fill(made, fn, parts);
      return made.code;
    }
    if (!entry.failed) return entry.code;
    this.#entries.delete(id);
    throw entry.error;
  }

  /** The server has lost what was stored, or is another one. */
  forgetStored(): void {
    for (const [id, { code }] of this.#entries) {
      if (code === undefined || code.kind === "bundle") {
        this.#entries.delete(id);
      }
    }
  }

  #fill(entry: Entry, fn: AnyFunction, parts: Parts): void {
    const described = this.#describe(fn);
    // The most usual are known at once, and travel in this turn.
    if (!(described instanceof Promise) && "code" in described) {
      entry.code = described.code;
      return;
    }
    this.#store(entry, described, parts).catch((error) => {
      entry.failed = true;
      entry.error = error;
    }).finally(this.#ready);
  }

  async #store(
    entry: Entry,
    describing: Described | Promise<Described>,
    parts: Parts,
  ): Promise<void> {
    const described = await describing;
    if ("code" in described) {
      entry.code = described.code;
      return;
    }
    const { hash, name, bytes } = described;
    this.stored = true;
    const until = monotonicTime() + STORED_MS;
    try {
      const large = await parts.put(this.#client, BUNDLES, hash, bytes);
      entry.code = { kind: "bundle", hash, name, large };
      entry.until = until;
    } catch {
      // The server is full, or away, which is not the fault of the function.
      entry.until = monotonicTime() + AGAIN_MS;
    }
  }
}
