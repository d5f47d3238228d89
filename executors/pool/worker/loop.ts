/**
 * The loop inside a worker: takes messages from the host, calls functions one
 * after another, and reports outcomes. Knows no transport.
 *
 * ```text
 * received(message) ──► inbox ──► enter the slot ──► function ──► outcomes ──► "done"
 * ```
 *
 * Functions that return no promise run in one go, without a turn of the event
 * loop between them. Outcomes are reported together, but no outcome waits for a
 * slow call: until a function has shown that its calls are quick, each outcome
 * is reported before the next call is entered; from then on outcomes leave after
 * `REPORT_MS`, those of a `map()` also when there are `MESSAGE_CALLS` of them.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../../errors.ts";
import {
  CallScope,
  type RunningTask,
  type StopSource,
} from "../../running_task.ts";
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
import { isThenable } from "../../runtime/thenable.ts";
import type { AnyFunction, FunctionReference } from "../../task.ts";
import { taskScopes } from "../../task_scopes.ts";
import { nameOf } from "../../text.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { initArgsError, resultError, unreadable } from "../wire/clone_error.ts";
import { decodeError, type EncodedError, encodeError } from "../wire/codec.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import {
  MESSAGE_CALLS,
  type Segment,
  type ToHost,
  type ToWorker,
} from "../wire/protocol.ts";
import type { Slots } from "../wire/slots.ts";
import { explain, loadEvaluator } from "./evaluate.ts";
import { loadingModule, loadTask } from "./load.ts";

/**
 * How long an outcome may wait for others, in milliseconds: a message costs
 * about as much as ten tiny tasks.
 */
const REPORT_MS = 1;

/** Quick calls take less than this, in milliseconds. */
const QUICK_MS = 0.1;

/**
 * How many quick calls are timed at once at most: reading the clock takes as
 * long as a trivial call.
 */
const MAX_TIMED_TOGETHER = 32;

/** The line to the host, as the worker sees it. */
export interface HostLine {
  /** The worker's name. */
  readonly name: string;
  readonly slots: Slots;
  /**
   * Sends a message. Throws, and sends nothing, if the message cannot be cloned.
   * Values that are not plain come with a list of what is to be moved, which may
   * be empty.
   */
  send(message: ToHost, transferables?: Transferable[]): void;
  /** Whether a copy of a value can be sent, and read by the host. */
  carries(value: unknown): boolean;
}

/** A function that the host has defined. */
interface WorkerFunction {
  readonly reference: FunctionReference;
  /** The function; `undefined` until its first call makes the worker look for it. */
  fn: AnyFunction | undefined;
  /**
   * How many calls are timed at once. The number doubles with quick calls; at
   * its most, the function has shown that its calls are quick.
   */
  timedTogether: number;
}

/** The "initialize" message, which calls wait for. */
interface Initialization {
  readonly fn: number | undefined;
  /** `undefined` if the arguments could not be read. */
  readonly args: readonly unknown[] | undefined;
}

/** Awaited by a worker that is to do nothing more. */
const NEVER = new OwnPromise<never>(() => {});

/** The number of a function that nobody has defined: see {@linkcode UNREAD}. */
const UNREAD_ID = -1;

