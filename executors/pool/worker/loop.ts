/**
 * What runs inside a worker: it takes messages from its host, calls functions
 * one after another, and reports outcomes. It knows no transport.
 *
 * ```text
 * received(message) ──► inbox ──► enter the slot ──► function ──► outbox ──► "done"
 * ```
 *
 * Functions that return no promise run in one go, without a turn of the event
 * loop between them. Outcomes are reported together, but a finished one does
 * not wait for a slow one: until a function has shown that its calls are
 * quick, each outcome is reported before the next call is entered; from then
 * on they leave after `REPORT_MS`, those of a `map()` also when there are
 * `BATCH_CALLS` of them.
 *
 * @module
 */

import {
  apply,
  OwnArray,
  OwnError,
  OwnPromise,
} from "../../runtime/builtins.ts";
import {
  clearTimeout,
  monotonicTime,
  setTimeout,
  wallTime,
} from "../../runtime/clock.ts";
import { Deque } from "../../runtime/deque.ts";
import { CancelledError, TimeoutError } from "../../errors.ts";
import { isThenable } from "../../runtime/thenable.ts";
import { nameOf } from "../../text.ts";
import {
  CallScope,
  type RunningTask,
  type StopSource,
} from "../../running_task.ts";
import { taskScopes } from "../../task_scopes.ts";
import type { AnyFunction, FunctionReference } from "../../task.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { initArgsError, resultError, unreadable } from "../wire/clone_error.ts";
import { decodeError, type EncodedError, encodeError } from "../wire/codec.ts";
import { explain, loadEvaluator } from "./evaluate.ts";
import { loadFunction, loadingModule } from "./load.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import {
  BATCH_CALLS,
  type Segment,
  type ToHost,
  type ToWorker,
} from "../wire/protocol.ts";
import type { Slots } from "../wire/slots.ts";

/** How long a finished outcome may wait for others: a message costs about as much as ten tiny tasks. */
const REPORT_MS = 1;

/** A call that takes less is quick. */
const QUICK_MS = 0.1;

/** Quick calls are timed this many at once, as reading the clock costs as much as calling. */
const MAX_TIMED_TOGETHER = 32;

/** The line to the host. */
export interface HostLine {
  /** The worker's name. */
  readonly name: string;
  readonly slots: Slots;
  /**
   * Throws, and sends nothing, if the message cannot be cloned. Values that are
   * not plain come with a list of what is to be moved, which may be empty.
   */
  send(message: ToHost, transferables?: Transferable[]): void;
  /** Whether a value can be sent, as a copy, and read. */
  carries(value: unknown): boolean;
}

/** A function that the host has defined. */
interface WorkerFunction {
  readonly reference: FunctionReference;
  /** Once it has been looked for. */
  fn: AnyFunction | undefined;
  /** Doubles with quick calls; at its most, the function has shown to be quick. */
  timedTogether: number;
}

/** The first message: tasks wait until it has been done. */
interface Initialization {
  readonly fn: number | undefined;
  /** `undefined` if they could not be read. */
  readonly args: readonly unknown[] | undefined;
}

/** What never comes. */
const NEVER = new OwnPromise<never>(() => {});

/** The number of a function that nobody has defined: see {@linkcode UNREAD}. */
const UNREAD_ID = -1;

/** What is called, in vain, where the arguments could not be read. */
const UNREAD: WorkerFunction = {
  reference: { kind: "export", module: "", name: "" },
  fn: () => {
    throw UNREAD;
  },
  timedTogether: 1,
};

/** The life of a worker between its first message and its last. */
export class WorkerLoop implements StopSource {
  readonly #line: HostLine;
  readonly #functions: WorkerFunction[] = [];
  readonly #inbox = new Deque<Segment | Initialization>();
  /** Whether the first message that is not a definition has come. */
  #greeted = false;
  #working = false;
  /** Whether its last words have been said; Deno may let it go on for a while. */
  #closing = false;
  /** While it runs. */
  #initializer: FunctionReference | undefined;
  /** The calls at the front, and how many of them have been passed. */
  #segment: Segment | undefined;
  #passed = 0;
  /** The position of the item at the front. */
  #position = 0;
  /** Whether the running call is the last of its item. */
  #itemEnds = false;
  #scope = new CallScope(this);
  #values: unknown[] = [];
  #failures: (number | EncodedError)[] = [];
  /** When the calls of the outcomes began and ended, if somebody watches. */
  #times: number[] | undefined;
  /** When the running call began, if somebody watches. */
  #startedAt = 0;
  /** All items before this position have been reported, and all calls that had ended at that time. */
  #reported = 0;
  /** How many calls those were. */
  #reportedCalls = 0;
  #reportedAt = 0;
  #reportTimer: ReturnType<typeof setTimeout> | undefined;
  #untimed = 0;
  #timedAt = 0;

