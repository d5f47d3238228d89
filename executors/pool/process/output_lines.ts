/**
 * What the tasks of a worker process print.
 *
 * @module
 */

import { writeStandardError } from "./standard_error.ts";

/** Text without an end of line is held back up to so many characters. */
const LONGEST_LINE = 8192;

/** Those with text that has been held back. */
const unfinished = new Set<OutputLines>();

/** What is heard before a program ends that does not wait for its workers. */
const LAST_EVENTS = ["unload", "error", "unhandledrejection"];

let attended = false;

/** Writes what has been held back, as nobody will end the lines. */
function attendEnd(): void {
  if (attended) return;
  attended = true;
  const finish = () => {
    for (const lines of unfinished) lines.finish();
  };
  for (const event of LAST_EVENTS) addEventListener(event, finish);
}

/** Passes lines on to the standard error stream of this program, each with the name of the worker. */
export class OutputLines {
  readonly #name: string;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #line = "";

  constructor(name: string) {
    this.#name = name;
  }

  /** Some of the text has arrived. */
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

  /** Ends a line that was held back. */
  finish(): void {
    unfinished.delete(this);
    if (this.#line === "") return;
    const line = this.#line;
    this.#line = "";
    this.#write([line]);
  }

  /** Nothing follows. */
  end(): void {
    this.#line += this.#decoder.decode();
    this.finish();
  }

  #write(lines: readonly string[]): void {
    const text = lines.map((line) => `${this.#name}: ${line}\n`).join("");
    try {
      // As the program has it now, which may want to see this.
      const write = (bytes: Uint8Array) => Deno.stderr.writeSync(bytes);
      writeStandardError(this.#encoder.encode(text), write);
    } catch {
      // Nobody reads it any more.
    }
  }
}
