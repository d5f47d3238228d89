/**
 * A NATS server of a test's own: Debian's `nats-server`, or the program that
 * the environment variable `NATS_SERVER` names, on a free loopback port, with
 * its data in a temporary folder.
 *
 * @module
 */

import { makeTempFolder, type TempFolder } from "../../helpers/temp_folder.ts";
import { watched } from "../helpers/harness.ts";

/** Debian puts programs for administrators where others do not look. */
const PROGRAM = [
  Deno.env.get("NATS_SERVER") ?? "nats-server",
  "/usr/sbin/nats-server",
].find(runs);

/** Whether there is a server to be started. */
export const HAS_NATS: boolean = PROGRAM !== undefined;

/** What a server may take to be ready, on a machine that is busy. */
const START_MS = 20_000;

/** Options of {@linkcode NatsServer.start}. */
export interface NatsServerOptions {
  /**
   * What the configuration file says, but for the port and the place of the
   * data; names of files are in the server's folder.
   */
  config?: string;
  /** What the file refers to with a dollar sign. */
  env?: Record<string, string>;
  /** Other files in that folder, by name. */
  files?: Record<string, string>;
  /**
   * Whether it has JetStream.
   *
   * @default {true}
   */
  jetstream?: boolean;
}

/** Servers that have not ended; none outlives the test run. */
const running = new Set<Deno.ChildProcess>();
addEventListener("unload", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A server that a test starts, disturbs and starts again. */
export class NatsServer implements AsyncDisposable {
  /** The port, the same after each restart. */
  readonly port: number;
  /** The folder of its files, without a slash at the end. */
  readonly folder: string;
  readonly #temp: TempFolder;
  readonly #jetstream: boolean;
  readonly #env: Record<string, string>;
  #child: Deno.ChildProcess | undefined;
  /** Resolves when all that the server has written was read. */
  #read: Promise<void> = Promise.resolve();
  #log = "";

  private constructor(
    temp: TempFolder,
    { jetstream = true, env = {} }: NatsServerOptions,
  ) {
    this.#temp = temp;
    this.folder = temp.path;
    this.port = freePort();
    this.#jetstream = jetstream;
    this.#env = env;
  }

  /** Starts a server, which takes connections once this has resolved. */
  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const { config = "", files = {} } = options;
    const temp = await makeTempFolder({ ...files, "server.conf": config });
    const server = new NatsServer(temp, options);
    try {
      await server.#run();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Where it is, for whoever needs neither name nor TLS. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** What it has written since it was started for the last time. */
  get log(): string {
    return this.#log;
  }

  /** Ends it as a power failure would. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Ends it as a machine does that is shut down. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** When this has resolved, it does not react, but its connections stay. */
  async freeze(): Promise<void> {
    const { pid } = this.#child!;
    this.#child!.kill("SIGSTOP");
    // Each of its threads goes on to the next time that the system looks.
    while (Deno.build.os === "linux" && !areStopped(pid)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** It goes on after {@linkcode freeze}. */
  thaw(): void {
    this.#child!.kill("SIGCONT");
  }

  /** Starts it again after it was ended, with its data or without. */
  async restart({ wipe = false }: { wipe?: boolean } = {}): Promise<void> {
    if (wipe) await Deno.remove(`${this.folder}/data`, { recursive: true });
    await this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#temp[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const child = new Deno.Command(PROGRAM!, {
      args: [
        `--config=${this.folder}/server.conf`,
        "--addr=127.0.0.1",
        `--port=${this.port}`,
        ...this.#jetstream
          ? ["--jetstream", `--store_dir=${this.folder}/data`]
          : [],
      ],
      cwd: this.folder,
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    running.add(child);
    child.status.then(() => running.delete(child));
    this.#log = "";
    const ready = Promise.withResolvers<void>();
    this.#read = this.#readLog(child, ready.resolve).finally(() =>
      ready.reject(new Error(`nats-server has ended:\n${this.log}`))
    );
    const timer = setTimeout(
      () => ready.reject(new Error(`nats-server is not ready:\n${this.log}`)),
      START_MS,
    );
    await ready.promise.finally(() => clearTimeout(timer));
  }

  async #readLog(child: Deno.ChildProcess, ready: () => void): Promise<void> {
    const text = child.stderr.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      this.#log += part;
      if (this.#log.includes("Server is ready")) ready();
    }
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (running.has(child)) child.kill(signal);
    await child.status;
    await this.#read;
  }
}

/**
 * Registers a test under a watchdog, which is skipped where there is no server.
 *
 * @param name What is to hold.
 * @param run What finds out.
 */
export function natsTest(name: string, run: () => Promise<void>): void {
  if (HAS_NATS) watched(name, run);
  else Deno.test.ignore(name, run);
}

/** A port that nobody listens at, on loopback. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether all threads of a process are stopped. */
function areStopped(pid: number): boolean {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
    /\) [tT]/.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`))
  );
}

function runs(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
