/**
 * What the tasks of a worker process print.
 *
 * @module
 */

/** Text without an end of line is held back up to so many characters. */
const LONGEST_LINE = 8192;

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
  }

  /** Nothing follows. */
  end(): void {
    this.#line += this.#decoder.decode();
    if (this.#line !== "") this.#write([this.#line]);
    this.#line = "";
  }

  #write(lines: readonly string[]): void {
    const text = lines.map((line) => `${this.#name}: ${line}\n`).join("");
    const bytes = this.#encoder.encode(text);
    try {
      for (let at = 0; at < bytes.length;) {
        at += Deno.stderr.writeSync(bytes.subarray(at));
      }
    } catch {
      // Nobody reads it any more.
    }
  }
}
