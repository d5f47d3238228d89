/**
 * The channel to a worker process.
 *
 * ```text
 * send() ──frame──► standard input ────────────────────► process
 * received() ◄── held until answered ◄──packets── standard error
 * this program's standard error ◄──lines── standard output, error
 * ```
 *
 * Whatever the process does, it can be killed.
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
import { encodeFrame } from "./frames.ts";
import { InputPipe } from "./input_pipe.ts";
import { OutputLines } from "./output_lines.ts";
import { encodeMark, makeMark, PacketReader } from "./packets.ts";
import type { ToHost, ToWorker } from "../wire/protocol.ts";
import { canSerialize } from "./serialize.ts";
import { checkShape } from "../wire/shape.ts";

/** How long a process may take to end by SIGTERM before it is killed, in milliseconds. */
const KILL_MS = 250;

/**
 * The signals that a terminal, or whoever ends a session, sends to all processes
 * of a group. A worker that has not set its listeners yet ends by them, whatever
 * the program makes of its own.
 */
const GROUP_SIGNALS: readonly (string | null)[] = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGHUP",
];

/**
 * How long to read on when the process is gone, in milliseconds: programs that
 * a task has started may hold the output open.
 */
const LAST_WORDS_MS = 50;

/**
 * How long the main thread of a process may take to answer, in milliseconds; it
 * has nothing else to do.
 */
const ANSWER_MS = 10_000;

/**
 * How many messages are held until the answer at most: a process sends one for
 * each call that was sent ahead, which are fewer, and what the running call
 * reports until the main thread answers.
 */
const MAX_HELD = 2 ** 20;

/** How many bytes are read at a time: as many as a pipe holds on Linux. */
const READ_BYTES = 64 * 1024;

/** How a worker process is started. */
export interface ProcessSettings {
  readonly command: string;
  /** The arguments before those for the worker itself. */
  readonly args: readonly string[];
  /** The main module of the program. */
  readonly main: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** The permissions that the process is to give up before its first call. */
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
  /** `undefined` if the system did not start the process. */
  readonly #process: Deno.ChildProcess | undefined;
  readonly #input: InputPipe | undefined;
  /** Messages that have come while a question is unanswered; see `#received()`. */
  #held: unknown[] = [];
  /** Stops the clock for the answer. */
  #stopWaiting = () => {};
  /** Called when the process has answered all questions, or is about to end. */
  #answered = () => {};
  #killed = false;
  /** The error that killed the worker, by its last words, or for which it was killed. */
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
      // No call that is sent before the death is heard of was entered.
      this.slots.workerGone();
      this.#killed = true;
      const cause = missingFolder(error) ?? error;
      queueMicrotask(() => this.#died(cause));
      return;
    }
    this.#input = new InputPipe(this.#process.stdin);
    // Written, as a task could read an argument, and forge messages of its worker.
    this.#input.write(encodeMark(mark));
    this.#ended = this.#attend(this.#process, name, mark);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get written(): number {
    return this.#input?.written ?? 0;
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
    if (!this.#killed) this.#input!.write(frame);
  }

  /** Sends a "revoke" message; false if the process is about to be gone. */
  #ask(from: number, to: number): boolean {
    if (this.#closed !== undefined || this.#killed) return false;
    this.send(["revoke", from, to]);
    if (this.slots.question === undefined) this.#awaitAnswer();
    return true;
  }

  /** Kills the process unless its next answer comes in time. */
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
      // No worker writes such a packet, unless a task has tampered with it.
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
    await this.#input!.end();
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
   * Holds messages back until the process has answered. The main thread of the
   * process revokes calls and says how many; its other thread, which passes over
   * those calls, may report so first, and they would count as ended.
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

  /**
   * Keeps the last words: the death of the process, which is about to be heard
   * of, ends the worker.
   */
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
   * Ends the process, but lets it answer first: only the process can tell which
   * calls it has not entered. One that was stopped, by SIGSTOP, has to go on for
   * that.
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

/** The type of a message, of which nothing has been checked. */
function typeOf(message: unknown): unknown {
  return Array.isArray(message) ? message[0] : undefined;
}

/**
 * Reads to the end, with one buffer: a new one for each piece would take longer
 * than a tiny task.
 */
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

/** Waits for a promise, but at most for so many milliseconds. */
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