  constructor(line: HostLine) {
    this.#line = line;
    // If this fails, so does the first function that is text.
    loadEvaluator().catch(() => {});
  }

  /** The host says something. */
  received(message: ToWorker): void {
    switch (message[0]) {
      case "define":
        this.#functions[message[1]] = {
          reference: message[2],
          fn: undefined,
          timedTogether: 1,
        };
        break;
      case "initialize":
        this.#greeted = true;
        this.#inbox.push({ fn: message[1], args: message[2] });
        this.#wake();
        break;
      case "unreadable":
        // Only what travels alone: the arguments of the initializer, then those of calls.
        this.#inbox.push(
          this.#greeted
            ? [UNREAD_ID, 1, [], false]
            : { fn: undefined, args: undefined },
        );
        this.#greeted = true;
        this.#wake();
        break;
      case "run":
        for (let i = 0; i < message[1].length; i++) {
          this.#inbox.push(message[1][i]!);
        }
        this.#wake();
        break;
      case "stop":
        // The outcome may already be on its way; then it is another one's turn.
        if (message[1] === this.#position) {
          this.#scope.task?.stop(
            decodeError(message[2]) as CancelledError | TimeoutError,
          );
        }
        break;
      case "watch":
        // What has ended before has no times.
        this.#report();
        this.#times ??= [];
        this.#startedAt = wallTime();
        break;
      case "revoke":
        // Done before it gets here, by whoever shares the slots.
        break;
      default:
        message satisfies never;
    }
  }

  /** The worker is about to be gone: what has finished must not be lost with it, and nothing else is begun. */
  end(cause?: EncodedError, exitCode?: number): void {
    this.#closing = true;
    try {
      this.#report();
    } finally {
      this.#line.send(
        ["closing", cause ?? this.#untimely(exitCode), exitCode],
        [],
      );
    }
    // Whoever ends is not ready, and has not loaded what it goes on with.
    this.#line.send = () => {};
  }

  /** Why it ends before it was ready, or in the middle of a module: nobody else can tell. */
  #untimely(exitCode: number | undefined): EncodedError | undefined {
    const how = exitCode === undefined ? "closed the worker" : exitCode === 0
      // Up to 2.6, Deno does not tell a worker any other.
      ? "ended the worker"
      : `ended the worker with exit code ${exitCode}`;
    const module = loadingModule();
    if (module !== undefined) {
      return encodeError(
        new OwnError(
          `Module ${module} ${how} while it was loaded: put its program into if (import.meta.main) { … }`,
        ),
      );
    }
    if (this.#initializer !== undefined) {
      return encodeError(
        new OwnError(`Initializer ${nameOf(this.#initializer)} ${how}`),
      );
    }
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#work();
  }

  async #work(): Promise<void> {
    this.#restartClock();
    while (this.#segment !== undefined || this.#inbox.length > 0) {
      if (taskScopes.areAsked && !taskScopes.areKept) {
        // Or what a task leaves behind would be taken for the next one.
        this.#report();
        await taskScopes.keep();
        this.#restartClock();
      }
      this.#scope = new CallScope(this);
      await taskScopes.run(this.#scope, () => this.#workInScope());
    }
    this.#report();
    this.#working = false;
  }

  /**
   * One scope for many calls, as one for each would cost as much as the call.
   * What a call leaves behind can only run when the next one is awaited; then
   * that one needs a scope of its own, once anybody asks.
   */
  async #workInScope(): Promise<void> {
    do {
      const pending = this.#callUntilPending();
      if (pending === undefined) return;
      await pending;
    } while (!taskScopes.areAsked);
  }

  /** Makes calls until one has to be awaited, or none is left. */
  #callUntilPending(): Promise<void> | undefined {
    while (true) {
      if (this.#segment === undefined) {
        const next = this.#inbox.shift();
        if (next === undefined) return undefined;
        if (!("length" in next)) return this.#initialize(next);
        this.#segment = next;
        this.#passed = 0;
      }
      // By index: a task may have patched the iterator of arrays.
      const segment = this.#segment;
      const id = segment[0];
      const count = segment[1];
      const args = segment[2];
      const oneItem = segment[3];
      const called = id === UNREAD_ID ? UNREAD : this.#functions[id]!;
      if (called.fn === undefined) return this.#load(called);
      const arity = args.length / count;
      while (this.#passed < count) {
        if (this.#closing) return NEVER;
        const n = this.#passed++;
        if (called.timedTogether < MAX_TIMED_TOGETHER) this.#report();
        this.#itemEnds = !oneItem || this.#passed === count;
        if (this.#enter(oneItem ? n : 0)) {
          const pending = this.#call(called, args, n * arity, arity);
          if (pending !== undefined) return pending;
        } else {
          this.#position++;
          if (oneItem) this.#passed = count;
        }
      }
      // Deno 2.4 keeps the last message of a port, and this is a part of it.
      (args as unknown[]).length = 0;
      this.#segment = undefined;
    }
  }

  /** Enters the next call; false if the host has taken it back. */
  #enter(n: number): boolean {
    const entered = this.#line.slots.enter(this.#position, n);
    if (entered === "announced") {
      this.#line.send(["entered", this.#position, n + 1]);
    }
    return entered !== false;
  }

  #call(
    called: WorkerFunction,
    args: readonly unknown[],
    at: number,
    arity: number,
  ): Promise<void> | undefined {
    const fn = called.fn!;
    this.#scope.begin();
    if (this.#times !== undefined) this.#startedAt = wallTime();
    try {
      const value = arity === 1
        ? fn(args[at])
        : apply(fn, undefined, argumentsAt(args, at, arity));
      if (isThenable(value)) {
        // Only runs if the event loop turns before the promise has settled.
        this.#reportSoon();
        return this.#awaitOutcome(called, value);
      }
      this.#resolve(called, value);
    } catch (error) {
      this.#reject(called, error);
    }
  }

  async #awaitOutcome(
    called: WorkerFunction,
    promise: PromiseLike<unknown>,
  ): Promise<void> {
    let value: unknown;
    try {
      value = await promise;
    } catch (error) {
      return this.#reject(called, error);
    }
    this.#resolve(called, value);
  }

  /** What has ended does not wait for long for a call that is awaited. */
  #reportSoon(): void {
    try {
      this.#reportTimer ??= setTimeout(() => this.#report(), REPORT_MS);
    } catch {
      // An earlier task has spoilt what Deno makes timers of.
      this.#report();
    }
  }

  #resolve(called: WorkerFunction, value: unknown): void {
    const copy = copyPlain(value);
    if (copy !== NOT_PLAIN) {
      this.#values[this.#values.length] = copy;
      if (this.#ended(called)) this.#report();
      return;
    }
    // As it is now, and so that it fails alone if it cannot be cloned.
    this.#report();
    this.#values[0] = unwrapTransfer(value);
    this.#ended(called);
    this.#report(isTransfer(value) ? value.transferables : []);
  }

  #reject(called: WorkerFunction, error: unknown): void {
    const index = this.#values.length;
    const failures = this.#failures;
    failures[failures.length] = index;
    failures[failures.length] = this.#encode(error, called.reference);
    this.#values[index] = undefined;
    if (this.#ended(called)) this.#report();
  }

  #encode(error: unknown, reference?: FunctionReference): EncodedError {
    if (error === UNREAD) return { kind: "unread" };
    const { name, carries } = this.#line;
    const encoded = encodeError(error, `worker ${name}`, carries);
    return reference?.kind === "source" ? explain(encoded, reference) : encoded;
  }

  /** True if it is time to report. */
  #ended(called: WorkerFunction): boolean {
    if (this.#itemEnds) this.#position++;
    this.#scope.end();
    const times = this.#times;
    if (times !== undefined) {
      times[times.length] = this.#startedAt;
      times[times.length] = wallTime();
    }
    if (++this.#untimed < called.timedTogether) return false;
    const now = monotonicTime();
    const quick = now - this.#timedAt < QUICK_MS * this.#untimed;
    if (!quick) called.timedTogether = 1;
    else if (called.timedTogether < MAX_TIMED_TOGETHER) {
      called.timedTogether *= 2;
    }
    this.#timedAt = now;
    this.#untimed = 0;
    if (now - this.#reportedAt >= REPORT_MS) return true;
    // What a map() has in flight is limited, so its host may be waiting.
    return this.#segment![3] && this.#values.length >= BATCH_CALLS;
  }

  /** Idling, and looking for functions, is not work. */
  #restartClock(): void {
    this.#reportedAt = this.#timedAt = monotonicTime();
    this.#untimed = 0;
  }

  async #load(called: WorkerFunction): Promise<void> {
    this.#report();
    // A module may take its time, or never end; source is there at once.
    const announced = called.reference.kind === "export";
    if (announced) this.#line.send(["loading"]);
    try {
      called.fn = await loadFunction(called.reference);
    } catch (error) {
      called.fn = () => {
        throw error;
      };
    }
    if (announced) this.#line.send(["loaded"]);
    this.#restartClock();
  }

  async #initialize({ fn, args }: Initialization): Promise<void> {
    const reference = fn === undefined
      ? undefined
      : this.#functions[fn]!.reference;
    try {
      if (args === undefined) throw initArgsError(unreadable());
      if (reference !== undefined) {
        const initializer = await loadFunction(reference);
        this.#initializer = reference;
        await apply(initializer, undefined, args);
        this.#initializer = undefined;
      }
    } catch (error) {
      this.#line.send(["unfit", this.#encode(error, reference)], []);
      // The host closes this worker; until then it does nothing.
      await NEVER;
    }
    this.#line.send(["ready"]);
    this.#restartClock();
  }

  /** Why the running call is to stop, as the host's last word may not have arrived. */
  stopReason(task: RunningTask): CancelledError | TimeoutError | undefined {
    if (!this.#scope.runs(task)) return undefined;
    switch (this.#line.slots.stopKind(this.#position)) {
      case "cancelled":
        return new CancelledError("The task was stopped");
      case "timed out":
        return new TimeoutError("The task ran longer than its timeout");
    }
  }

  /** Sends the outcomes since the last report. */
  #report(transferables?: Transferable[]): void {
    if (this.#reportTimer !== undefined) {
      clearTimeout(this.#reportTimer);
      this.#reportTimer = undefined;
    }
    if (this.#values.length === 0 && this.#reported === this.#position) return;
    const now = monotonicTime();
    const busyMs = now - this.#reportedAt;
    const values = this.#values;
    const failures = this.#failures.length > 0 ? this.#failures : undefined;
    const times = this.#times;
    this.#values = [];
    this.#failures = [];
    if (times !== undefined) this.#times = [];
    const before = this.#reportedCalls;
    this.#reported = this.#position;
    this.#reportedCalls += values.length;
    this.#reportedAt = now;
    try {
      this.#line.send(
        ["done", this.#position, busyMs, values, failures, times, before],
        // The fields of errors need not be plain either.
        transferables ?? (failures && []),
      );
    } catch (error) {
      // Plain values and errors can always be sent, so this is one that stands alone.
      const refusal = this.#encode(resultError(values[0], error));
      const refusals: (number | EncodedError)[] = [];
      for (let i = 0; i < values.length; i++) {
        values[i] = undefined;
        refusals[2 * i] = i;
        refusals[2 * i + 1] = refusal;
      }
      this.#line.send([
        "done",
        this.#position,
        busyMs,
        values,
        refusals,
        times,
        before,
      ], []);
    }
  }
}

/** The arguments of one of many calls, without a method or an iterator that a task may have patched. */
function argumentsAt(
  args: readonly unknown[],
  at: number,
  arity: number,
): readonly unknown[] {
  const its = new OwnArray<unknown>(arity);
  for (let i = 0; i < arity; i++) its[i] = args[at + i];
  return its;
}
