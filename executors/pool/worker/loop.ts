/**
 * The loop inside a worker: takes messages from the host, calls functions one
 * after another, and reports outcomes. Knows no transport.
 *
 * ```text
 * received(message) ──► inbox ──► enter the slot ──► function ──► report.ts ──► "done"
 * ```
 *
 * Functions that return no promise run in one go, without a turn of the event
 * loop between them.
 *
 * @module
 */

import { CancelledError, TimeoutError } from "../../errors.ts";
import { type CallMaker, CallScope } from "../../running_task.ts";
import { runTraced } from "../../job/trace.ts";
import {
  apply,
  OwnArray,
  OwnError,
  OwnPromise,
} from "../../runtime/builtins.ts";
import { Deque } from "../../runtime/deque.ts";
import { isThenable } from "../../runtime/thenable.ts";
import type { AnyFunction, FunctionReference } from "../../task.ts";
import { taskScopes } from "../../task_scopes.ts";
import { nameOf } from "../../text.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import { initArgsError, unreadable } from "../wire/clone_error.ts";
import { decodeError, type EncodedError, encodeError } from "../wire/codec.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import type { Segment, ToWorker } from "../wire/protocol.ts";
import { checkReport } from "../wire/clone_report.ts";
import { sendReport } from "./task_reports.ts";
import { explain, loadEvaluator } from "./evaluate.ts";
import { loadingModule, loadTask } from "./load.ts";
import {
  encodeThrown,
  type HostLine,
  MAX_TIMED_TOGETHER,
  type Pace,
  Report,
} from "./report.ts";

/** A function that the host has defined. */
interface WorkerFunction extends Pace {
  readonly reference: FunctionReference;
  /** The function; `undefined` until its first call makes the worker look for it. */
  fn: AnyFunction | undefined;
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
export class WorkerLoop implements CallMaker {
  readonly #line: HostLine;
  readonly #report: Report;
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

  constructor(line: HostLine) {
    this.#line = line;
    this.#report = new Report(line, () => this.#position);
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
        this.#report.watch();
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
      this.#report.send();
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
    this.#report.restartClock();
    while (this.#segment !== undefined || this.#inbox.length > 0) {
      if (taskScopes.areAsked && !taskScopes.areKept) {
        // Without scopes, code that a task leaves behind would be taken for the next task.
        this.#report.send();
        await taskScopes.keep();
        this.#report.restartClock();
      }
      this.#scope = new CallScope(this);
      await taskScopes.run(this.#scope, () => this.#workInScope());
    }
    this.#report.send();
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
        if (called.timedTogether < MAX_TIMED_TOGETHER) this.#report.send();
        this.#jobEnds = !oneJob || this.#passed === count;
        if (this.#enter(oneJob ? n : 0)) {
          const pending = this.#call(called, args, n, arity);
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
    n: number,
    arity: number,
  ): Promise<void> | undefined {
    const fn = called.fn!;
    const at = n * arity;
    const trace = this.#segment![4]?.traces?.[n];
    this.#scope.begin();
    this.#report.begin();
    try {
      const value = trace !== undefined
        ? runTraced(
          trace,
          () => apply(fn, undefined, argumentsAt(args, at, arity)),
        )
        : arity === 1
        ? fn(args[at])
        : apply(fn, undefined, argumentsAt(args, at, arity));
      if (isThenable(value)) {
        this.#report.soon();
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

  #resolve(called: WorkerFunction, value: unknown): void {
    const copy = this.#segment![4]?.quiet ? undefined : copyPlain(value);
    if (copy !== NOT_PLAIN) {
      this.#report.value(copy);
      if (this.#ended(called)) this.#report.send();
      return;
    }
    // The result travels alone, so that no other fails with one that cannot be
    // cloned, and leaves now, as a later task may change it.
    this.#report.send();
    this.#report.value(unwrapTransfer(value));
    this.#ended(called);
    this.#report.send(isTransfer(value) ? value.transferables : []);
  }

  #reject(called: WorkerFunction, error: unknown): void {
    this.#report.failure(this.#encode(error, called.reference));
    if (this.#ended(called)) this.#report.send();
  }

  #encode(error: unknown, reference?: FunctionReference): EncodedError {
    if (error === UNREAD) return { kind: "unread" };
    const encoded = encodeThrown(this.#line, error);
    return reference?.kind === "source" ? explain(encoded, reference) : encoded;
  }

  /** A call has ended; true if it is time to report. */
  #ended(called: WorkerFunction): boolean {
    if (this.#jobEnds) this.#position++;
    this.#scope.end();
    return this.#report.ended(called, this.#segment![3]);
  }

  async #load(called: WorkerFunction): Promise<void> {
    this.#report.send();
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
    this.#report.restartClock();
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
    this.#report.restartClock();
  }

  get attempt(): number {
    return this.#segment![4]?.attempt ?? 1;
  }

  report(value: unknown): void {
    const [, , , oneJob, about] = this.#segment!;
    if (about?.reports === undefined || this.#closing) return;
    checkReport(value, about.reports);
    // So that the call which reports is the first that has not ended.
    this.#report.send();
    const call = oneJob ? this.#passed - 1 : 0;
    sendReport(this.#line, this.#position, call, value);
  }

  /**
   * Why the running call is to stop, read from its slot: in a loop that never
   * yields, no message arrives.
   */
  stopReason(): CancelledError | TimeoutError | undefined {
    switch (this.#line.slots.stopKind(this.#position)) {
      case "cancelled":
        return new CancelledError("The task was stopped");
      case "timed out":
        return new TimeoutError("The task ran longer than its timeout");
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
