/**
 * The main thread of a worker process, which only passes messages on: tasks run
 * in a Web Worker beside it. So a task that never yields can still be told to
 * stop, and calls that were sent ahead can still be revoked.
 *
 * ```text
 * host ──frames──► input ──► main thread ──port, slots──► Web Worker
 *   ▲                              │ "revoked"                  │
 *   └──packets── standard error ◄──┴────────────────────────────┘
 * ```
 *
 * The process ends with its Web Worker, and with its host: nothing more can
 * come from the input then; see standard_input.ts.
 *
 * @module
 */

import { TimeoutError } from "../../errors.ts";
import { decodeError, type EncodedError, encodeError } from "../wire/codec.ts";
import { entries } from "../entries.ts";
import { concat, FrameReader } from "./frames.ts";
import { ENCODED_MARK_BYTES, PacketWriter } from "./packets.ts";
import { isWorker, setMainModule } from "../../runtime/main_module.ts";
import { type ToHost, type ToWorker, UNREADABLE } from "../wire/protocol.ts";
import { exceptionsAreKept } from "../wire/revive.ts";
import { loadSerializer } from "./serialize.ts";
import { type MessageInput, takeInput } from "./standard_input.ts";
import { checkShape } from "../wire/shape.ts";
// This import also puts the entry module of the thread into the module graph, so
// that `deno compile` and JSR carry it.
import type { OwnProcess } from "./thread_entry.ts";
import "./thread_entry.ts";
import { openWebWorker, type WebWorkerChannel } from "../thread/web_worker.ts";
import { SLOT_COUNT } from "../wire/slots.ts";

/**
 * The first argument that makes a worker of a compiled program, which cannot be
 * started with another entry module. Nobody writes this by chance.
 */
export const WORKER_ARGUMENT =
  "@concurrent/futures: be a worker process of this program";

function isCompiledWorker(): boolean {
  return Deno.build.standalone && Deno.args[0] === WORKER_ARGUMENT;
}

/**
 * Makes a worker of this process, until it ends.
 *
 * @param args The name of the worker; the main module of the program; and the
 * permissions that the process gives up before the first call, because they were
 * compiled into it and not asked for, or because only the start needs them.
 */
export async function serve(
  [name, main, ...revoke]: readonly string[],
): Promise<never> {
  if (main !== "") setMainModule(main);
  const source = takeInput();
  const input = new Input(source);
  const mark = new TextDecoder().decode(await input.take(ENCODED_MARK_BYTES));
  // Started first, as the thread and the serializer take their time to load.
  const worker = new ProcessWorker(name!, mark, source.moved);
  await loadSerializer();
  if (revoke.length > 0) {
    await worker.up;
    for (const permission of revoke) giveUp(permission);
  }
  const frames = new FrameReader();
  while (true) {
    for (const message of frames.push(await input.next())) {
      worker.received(message as ToWorker);
    }
  }
}

/** Gives up a permission, or its part for a path or a host: `read`, `read=/folder/`. */
function giveUp(permission: string): void {
  const [, name, entry] = /^(\w+)(?:=(.*))?$/s.exec(permission)!;
  const key = name === "import" ? "host" : "path";
  Deno.permissions.revokeSync(
    { name, ...(entry && { [key]: entry }) } as Deno.PermissionDescriptor,
  );
}

/** The bytes that the host writes. */
class Input {
  readonly #source: MessageInput;
  readonly #buffer = new Uint8Array(64 * 1024);
  #rest: Uint8Array = new Uint8Array();

  constructor(source: MessageInput) {
    this.#source = source;
  }

  /** The next bytes, as many as there are. */
  async next(): Promise<Uint8Array> {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = new Uint8Array();
      return rest;
    }
    const length = await this.#source.read(this.#buffer);
    // The host is gone, or has no more use for this worker.
    if (length <= 0) Deno.exit(0);
    return this.#buffer.slice(0, length);
  }

  /** The next `length` bytes. */
  async take(length: number): Promise<Uint8Array> {
    let bytes = await this.next();
    while (bytes.length < length) {
      const more = await this.next();
      bytes = concat([bytes, more], bytes.length + more.length);
    }
    this.#rest = bytes.subarray(length);
    return bytes.subarray(0, length);
  }
}

