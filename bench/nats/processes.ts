/**
 * The processes of one contestant, which end together.
 *
 * @module
 */

/** What a process may take to be ready. */
const START_MS = 30_000;

/** See above. */
export class Processes implements AsyncDisposable {
  readonly #children: Deno.ChildProcess[] = [];
  readonly #reading: Promise<void>[] = [];

  /** Starts a process, and waits until it has written a text. */
  async start(
    [program, ...args]: readonly string[],
    ready: string,
  ): Promise<void> {
    const child = new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.push(child);
    const isReady = Promise.withResolvers<void>();
    let log = "";
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        if (log.length < 100_000) log += text;
        if (log.includes(ready)) isReady.resolve();
      }
    };
    const fail = () =>
      isReady.reject(new Error(`${program} is not ready:\n${log}`));
    const reading = Promise.all([read(child.stdout), read(child.stderr)]);
    this.#reading.push(reading.then(fail));
    const timer = setTimeout(fail, START_MS);
    await isReady.promise.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended, as one of the nodes was to.
      }
    }
    await Promise.all(this.#children.map(({ status }) => status));
    await Promise.all(this.#reading);
  }
}
