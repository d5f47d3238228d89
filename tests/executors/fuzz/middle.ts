/**
 * Puts a liar between a worker and its host, without either knowing: the line
 * of a thread goes through here, and so do the pipes of a process. What is
 * under test is all there is: real workers, real channels, what is above them.
 *
 * This module is imported before any that starts workers, as it replaces
 * what they are started with.
 *
 * @module
 */

import {
  encodeFrame,
  FrameReader,
} from "../../../executors/pool/process/frames.ts";
import {
  ENCODED_MARK_BYTES,
  PacketReader,
} from "../../../executors/pool/process/packets.ts";
import { PortLine } from "../../../executors/pool/thread/port_line.ts";
import type {
  ToHost,
  ToWorker,
} from "../../../executors/pool/wire/protocol.ts";
import type { Greeting } from "../../../executors/pool/thread/greeting.ts";
import { babble, Packets } from "./babble.ts";
import { locks } from "../../../executors/pool/thread/locks.ts";
import type { Random } from "../helpers/random.ts";
import { Liar, type Terms } from "./liar.ts";
import { type MakeUp, Puppet } from "./puppet.ts";

/** How a worker lies, or a puppet does not. */
export interface Lying extends Terms {
  readonly random: Random;
  /** If a puppet stands for the worker: what it makes up. */
  readonly puppet: MakeUp | undefined;
}

/** Says how a worker of this name lies, if it does. */
type FindLying = (worker: string) => Lying | undefined;

/** Whose workers are meddled with. */
interface Meddling {
  readonly findLying: FindLying;
  started: number;
}

/** By the names of executors. */
const meddlings = new Map<string, Meddling>();
const processes = new Set<Deno.ChildProcess>();

/** From now on this says which workers of an executor lie. */
export function meddle(executor: string, findLying: FindLying): void {
  meddlings.set(executor, { findLying, started: 0 });
}

/** Its life is over; returns how many workers it has started. */
export function forget(executor: string): number {
  const { started } = meddlings.get(executor)!;
  meddlings.delete(executor);
  return started;
}

/** How a worker that is about to be started lies, if it does. */
function lyingOf(worker: string): Lying | undefined {
  const meddling = meddlings.get(executorOf(worker));
  if (meddling === undefined) return undefined;
  meddling.started++;
  return meddling.findLying(worker);
}

function executorOf(worker: string): string {
  return worker.slice(0, worker.lastIndexOf("-"));
}

/** Resolves when no process of a worker is left. */
export async function noProcessLeft(): Promise<void> {
  for (const { status } of processes) await status;
  processes.clear();
}

/** What is used of a worker. */
class MiddleWorker {
  onerror: Worker["onerror"] = null;
  readonly #lying: Lying | undefined;
  /** `undefined` if there is a puppet instead. */
  readonly #worker: Worker | undefined;
  #close = () => {};

  constructor(url: string | URL, options?: WorkerOptions) {
    this.#lying = lyingOf(options?.name ?? "");
    if (this.#lying?.puppet) return;
    this.#worker = new RealWorker(url, options);
    this.#worker.onerror = (event) => this.onerror?.call(this.#worker!, event);
  }

  postMessage(message: unknown, transferables: Transferable[]): void {
    if (this.#lying === undefined) {
      return this.#worker!.postMessage(message, transferables);
    }
    const greeting = message as Greeting;
    const { puppet } = this.#lying;
    if (puppet) this.#pretend(greeting, this.#lying, puppet);
    else this.#intercept(greeting, this.#lying);
  }

  terminate(): void {
    this.#close();
    this.#worker?.terminate();
  }

  /** Leads the line through here. */
  #intercept(greeting: Greeting, lying: Lying): void {
    const { port } = greeting;
    const { port1, port2 } = new MessageChannel();
    const line = new PortLine<ToHost, ToWorker>(port1);
    const liar = new Liar(lying.random, {
      say: (message) => port.postMessage(message),
      pass: (message) => line.send(message as ToWorker),
      die: () => this.#worker!.terminate(),
      slots: new Int32Array(greeting.slots),
    }, lying);
    line.listen((message) => liar.said(message));
    port.onmessage = ({ data }) => liar.heard(data);
    this.#close = () => {
      liar.end();
      port.close();
      line.close();
    };
    this.#worker!.postMessage({ ...greeting, port: port2 }, [port2]);
  }

  /** A puppet holds its lock as long as it lives. */
  #pretend(
    { port, slots, lock }: Greeting,
    lying: Lying,
    makeUp: MakeUp,
  ): void {
    const life = Promise.withResolvers<void>();
    const cells = new Int32Array(slots);
    const say = (message: unknown) => liar.said(message);
    const puppet = new Puppet(lying.random, makeUp, say, cells);

    const die = () => {
      puppet.end();
      life.resolve();
    };
    const liar = new Liar(lying.random, {
      say: (message) => port.postMessage(message),
      pass: (message) => puppet.hear(message),
      die,
      slots: cells,
    }, lying);
    port.onmessage = ({ data }) => liar.heard(data);
    this.#close = () => {
      die();
      liar.end();
      port.close();
    };
    if (locks === undefined) return puppet.start();
    locks.request(lock, {}, () => {
      puppet.start();
      return life.promise;
    }).catch(() => {});
  }
}