/** Called, in vain, in the place of a function whose arguments could not be read. */
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
  /** Whether the last words have been said; Deno may let the worker go on for a while. */
  #closing = false;
  /** The initializer, while it runs. */
  #initializer: FunctionReference | undefined;
  /** The calls at the front, and how many of them have been entered or passed over. */
  #segment: Segment | undefined;
  #passed = 0;
  /** The position of the job at the front. */
  #position = 0;
  /** Whether the running call is the last of its job. */
  #jobEnds = false;
  #scope = new CallScope(this);
  #values: unknown[] = [];
  #failures: (number | EncodedError)[] = [];
  /** When the calls of the outcomes to report began and ended, if somebody watches. */
  #times: number[] | undefined;
  /** When the running call began, if somebody watches. */
  #startedAt = 0;
  /** All jobs before this position have been reported. */
  #reported = 0;
  /** How many calls have been reported, and when the last report was. */
  #reportedCalls = 0;
  #reportedAt = 0;
  #reportTimer: ReturnType<typeof setTimeout> | undefined;
  /** How many calls have ended since the clock was read, and when that was. */
  #untimed = 0;
  #timedAt = 0;

  constructor(line: HostLine) {
    this.#line = line;
    // If loading fails, the first function that travels as source says so.
    loadEvaluator().catch(() => {});
  }

  /** A message has come from the host. */
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
        // Only arguments that travel alone can be unreadable: first those of the
        // initializer, then those of calls.
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
        // The call may have ended, so that another one is running now.
        if (message[1] === this.#position) {
          this.#scope.task?.stop(
            decodeError(message[2]) as CancelledError | TimeoutError,
          );
        }
        break;
      case "watch":
        // Calls that have ended have no times, and the times of one report have
        // to match its outcomes.
        this.#report();
        this.#times ??= [];
        this.#startedAt = wallTime();
        break;
      case "revoke":
        // Whoever shares the slots with the worker has revoked the calls there.
        break;
      default:
        message satisfies never;
    }
  }

  /**
   * The worker is about to be gone: reports the calls that have ended, which
   * would be lost, and begins no more.
   */
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
    // Deno may let a load or an initializer go on: its "loaded" or "ready" would be a lie.
    this.#line.send = () => {};
  }

  /** Why the worker ends before it is ready, or while it loads a module: the host cannot tell. */
  #untimely(exitCode: number | undefined): EncodedError | undefined {
    const how = exitCode === undefined ? "closed the worker" : exitCode === 0
      // Up to 2.6, Deno tells a worker of no other exit code.
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
        // Without scopes, code that a task leaves behind would be taken for the next task.
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
   * Makes many calls in one scope, as a scope for each would cost as much as the
   * call. Code that a call leaves behind can only run while a later call is
   * awaited; once a task has asked for itself, that call needs its own scope.
   */
  async #workInScope(): Promise<void> {
    do {
      const pending = this.#callUntilPending();
      if (pending === undefined) return;
      await pending;
    } while (!taskScopes.areAsked);
  }

  /** Makes calls until one has to be awaited, which it returns, or none is left. */
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
      const oneJob = segment[3];
      const called = id === UNREAD_ID ? UNREAD : this.#functions[id]!;
      if (called.fn === undefined) return this.#load(called);
      const arity = args.length / count;
      while (this.#passed < count) {
        if (this.#closing) return NEVER;
        const n = this.#passed++;
        if (called.timedTogether < MAX_TIMED_TOGETHER) this.#report();
        this.#jobEnds = !oneJob || this.#passed === count;
        if (this.#enter(oneJob ? n : 0)) {
          const pending = this.#call(called, args, n * arity, arity);
          if (pending !== undefined) return pending;
        } else {
          this.#position++;
          if (oneJob) this.#passed = count;
        }
      }
      // Deno 2.4 keeps the last message of a port alive, and with it its arguments.
      (args as unknown[]).length = 0;
      this.#segment = undefined;
    }
  }

  /** Enters the next call; false if the host has revoked it. */
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
        // The timer fires only if the event loop turns before the promise has settled.
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

  /** Outcomes do not wait for long for a call that is awaited. */
  #reportSoon(): void {
    try {
      this.#reportTimer ??= setTimeout(() => this.#report(), REPORT_MS);
    } catch {
      // An earlier task has broken the globals from which Deno makes timers.
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
    // The result travels alone, so that no other fails with one that cannot be
    // cloned, and leaves now, as a later task may change it.
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

  /** A call has ended; true if it is time to report. */
  #ended(called: WorkerFunction): boolean {
    if (this.#jobEnds) this.#position++;
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
    // A map() has a limited number of calls in flight, so its host may be waiting.
    return this.#segment![3] && this.#values.length >= MESSAGE_CALLS;
  }

  /** Neither idling nor loading functions counts as busy. */
  #restartClock(): void {
    this.#reportedAt = this.#timedAt = monotonicTime();
    this.#untimed = 0;
  }

  async #load(called: WorkerFunction): Promise<void> {
    this.#report();
    // Only a module may take long to load, or for ever: the host gives it `startTimeout`.
    const announced = called.reference.kind === "export";
    if (announced) this.#line.send(["loading"]);
    try {
      called.fn = await loadTask(called.reference);
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
        const initializer = await loadTask(reference);
        this.#initializer = reference;
        await apply(initializer, undefined, args);
        this.#initializer = undefined;
      }
    } catch (error) {
      this.#line.send(["unfit", this.#encode(error, reference)], []);
      // The host closes this worker, which does nothing until then.
      await NEVER;
    }
    this.#line.send(["ready"]);
    this.#restartClock();
  }

  /**
   * Why the running call is to stop, read from its slot: in a loop that never
   * yields, no message arrives.
   */
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
        // Fields of errors need not be plain.
        transferables ?? (failures && []),
      );
    } catch (error) {
      // Plain values and errors can always be sent, so the report has one value, which is not plain.
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

/**
 * The arguments of one of many calls, copied without methods and iterators, as
 * a task may have patched them.
 */
function argumentsAt(
  args: readonly unknown[],
  at: number,
  arity: number,
): readonly unknown[] {
  const own = new OwnArray<unknown>(arity);
  for (let i = 0; i < arity; i++) own[i] = args[at + i];
  return own;
}
