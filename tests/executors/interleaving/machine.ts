/**
 * What a worker process has of Deno and of its system, for processes that are
 * models: they are started by the real channel, and the real main thread of a
 * process serves in them, but pipes, threads and ports are those of a test, and
 * all of them are in one thread. Whatever else asks Deno is answered by Deno.
 *
 * @module
 */

import { nodeBuiltin } from "../../../executors/runtime/node_builtin.ts";
import type { Greeting } from "../../../executors/pool/thread/greeting.ts";
import type { OwnProcess } from "../../../executors/pool/process/thread_entry.ts";

/** One process, as what it is made of knows it. */
export interface Guest {
  /** The host has started it. */
  spawn(): Deno.ChildProcess;
  /** Its main thread reads its input. */
  read(buffer: Uint8Array): Promise<number>;
  /** One of its threads has written a packet. */
  wrote(packet: Uint8Array<ArrayBuffer>): void;
  /** Its main thread starts the other one; returns what closes it. */
  greeted(greeting: Greeting<OwnProcess>): void;
  /** Resolves when the thread that holds its lock is gone. */
  readonly unlocked: Promise<void>;
  /** Its main thread ends it. */
  exit(code: number): void;
}

/** So many bytes at the beginning of a packet tell whose it is. */
const MARK_BYTES = 15;

/** Processes by the names of their workers, the marks of their packets, and their locks. */
const byName = new Map<string, Guest>();
const byMark = new Map<string, Guest>();
const byLock = new Map<string, Guest>();
const byBuffer = new WeakMap<Uint8Array, Guest>();
/** Whose main thread begins just now, and whose has written last. */
let beginning: Guest | undefined;
let speaking: Guest | undefined;
let race = () => {};

/** Where models of processes live, until it is disposed of. */
export class Machine implements Disposable {
  /** `race` comes before each change of memory that threads share. */
  constructor(racing: () => void) {
    race = racing;
  }

  /** The next process of this name is this one. */
  expect(name: string, guest: Guest): void {
    byName.set(name, guest);
  }

  [Symbol.dispose](): void {
    for (const known of [byName, byMark, byLock]) known.clear();
    speaking = undefined;
    race = () => {};
  }
}

/** The main thread of a process begins; `mark` is what the host has written first. */
export function begin(guest: Guest, mark: string, main: () => void): void {
  byMark.set(mark, guest);
  beginning = guest;
  main();
  beginning = undefined;
}

/** A line between threads. */
class FakePort {
  readonly queue: unknown[] = [];
  peer!: FakePort;
  listener: ((event: { data: unknown }) => void) | undefined;
}

const ports = new WeakMap<object, FakePort>();

/** What has been sent to a port and has not been handed out; its own, so it may be changed. */
export function arrivedAt(port: MessagePort): unknown[] {
  return ports.get(port)!.queue;
}

/** Hands one message to whoever listens to the other end of the line of a port. */
export function deliverFrom(port: MessagePort): void {
  const { peer } = ports.get(port)!;
  if (peer.queue.length > 0) peer.listener?.({ data: peer.queue.shift() });
}

// What first asks for a module like this one gets another class in place of Deno's.
nodeBuiltin("node:v8");
const RealMessageChannel = globalThis.MessageChannel;
globalThis.MessageChannel = function () {
  return byName.size === 0 ? new RealMessageChannel() : openLine();
} as unknown as typeof MessageChannel;

function openLine(): MessageChannel {
  const [one, two] = [new FakePort(), new FakePort()];
  one.peer = two;
  two.peer = one;
  return { port1: portOf(one), port2: portOf(two) };
}

function portOf(fake: FakePort): MessagePort {
  const port: MessagePort = Object.create(MessagePort.prototype);
  ports.set(port, fake);
  return port;
}

const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (
  message: unknown,
  transfer: unknown = [],
) {
  const port = ports.get(this);
  if (port === undefined) {
    return Reflect.apply(postMessage, this, [message, transfer]);
  }
  const options = { transfer: transfer as Transferable[] };
  port.peer.queue.push(structuredClone(message, options));
};

const onmessage = Object.getOwnPropertyDescriptor(
  MessagePort.prototype,
  "onmessage",
)!;
Object.defineProperty(MessagePort.prototype, "onmessage", {
  ...onmessage,
  set(listener) {
    const port = ports.get(this);
    if (port === undefined) onmessage.set!.call(this, listener);
    else port.listener = listener;
  },
});

const onmessageerror = Object.getOwnPropertyDescriptor(
  MessagePort.prototype,
  "onmessageerror",
)!;
Object.defineProperty(MessagePort.prototype, "onmessageerror", {
  ...onmessageerror,
  set(listener) {
    if (!ports.has(this)) onmessageerror.set!.call(this, listener);
  },
});

const RealWorker = globalThis.Worker;
globalThis.Worker = function (url: URL, options: WorkerOptions) {
  const guest = byName.get(options?.name ?? "");
  if (guest === undefined) return new RealWorker(url, options);
  return {
    postMessage(greeting: Greeting<OwnProcess>) {
      byLock.set(greeting.lock, guest);
      guest.greeted(greeting);
    },
  };
} as unknown as typeof Worker;

const { locks } = navigator as unknown as {
  locks?: {
    request(name: string, ...rest: readonly (() => void)[]): Promise<unknown>;
  };
};
if (locks !== undefined) {
  const request = locks.request.bind(locks);
  locks.request = (name, ...rest) =>
    byLock.get(name)?.unlocked.then(rest.at(-1)) ?? request(name, ...rest);
}

const RealCommand = Deno.Command;
Deno.Command = class extends RealCommand {
  readonly #guest: Guest | undefined;

  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    super(command, options);
    const name = options.args?.find((arg) => byName.has(arg));
    this.#guest = name === undefined ? undefined : byName.get(name);
  }

  override spawn(): Deno.ChildProcess {
    return this.#guest?.spawn() ?? super.spawn();
  }
};

const dlopen = Deno.dlopen;
Deno.dlopen = ((...args: Parameters<typeof dlopen>) => {
  if (beginning === undefined) return dlopen(...args);
  throw new Error("A model has no library");
}) as typeof dlopen;

const readInput = Deno.stdin.read.bind(Deno.stdin);
Deno.stdin.read = (buffer) => {
  if (beginning !== undefined) byBuffer.set(buffer, beginning);
  return byBuffer.get(buffer)?.read(buffer) ?? readInput(buffer);
};

const writeError = Deno.stderr.writeSync.bind(Deno.stderr);
Deno.stderr.writeSync = (bytes) => {
  const guest = byMark.size === 0 ? undefined : byMark.get(markOf(bytes));
  if (guest === undefined) return writeError(bytes);
  speaking = guest;
  guest.wrote(bytes.slice());
  return bytes.length;
};

function markOf(bytes: Uint8Array): string {
  return Array.from(
    bytes.subarray(0, MARK_BYTES),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

// The last words of a process are written right before it exits.
const exit = Deno.exit;
Deno.exit = ((code = 0) => {
  if (speaking === undefined) return exit(code);
  const guest = speaking;
  speaking = undefined;
  guest.exit(code);
}) as typeof exit;

const { or, store } = Atomics;
Atomics.or = (array, index, value) => {
  race();
  return or(array as Int32Array, index, value as number) as never;
};
Atomics.store = (array, index, value) => {
  race();
  return store(array as Int32Array, index, value as number) as never;
};
