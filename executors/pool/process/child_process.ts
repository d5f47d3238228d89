/**
 * The channel to a worker process: messages go as frames to its standard input,
 * and come as packets from its standard error stream. Whatever the process does,
 * it can be killed.
 *
 * @module
 */

import { queueMicrotask } from "../../runtime/clock.ts";
import { TimeoutError } from "../../errors.ts";
import { startDeadline, startTimer } from "../../runtime/timer.ts";
import { AnnouncedSlots } from "./announced_slots.ts";
import type { Channel, ChannelListener } from "../channel.ts";
import { decodeError } from "../wire/codec.ts";
import { missingFolder } from "../../runtime/file_path.ts";
import { concat, encodeFrame } from "./frames.ts";
import { OutputLines } from "./output_lines.ts";
import { encodeMark, makeMark, PacketReader } from "./packets.ts";
import type { ToHost, ToWorker } from "../wire/protocol.ts";
import { canSerialize } from "./serialize.ts";
import { checkShape } from "../wire/shape.ts";

/** A process that does not end when it is asked to, by SIGTERM, is killed after this. */
const KILL_MS = 250;

/**
 * What a terminal, or whoever ends a session, sends to all processes of a group.
 * A process that has not yet set its listeners ends with it, whatever the program does.
 */
const GROUP_SIGNALS: readonly (string | null)[] = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGHUP",
];

/** Programs that a task has started may hold the output open when the process is gone. */
const LAST_WORDS_MS = 50;

/** The main thread of a process that does not answer for so long does not live any more. */
const ANSWER_MS = 10_000;

/** What is said until then is at most one message for each call that was sent ahead, which are not that many. */
const MAX_HELD = 2 ** 20;

/** How much is read at a time: as much as a pipe holds on Linux. */
const READ_BYTES = 64 * 1024;

/** How much is written at a time: it is seen from one to the next that the process still reads. */
const WRITE_BYTES = 1024 * 1024;

/** How a worker process is started. */
export interface ProcessSettings {
  readonly command: string;
  /** What comes before those for the worker itself. */
  readonly args: readonly string[];
  /** The main module of the program. */
  readonly main: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** The permissions that it is to give up. */
  readonly revoke: readonly string[];
}

/** Starts a worker process. */
export function openProcess(
  name: string,
  listener: ChannelListener,
  settings: ProcessSettings,
): Channel {
  return new ProcessChannel(name, listener, settings);
}

class ProcessChannel implements Channel {
  readonly slots = new AnnouncedSlots((from, to) => this.#ask(from, to));
  readonly #listener: ChannelListener;
  /** `undefined` if the system would not start one. */
  readonly #process: Deno.ChildProcess | undefined;
  readonly #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  /** Frames that wait until the write before them has ended. */
  #unsent: Uint8Array[] = [];
  #sending = false;
  /** The messages that came before the answer to a question, and what ends the wait for that. */
  #held: unknown[] = [];
  #stopWaiting = () => {};
  /** Called when it has answered all, or is gone. */
  #answered = () => {};
  #killed = false;
  #written = 0;
  /** What the worker said killed it, or why it was killed. */
  #lastWords: unknown;
  #ended: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    name: string,
    listener: ChannelListener,
    { command, args, main, env, revoke }: ProcessSettings,
  ) {
    this.#listener = listener;
    const mark = makeMark();
    try {
      this.#process = new Deno.Command(command, {
        args: [...args, name, main ?? "", ...revoke],
        env: { ...env },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      // Nothing that is sent meanwhile will have been entered.
      this.slots.workerGone();
      this.#killed = true;
      const cause = missingFolder(error) ?? error;
      queueMicrotask(() => this.#died(cause));
      return;
    }
    this.#input = this.#process.stdin.getWriter();
    // Not an argument: a task could read it, and forge what its worker says.
    this.#write(encodeMark(mark));
    this.#ended = this.#attend(this.#process, name, mark);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get written(): number {
    return this.#written;
  }

  get unanswered(): boolean {
    return this.slots.question !== undefined;
  }

  send(message: ToWorker, transferables?: Transferable[]): void {
    if (this.#closed !== undefined) return;
    if (message[0] !== "run") {
      this.#writeMessage(message, transferables);
      return;
    }
    const [, segments] = message;
    const calls = segments.reduce((sum, [, count]) => sum + count, 0);
    const announced = this.slots.isToAnnounce(calls);
    // Runs getters, which may have the jobs revoked: they have not left then.
    this.#writeMessage(["run", segments, announced], transferables);
    this.slots.sent(calls);
  }

  #writeMessage(message: ToWorker, transferables?: Transferable[]): void {
    const frame = encodeFrame(message, transferables);
    // A process that was killed may live on for a while, and is not to enter anything in it.
    if (!this.#killed) this.#write(frame);
  }

  /** False if nobody is there to be asked. */
  #ask(from: number, to: number): boolean {
    if (this.#closed !== undefined || this.#killed) return false;
    this.send(["revoke", from, to]);
    if (this.slots.question === undefined) this.#awaitAnswer();
    return true;
  }

  /** The main thread of a process has nothing else to do. */
  #awaitAnswer(): void {
    this.#stopWaiting();
    this.#stopWaiting = startDeadline(
      ANSWER_MS,
      () => this.kill(new TimeoutError(`No answer after ${ANSWER_MS} ms`)),
    );
  }

  carries(value: unknown): boolean {
    return canSerialize(value);
  }

