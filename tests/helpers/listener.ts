// Hears what a program says while it runs.

/** What a program says on a stream, as it says it. */
export class Listener {
  /** What it has said so far. */
  text = "";
  readonly #reader: ReadableStreamDefaultReader<string>;

  /** Listens to a stream. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until it has said that. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`Expected "${text}", got "${this.text}"`);
      this.text += value;
    }
  }

  /** Waits until it says no more. */
  async end(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return this.text;
      this.text += value;
    }
  }
}
