/**
 * A process of the chaos: a node, or a client.
 *
 * @module
 */

/** Processes that have not ended; none outlives the test run. */
const running = new Set<Deno.ChildProcess>();
addEventListener("unload", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program in this folder that runs. */
export class Program {
  /** Resolves when it has written something. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** What it has written to its error stream. */
  log = "";
  readonly #child: Deno.ChildProcess;
  #isFrozen = false;

  constructor(name: string, args: readonly string[]) {
    const path = new URL(name, import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", path, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    running.add(child);
    this.#child = child;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    const read = Promise.all([
      readAll(child.stdout, () => ready.resolve()),
      readAll(child.stderr, (text) => this.log += text),
    ]);
    this.ended = Promise.all([child.status, read]).then(() => {
      running.delete(child);
      ready.resolve();
    });
  }

  /** Whether it has not ended. */
  get isRunning(): boolean {
    return running.has(this.#child);
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Has the system stop it, and its connections stay. */
  freeze(): void {
    this.#isFrozen = true;
    this.#signal("SIGSTOP");
  }

  /** It goes on after {@linkcode freeze}. */
  thaw(): void {
    this.#isFrozen = false;
    this.#signal("SIGCONT");
  }

  /** Asks it to end. */
  terminate(): void {
    this.#signal("SIGTERM");
  }

  /** Has a node say what its workers do. */
  describe(): void {
    this.#signal("SIGUSR2");
  }

  /** Ends it. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has just ended.
    }
  }
}

async function readAll(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  hear: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    hear(text);
  }
}
