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

import { encodeFrame, FrameReader } from "../../../executors/pool/frames.ts";
import {
  ENCODED_MARK_BYTES,
  PacketReader,
} from "../../../executors/pool/packets.ts";
import { PortLine } from "../../../executors/pool/port_line.ts";
import type { ToHost, ToWorker } from "../../../executors/pool/protocol.ts";
import type { Greeting } from "../../../executors/pool/web_worker.ts";
import { babble, Packets } from "./babble.ts";
import type { Speaker, Tongue } from "./speaker.ts";

/** Finds who speaks for a worker of this name, if that one lies. */
type FindSpeaker = (worker: string, tongue: Tongue) => Speaker | undefined;

/** Whose workers are meddled with. */
interface Meddling {
  readonly findSpeaker: FindSpeaker;
  started: number;
}

/** By the names of executors. */
const meddlings = new Map<string, Meddling>();
const processes = new Set<Deno.ChildProcess>();

/** From now on this says which workers of an executor lie. */
export function meddle(executor: string, findSpeaker: FindSpeaker): void {
  meddlings.set(executor, { findSpeaker, started: 0 });
}

/** Its life is over; returns how many workers it has started. */
export function forget(executor: string): number {
  const { started } = meddlings.get(executor)!;
  meddlings.delete(executor);
  return started;
}

/** Who speaks for a worker that has just been started. */
function speakerOf(worker: string, tongue: Tongue): Speaker | undefined {
  const meddling = meddlings.get(executorOf(worker))!;
  meddling.started++;
  return meddling.findSpeaker(worker, tongue);
}

function executorOf(worker: string): string {
  return worker.slice(0, worker.lastIndexOf("-"));
}

/** Resolves when no process of a worker is left. */
export async function noProcessLeft(): Promise<void> {
  for (const { status } of processes) await status;
  processes.clear();
}

/** A thread. */
class MiddleWorker extends Worker {
  readonly #name: string;
  #close = () => {};

  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    this.#name = options?.name ?? "";
  }

  override postMessage(message: unknown, options?: unknown): void {
    if (meddlings.has(executorOf(this.#name))) {
      message = this.#intercept(message as Greeting);
      options = [(message as Greeting).port];
    }
    super.postMessage(message, options as Transferable[]);
  }

  override terminate(): void {
    this.#close();
    super.terminate();
  }

  /** What is posted instead, so that the line leads through here. */
  #intercept(greeting: Greeting): Greeting {
    const { port } = greeting;
    const slots = new Int32Array(greeting.slots);
    const die = () => super.terminate();
    const speaker = speakerOf(this.#name, {
      say: (message) => port.postMessage(message),
      pass: (message) => line.send(message as ToWorker),
      die,
      slots,
    });
    if (speaker === undefined) return greeting;
    const { port1, port2 } = new MessageChannel();
    const line = new PortLine<ToHost, ToWorker>(port1);
    line.listen((message) => speaker.said(message));
    port.onmessage = ({ data }) => speaker.heard(data);
    this.#close = () => {
      speaker.end();
      port.close();
      line.close();
    };
    return { ...greeting, port: port2 };
  }
}

/** A process. */
class MiddleCommand extends Deno.Command {
  readonly #name: string | undefined;

  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    super(command, options);
    this.#name = options.args?.find((arg) => meddlings.has(executorOf(arg)));
  }

  override spawn(): Deno.ChildProcess {
    const process = super.spawn();
    if (this.#name !== undefined) {
      processes.add(process);
      intercept(process, this.#name);
    }
    return process;
  }
}

function intercept(process: Deno.ChildProcess, name: string): void {
  // Getters that would find something else once these have replaced it.
  const { stdin, stderr } = process;
  let controller: ReadableByteStreamController;
  let packets: Packets | undefined;
  const write = (bytes: Uint8Array<ArrayBuffer>) => {
    try {
      if (bytes.length > 0) controller.enqueue(bytes);
    } catch {
      // Nobody reads any more.
    }
  };
  const speaker = speakerOf(name, {
    say: (message) => write(packets!.encode(message)),
    pass: (message) => void input.write(encodeFrame(message)).catch(() => {}),
    babble: (random) => babble(random, packets!).forEach(write),
    die() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It is gone already.
      }
    },
  });
  if (speaker === undefined) return;
  const frames = new FrameReader();
  const mark: number[] = [];
  let reader: PacketReader;
  const hear = (bytes: Uint8Array) => {
    const missing = ENCODED_MARK_BYTES - mark.length;
    mark.push(...bytes.subarray(0, missing));
    if (missing > 0 && mark.length === ENCODED_MARK_BYTES) {
      const text = new TextDecoder().decode(Uint8Array.from(mark));
      packets = new Packets(text);
      const listener = {
        message: (message: unknown) => speaker.said(message),
        text: (bytes: Uint8Array) => write(bytes.slice()),
        // What comes from the worker itself is as it should be.
        broken: () => {},
      };
      reader = new PacketReader(text, listener);
    }
    // The mark is the worker's own, and comes first.
    if (missing > 0) input.write(bytes.slice(0, missing)).catch(() => {});
    for (const message of frames.push(bytes.slice(missing))) {
      speaker.heard(message);
    }
  };
  const input = stdin.getWriter();
  const output = stderr.getReader();
  const replace = (name: string, value: unknown) =>
    Object.defineProperty(process, name, { value });
  replace(
    "stdin",
    new WritableStream<Uint8Array>({
      write: hear,
      close: () => input.close(),
      abort: () => input.abort(),
    }),
  );
  replace(
    "stderr",
    new ReadableStream({
      type: "bytes",
      start(it) {
        controller = it;
        pass();
      },
      cancel() {
        speaker.end();
        return output.cancel();
      },
    }),
  );

  async function pass(): Promise<void> {
    while (true) {
      const { done, value } = await output.read();
      if (done) break;
      reader.push(value);
    }
    // What is held back, and what comes later, comes too late.
    speaker!.end();
    try {
      controller.close();
      // A read that waits gets nothing else.
      controller.byobRequest?.respond(0);
    } catch {
      // It was cancelled.
    }
  }
}

globalThis.Worker = MiddleWorker as typeof Worker;
Deno.Command = MiddleCommand as typeof Deno.Command;
