/**
 * Which nodes there are, as a client knows by what they say.
 *
 * A node is there from its first `hello` until it says that it leaves, or is
 * known to be gone, or has said nothing for a while. One that speaks another
 * protocol is never there; a sentence says so, once.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import { printable } from "../../text.ts";
import type { Hello } from "../messages.ts";
import { PROTOCOL } from "../subjects.ts";

/** Nodes say hello every few seconds; one that has not for so long takes nothing for now. */
const SILENT_MS = 15_000;

/** So many sentences about versions are remembered, as nodes come and go for months. */
const MAX_SAID = 100;

/** A node that said hello, and when that was. */
interface Known {
  readonly hello: Hello;
  readonly heard: number;
}

/** What a client runs on. */
export interface Versions {
  readonly deno: string;
  readonly version: string;
}

/** The nodes of one pool. */
export class Presence {
  readonly #own: Versions;
  readonly #warn: (message: string) => void;
  readonly #nodes = new Map<string, Known>();
  /** What nodes that are gone were called: what they had may still be told of. */
  readonly #names = new Map<string, string>();
  readonly #said = new Set<string>();

  /**
   * Knows of no node yet.
   *
   * @param own What the client runs on.
   * @param warn Takes sentences for people.
   */
  constructor(own: Versions, warn: (message: string) => void) {
    this.#own = own;
    this.#warn = warn;
  }

  /** A node has said hello. */
  heard(hello: Hello): void {
    const { node, name, host, protocol, leaving } = hello;
    if (protocol !== PROTOCOL) {
      this.#nodes.delete(node);
      return this.#say(
        `Node ${printable(name)} on ${
          printable(host)
        } is not used: it speaks protocol ${protocol} of @concurrent/futures, and this program ${PROTOCOL}; install one version on both`,
      );
    }
    this.#names.set(node, name);
    if (leaving) {
      this.#nodes.delete(node);
      return;
    }
    this.#compare(hello);
    this.#nodes.set(node, { hello, heard: monotonicTime() });
  }

  /** A node is known to be gone, or frozen. */
  gone(node: string): void {
    this.#nodes.delete(node);
  }

  /** Nothing is known: whoever is there has to say so again. */
  clear(): void {
    this.#nodes.clear();
  }

  /** What a node is called. */
  nameOf(node: string): string {
    return this.#names.get(node) ?? node;
  }

  /** How many workers the nodes have. */
  get workers(): number {
    return this.since(monotonicTime() - SILENT_MS)
      .reduce((sum, { workers }) => sum + workers, 0);
  }

  /** The nodes that have said hello since a moment. */
  since(moment: number): Hello[] {
    return [...this.#nodes.values()]
      .filter(({ heard }) => heard >= moment)
      .map(({ hello }) => hello);
  }

  #compare({ deno, version }: Hello): void {
    const { deno: ownDeno, version: ownVersion } = this.#own;
    if (deno === ownDeno && version === ownVersion) return;
    this.#say(
      `Some nodes have Deno ${printable(deno)} and @concurrent/futures ${
        printable(version)
      }, and this program ${ownDeno} and ${ownVersion}`,
    );
  }

  #say(message: string): void {
    if (this.#said.has(message) || this.#said.size >= MAX_SAID) return;
    this.#said.add(message);
    this.#warn(message);
  }
}