/** The Web Worker beside this thread. */
class ProcessWorker {
  readonly #channel: WebWorkerChannel;
  readonly #packets: PacketWriter;
  readonly #name: string;
  readonly #up = Promise.withResolvers<void>();
  /** Resolves when the thread has started. */
  readonly up: Promise<void> = this.#up.promise;
  /** The position of the next job. */
  #tail = 0;
  /**
   * Whether "initialize" has come, readable or not: from then on, an unreadable
   * message is a call.
   */
  #greeted = false;

  constructor(name: string, mark: string, inputMoved: boolean) {
    this.#name = name;
    this.#packets = new PacketWriter(mark, "main");
    const listener = {
      received: (data: unknown) => {
        let message: ToHost;
        try {
          message = checkShape(data);
        } catch (error) {
          // No thread sends such a message, unless a task has tampered with it.
          return this.#channel.kill(error);
        }
        if (message[0] === "up") this.#up.resolve();
        // The thread has sent its last words to the host itself.
        if (message[0] === "closing") this.#end(undefined, exitCodeOf(message));
      },
      died: (cause: unknown) => {
        const error = encodeError(cause, `worker ${this.#name}`);
        this.#end(cause === undefined ? undefined : error, 1);
      },
    };
    const extra: OwnProcess = { mark, inputMoved };
    this.#channel = openWebWorker(name, listener, {
      entry: entries.processThread,
      extra,
    });
  }

  /** Ends the process; what the host has sent and this thread has not read was not entered either. */
  #end(cause: EncodedError | undefined, exitCode: number): never {
    const { slots } = this.#channel;
    // All of it: its host takes one that was alone as it was sent for entered, whatever follows it.
    let unentered = this.#tail;
    const first = Math.max(0, this.#tail - SLOT_COUNT);
    while (unentered > first && slots.revoke(unentered - 1) === 0) unentered--;
    this.#packets.write(["closing", cause, exitCode, unentered], []);
    Deno.exit(exitCode);
  }

  received(message: ToWorker): void {
    const { slots } = this.#channel;
    switch (message[0]) {
      case "define":
      case "watch":
        break;
      case "initialize":
        this.#greeted = true;
        break;
      case "unreadable":
        // Nobody can read whether this call is announced; an announcement too
        // many does no harm.
        if (this.#greeted) slots.send(this.#tail++, true);
        this.#greeted = true;
        break;
      case "run":
        for (const [, count, , oneJob] of message[1]) {
          const end = this.#tail + (oneJob ? 1 : count);
          while (this.#tail < end) slots.send(this.#tail++, message[2]!);
        }
        break;
      case "stop": {
        const timedOut = decodeError(message[2]) instanceof TimeoutError;
        slots.stop(message[1], timedOut ? "timed out" : "cancelled");
        break;
      }
      case "revoke": {
        const [, from, to] = message;
        const entered = Array.from(
          { length: to - from },
          (_, i) => slots.revoke(from + i),
        );
        this.#packets.write(["revoked", from, entered]);
        return;
      }
      default:
        message satisfies never;
    }
    try {
      // The host has checked the message; an empty list of what to move has it
      // checked again, which is needed where this thread loses exceptions.
      this.#channel.send(message, exceptionsAreKept() ? undefined : []);
    } catch {
      // A value that this thread could read may still be too deep for it to write.
      this.#channel.send(UNREADABLE);
    }
  }
}

function exitCodeOf(
  [, cause, exitCode]: Extract<ToHost, readonly ["closing", ...unknown[]]>,
): number {
  return exitCode ?? (cause === undefined ? 0 : 1);
}

// A compiled program that is a worker process waits here for ever, so that its own main
// module never begins. At the end of this module, as all of it is needed. The
// threads of the program load this module too, if their tasks import the package.
if (!isWorker && isCompiledWorker()) {
  Deno.addSignalListener("SIGINT", () => {});
  await serve(Deno.args.slice(1));
}
