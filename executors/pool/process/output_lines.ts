/**
 * Shows what the tasks of a worker process print, line by line, with the name of
 * the worker before each line.
 *
 * @module
 */

import { makeRoom } from "../../progress/status_line.ts";
import { writeStandardError } from "./standard_error.ts";

/** How many characters of an unfinished line are held back at most. */
const LONGEST_LINE = 8192;

/** All that hold back an unfinished line. */
const unfinished = new Set<OutputLines>();

/** The events that come before a program ends which does not wait for its workers. */
const LAST_EVENTS = ["unload", "error", "unhandledrejection"];

let attended = false;

/** Has unfinished lines written when the program ends. */
function attendEnd(): void {
  if (attended) return;
  attended = true;
  const finish = () => {
    for (const lines of unfinished) lines.finish();
  };
  for (const event of LAST_EVENTS) addEventListener(event, finish);
}

/** Passes the lines of one stream of a worker on to the standard error stream of this program. */
export class OutputLines {
  readonly #name: string;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #line = "";

  constructor(name: string) {
    this.#name = name;
  }

  /** Some bytes of text have arrived. */
  push(bytes: Uint8Array): void {
    this.#line += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#line.split("\n");
    this.#line = lines.pop()!;
    if (this.#line.length > LONGEST_LINE) {
      lines.push(this.#line);
      this.#line = "";
    }
    if (lines.length > 0) this.#write(lines);
    if (this.#line === "") unfinished.delete(this);
    else if (!unfinished.has(this)) {
      unfinished.add(this);
      attendEnd();
    }
  }

  /** Writes a line that was held back as if it had ended. */
  finish(): void {
    unfinished.delete(this);
    if (this.#line === "") return;
    const line = this.#line;
    this.#line = "";
    this.#write([line]);
  }

  /** The stream has ended. */
  end(): void {
    this.#line += this.#decoder.decode();
    this.finish();
  }

  #write(lines: readonly string[]): void {
    const text = lines.map((line) => `${this.#name}: ${line}\n`).join("");
    try {
      makeRoom();
      // The present method: a program that replaces it wants to see this text.
      const write = (bytes: Uint8Array) => Deno.stderr.writeSync(bytes);
      writeStandardError(this.#encoder.encode(text), write);
    } catch {
      // Nobody reads the stream any more.
    }
  }
}