  kill(cause: unknown): void {
    if (this.#killed) return;
    this.#lastWords = cause;
    this.#killed = true;
    this.slots.leaves();
    this.#endOnceAnswered();
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  /** Frames of one turn travel together. */
  async #write(frame: Uint8Array): Promise<void> {
    this.#unsent.push(frame);
    if (this.#sending) return;
    this.#sending = true;
    await Promise.resolve();
    while (this.#unsent.length > 0) {
      const frames = this.#unsent;
      this.#unsent = [];
      const length = frames.reduce((sum, { length }) => sum + length, 0);
      const bytes = frames.length === 1 ? frames[0]! : concat(frames, length);
      for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
        const part = bytes.length <= WRITE_BYTES
          ? bytes
          : bytes.subarray(at, at + WRITE_BYTES);
        // A process that is gone reads nothing.
        await this.#input!.write(part).catch(() => {});
        // Less than this a pipe may hold that nobody reads.
        if (part.length === WRITE_BYTES) this.#written += part.length;
      }
    }
    this.#sending = false;
  }

  /** Listens to the process until it is gone. */
  async #attend(
    process: Deno.ChildProcess,
    name: string,
    mark: string,
  ): Promise<void> {
    const lines = new OutputLines(name);
    const errorLines = new OutputLines(name);
    const packets = new PacketReader(mark, {
      message: (message) => this.#received(message),
      text: (bytes) => errorLines.push(bytes),
      // No worker writes such a thing, unless a task has tampered with it.
      broken: (error) => this.kill(error),
    });
    const output = process.stdout.getReader({ mode: "byob" });
    const errors = process.stderr.getReader({ mode: "byob" });
    const silent = Promise.all([
      readAll(output, (bytes) => lines.push(bytes)),
      readAll(errors, (bytes) => packets.push(bytes)),
    ]);
    const status = await process.status;
    await orAfter(LAST_WORDS_MS, silent);
    await Promise.all([output.cancel(), errors.cancel()]);
    await this.#input!.abort().catch(() => {});
    packets.end();
    this.#stopWaiting();
    this.#release();
    lines.end();
    errorLines.end();
    this.slots.workerGone();
    this.#died(
      this.#lastWords ?? exitError(process.pid, status),
      !this.#killed && GROUP_SIGNALS.includes(status.signal),
    );
  }

  /**
   * Jobs are revoked by the main thread of the process; its other thread may
   * report that it is past them before the answer is there. So messages are held
   * until then: see channel.ts.
   */
  #received(message: unknown): void {
    if (this.slots.question === undefined) return this.#understood(message);
    if (typeOf(message) !== "revoked") {
      if (this.#held.length < MAX_HELD) this.#held.push(message);
      else {this.kill(
          new RangeError("A worker said too much without an answer"),
        );}
      return;
    }
    this.#understood(message);
    if (this.slots.question !== undefined) return this.#awaitAnswer();
    this.#stopWaiting();
    this.#release();
    this.#answered();
  }

  #release(): void {
    for (const message of this.#held.splice(0)) this.#understood(message);
  }

  #understood(message: unknown): void {
    if (this.#closed !== undefined) return;
    if (typeOf(message) === "closing") return this.#isClosing(message);
    this.#listener.received(message);
  }

  /** How the process ends says more, and is about to be known. */
  #isClosing(message: unknown): void {
    try {
      const [, cause, , unentered] = checkShape(message) as LastWords;
      this.#lastWords ??= cause && decodeError(cause);
      if (unentered !== undefined) this.slots.leaves(unentered);
    } catch (error) {
      this.kill(error);
    }
  }

  /**
   * Only the process itself can say what it has not entered. A process that
   * somebody has stopped, by SIGSTOP, can say so when it goes on.
   */
  async #endOnceAnswered(): Promise<void> {
    if (this.unanswered) {
      const answered = Promise.withResolvers<void>();
      this.#answered = answered.resolve;
      this.#signal("SIGCONT");
      await orAfter(KILL_MS, answered.promise);
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#answered();
    this.#signal("SIGTERM");
    const stopTimer = startTimer(KILL_MS, () => this.#signal("SIGKILL"));
    await this.#ended;
    stopTimer();
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#process?.kill(signal);
    } catch {
      // The process is gone already.
    }
  }

  #died(cause: unknown, interrupted = false): void {
    if (this.#closed === undefined) this.#listener.died(cause, interrupted);
  }
}

type LastWords = Extract<ToHost, readonly ["closing", ...unknown[]]>;

/** The kind of a message, if it is one: nothing of it has been checked. */
function typeOf(message: unknown): unknown {
  return Array.isArray(message) ? message[0] : undefined;
}

/** Reads to the end; a buffer of its own for each piece would take longer than a tiny task. */
async function readAll(
  reader: ReadableStreamBYOBReader,
  push: (bytes: Uint8Array) => void,
): Promise<void> {
  let buffer = new Uint8Array(READ_BYTES);
  while (true) {
    const { done, value } = await reader.read(buffer);
    if (done) return;
    push(value.slice());
    buffer = new Uint8Array(value.buffer);
  }
}

/** Waits for a promise, but not for long. */
async function orAfter(ms: number, promise: Promise<unknown>): Promise<void> {
  const patience = Promise.withResolvers<void>();
  const stopTimer = startDeadline(ms, patience.resolve);
  await Promise.race([promise, patience.promise]);
  stopTimer();
}

function exitError(pid: number, status: Deno.CommandStatus): Error {
  const how = status.signal === null
    ? `ended with exit code ${status.code}`
    : `was ended by ${status.signal}`;
  return new Error(`Process ${pid} ${how}`);
}