/** A process. */
class MiddleCommand extends Deno.Command {
  readonly #lying: Lying | undefined;

  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    super(command, options);
    const name = options.args?.find((arg) => meddlings.has(executorOf(arg)));
    this.#lying = name === undefined ? undefined : lyingOf(name);
  }

  override spawn(): Deno.ChildProcess {
    const puppet = this.#lying?.puppet;
    if (puppet !== undefined) return pretend(this.#lying!, puppet);
    const process = super.spawn();
    processes.add(process);
    if (this.#lying !== undefined) intercept(process, this.#lying);
    return process;
  }
}

/** Leads the pipes of a process through here. */
function intercept(process: Deno.ChildProcess, lying: Lying): void {
  // Getters that would find something else once these have replaced it.
  const input = process.stdin.getWriter();
  const output = process.stderr.getReader();
  const pipes = new Pipes(lying, {
    begin: (mark) => void input.write(mark).catch(() => {}),
    pass: (message) => void input.write(encodeFrame(message)).catch(() => {}),
    die() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It is gone already.
      }
    },
    end: () => input.abort().catch(() => {}),
  });
  Object.defineProperty(process, "stdin", { value: pipes.stdin });
  Object.defineProperty(process, "stderr", { value: pipes.stderr });
  pass();

  async function pass(): Promise<void> {
    while (true) {
      const { done, value } = await output.read();
      if (done) break;
      pipes.wrote(value);
    }
    pipes.close();
  }
}

/** More than any process has for its number. */
let nextPid = 2 ** 30;

/** What is used of a process, without one. */
function pretend(lying: Lying, makeUp: MakeUp): Deno.ChildProcess {
  const status = Promise.withResolvers<Deno.CommandStatus>();
  const end = (code: number, signal: Deno.Signal | null) => {
    puppet.end();
    pipes.close();
    status.resolve({ success: false, code, signal });
  };
  const puppet: Puppet = new Puppet(
    lying.random,
    makeUp,
    (message) => pipes.liar.said(message),
    undefined,
  );
  const pipes: Pipes = new Pipes(lying, {
    begin: () => puppet.start(),
    pass: (message) => puppet.hear(message),
    die: () => end(137, "SIGKILL"),
    end: () => end(0, null),
  });
  const { stdin, stderr } = pipes;
  const stdout = new ReadableStream({
    type: "bytes",
    start: (controller) => controller.close(),
  });
  const kill = (signal: Deno.Signal = "SIGTERM") => end(143, signal);
  const pid = nextPid++;
  const process = { pid, stdin, stdout, stderr, status: status.promise, kill };
  return process as unknown as Deno.ChildProcess;
}

/** What is on the other side of the pipes. */
interface Behind {
  /** The mark is there, which comes first. */
  begin(mark: Uint8Array<ArrayBuffer>): void;
  /** The host has said something that is to arrive. */
  pass(message: unknown): void;
  die(): void;
  /** Nothing follows from the host. */
  end(): void;
}

/** The pipes of a process that lies, as its host has them. */
class Pipes {
  readonly liar: Liar;
  readonly stdin: WritableStream<Uint8Array<ArrayBuffer>>;
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #behind: Behind;
  readonly #frames = new FrameReader();
  readonly #mark: number[] = [];
  #controller!: ReadableByteStreamController;
  #packets!: Packets;
  #reader!: PacketReader;

  constructor(lying: Lying, behind: Behind) {
    this.#behind = behind;
    this.liar = new Liar(lying.random, {
      say: (message) => this.#write(this.#packets.encode(message)),
      pass: (message) => behind.pass(message),
      babble: (random) => {
        for (const bytes of babble(random, this.#packets)) this.#write(bytes);
      },
      die: () => behind.die(),
    }, lying);
    this.stdin = new WritableStream({
      write: (bytes) => this.#hear(bytes),
      close: () => behind.end(),
      abort: () => behind.end(),
    });
    this.stderr = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.liar.end(),
    });
  }

  /** The worker has written something. */
  wrote(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** The worker is gone: what is held back, and what comes later, comes too late. */
  close(): void {
    this.liar.end();
    try {
      this.#controller.close();
      // A read that waits gets nothing else.
      this.#controller.byobRequest?.respond(0);
    } catch {
      // It was cancelled, or is closed.
    }
  }

  #hear(bytes: Uint8Array<ArrayBuffer>): void {
    const missing = ENCODED_MARK_BYTES - this.#mark.length;
    this.#mark.push(...bytes.subarray(0, missing));
    if (missing > 0 && this.#mark.length === ENCODED_MARK_BYTES) {
      this.#begin(Uint8Array.from(this.#mark));
    }
    for (const message of this.#frames.push(bytes.slice(missing))) {
      this.liar.heard(message);
    }
  }

  #begin(mark: Uint8Array<ArrayBuffer>): void {
    const text = new TextDecoder().decode(mark);
    this.#packets = new Packets(text);
    const listener = {
      message: (message: unknown) => this.liar.said(message),
      text: (bytes: Uint8Array) => this.#write(bytes.slice()),
      // What comes from the worker itself is as it should be.
      broken: () => {},
    };
    this.#reader = new PacketReader(text, listener);
    this.#behind.begin(mark);
  }

  #write(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      if (bytes.length > 0) this.#controller.enqueue(bytes);
    } catch {
      // Nobody reads any more.
    }
  }
}

const RealWorker = globalThis.Worker;
globalThis.Worker = MiddleWorker as unknown as typeof Worker;
Deno.Command = MiddleCommand as typeof Deno.Command;
