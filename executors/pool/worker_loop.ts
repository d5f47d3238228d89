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
 * on they leave after `REPORT_MS`.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { RunningTask, type TaskScope, taskScopes } from "../current_task.ts";
import { Deque } from "../deque.ts";
import { CancelledError, TimeoutError } from "../errors.ts";
import { isThenable } from "../future.ts";
import type { FunctionReference } from "../task.ts";
import { isTransfer } from "../transfer.ts";
import { type AnyFunction, nameOf } from "../work_item.ts";
import { decodeError, type EncodedError, encodeError } from "./codec.ts";
import { loadFunction } from "./load.ts";
import type { Segment, ToHost, ToWorker } from "./protocol.ts";
import {
  ANNOUNCED,
  REVOKED,
  type Slots,
  STOP_CANCELLED,
  STOP_TIMED_OUT,
} from "./slots.ts";

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
  /** Throws, and sends nothing, if the message cannot be cloned. */
  send(message: ToHost, transferables?: Transferable[]): void;
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
  readonly args: readonly unknown[];
}

/** The life of a worker between its first message and its last. */
export class WorkerLoop {
  readonly #line: HostLine;
  readonly #functions: WorkerFunction[] = [];
  readonly #inbox = new Deque<Segment | Initialization>();
  #working = false;
  /** The calls at the front, and how many of them have been made. */
  #segment: Segment | undefined;
  #made = 0;
  /** The position of the next call. */
  #position = 0;
  #scope: TaskScope = { task: undefined };
  #running: RunningTask | undefined;
  #values: unknown[] = [];
  #failures: (number | EncodedError)[] = [];
  /** Everything before this position has been reported, up to this time. */
  #reported = 0;
  #reportedAt = 0;
  #reportTimer: ReturnType<typeof setTimeout> | undefined;
  #untimed = 0;
  #timedAt = 0;

  constructor(line: HostLine) {
    this.#line = line;
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
        this.#inbox.push({ fn: message[1], args: message[2] });
        this.#wake();
        break;
      case "run":
        for (const segment of message[1]) this.#inbox.push(segment);
        this.#wake();
        break;
      case "stop":
        // The outcome may already be on its way; then it is another one's turn.
        if (message[1] === this.#position) {
          this.#running?.stop(
            decodeError(message[2]) as CancelledError | TimeoutError,
          );
        }
        break;
      default:
        message satisfies never;
    }
  }

  /** The worker is about to be gone: what has finished must not be lost with it. */
  end(cause?: EncodedError): void {
    this.#report();
    this.#line.send(["closing", cause]);
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#work();
  }

  async #work(): Promise<void> {
    this.#restartClock();
    while (this.#segment !== undefined || this.#inbox.length > 0) {
      // One scope for many calls, as one for each would cost as much as the
      // call. What a call leaves behind can only run when it is over.
      this.#scope = { task: undefined };
      const pending = taskScopes.run(
        this.#scope,
        () => this.#callUntilPending(),
      );
      if (pending !== undefined) await pending;
    }
    this.#report();
    this.#working = false;
  }

  /** Makes calls until one has to be awaited, or none is left. */
  #callUntilPending(): Promise<void> | undefined {
    while (true) {
      if (this.#segment === undefined) {
        const next = this.#inbox.shift();
        if (next === undefined) return undefined;
        if (!("length" in next)) return this.#initialize(next);
        this.#segment = next;
        this.#made = 0;
      }
      const [id, count, args] = this.#segment;
      const called = this.#functions[id]!;
      if (called.fn === undefined) return this.#load(called);
      const arity = args.length / count;
      while (this.#made < count) {
        const at = this.#made++ * arity;
        if (called.timedTogether < MAX_TIMED_TOGETHER) this.#report();
        if (!this.#enter()) continue;
        const pending = this.#call(called, args, at, arity);
        if (pending !== undefined) return pending;
      }
      this.#segment = undefined;
    }
  }

  /** False if the host has taken it back. */
  #enter(): boolean {
    const state = this.#line.slots.enter(this.#position);
    if (state === REVOKED) {
      this.#position++;
      return false;
    }
    if (state === ANNOUNCED) this.#line.send(["entered", this.#position]);
    return true;
  }

  #call(
    called: WorkerFunction,
    args: readonly unknown[],
    at: number,
    arity: number,
  ): Promise<void> | undefined {
    const fn = called.fn!;
    const position = this.#position;
    this.#scope.task = this.#running = new RunningTask(() =>
      this.#stopReason(position)
    );
    try {
      const value = arity === 1
        ? fn(args[at])
        : fn(...args.slice(at, at + arity));
      if (isThenable(value)) {
        // Only runs if the event loop turns before the promise has settled.
        this.#reportTimer ??= setTimeout(() => this.#report(), REPORT_MS);
        return Promise.resolve(value).then(
          (value) => this.#resolve(called, value),
          (error) => this.#reject(called, error),
        );
      }
      this.#resolve(called, value);
    } catch (error) {
      this.#reject(called, error);
    }
  }

  #resolve(called: WorkerFunction, value: unknown): void {
    const moves = isTransfer(value);
    // A message of its own, so that what cannot be moved fails alone.
    if (moves) this.#report();
    this.#values.push(moves ? value.value : value);
    this.#ended(called);
    if (moves) this.#report(value.transferables);
  }

  #reject(called: WorkerFunction, error: unknown): void {
    let encoded = encodeError(error, `worker ${this.#line.name}`);
    if (called.reference.kind === "source") {
      encoded = explain(encoded, called.reference.name);
    }
    this.#failures.push(this.#values.length, encoded);
    this.#values.push(undefined);
    this.#ended(called);
  }

  #ended(called: WorkerFunction): void {
    this.#position++;
    this.#scope.task = this.#running = undefined;
    if (++this.#untimed < called.timedTogether) return;
    const now = performance.now();
    const quick = now - this.#timedAt < QUICK_MS * this.#untimed;
    called.timedTogether = quick
      ? Math.min(called.timedTogether * 2, MAX_TIMED_TOGETHER)
      : 1;
    this.#timedAt = now;
    this.#untimed = 0;
    if (now - this.#reportedAt >= REPORT_MS) this.#report();
  }

  /** Idling, and looking for functions, is not work. */
  #restartClock(): void {
    this.#reportedAt = this.#timedAt = performance.now();
    this.#untimed = 0;
  }

  async #load(called: WorkerFunction): Promise<void> {
    this.#report();
    called.fn = await loadFunction(called.reference).catch((error) => () => {
      throw error;
    });
    this.#restartClock();
  }

  async #initialize({ fn, args }: Initialization): Promise<void> {
    try {
      if (fn !== undefined) {
        const called = this.#functions[fn]!;
        await this.#load(called);
        await called.fn!(...args);
      }
    } catch (error) {
      this.#line.send([
        "unfit",
        encodeError(error, `worker ${this.#line.name}`),
      ]);
      // The host closes this worker; until then it does nothing.
      await new Promise(() => {});
    }
    this.#line.send(["ready"]);
    this.#restartClock();
  }

  /** Why the call at `position` is to stop, as the host's last word may not have arrived. */
  #stopReason(position: number): CancelledError | TimeoutError | undefined {
    if (position !== this.#position) return undefined;
    const state = this.#line.slots.get(position);
    if (state === STOP_CANCELLED) {
      return new CancelledError("The task was stopped");
    }
    if (state === STOP_TIMED_OUT) {
      return new TimeoutError("The task ran longer than its timeout");
    }
    return undefined;
  }

  /** Sends the outcomes since the last report. */
  #report(transferables?: Transferable[]): void {
    if (this.#reportTimer !== undefined) {
      clearTimeout(this.#reportTimer);
      this.#reportTimer = undefined;
    }
    if (this.#reported === this.#position) return;
    const now = performance.now();
    const busyMs = now - this.#reportedAt;
    const values = this.#values;
    let failures = this.#failures;
    this.#values = [];
    this.#failures = [];
    this.#reported = this.#position;
    this.#reportedAt = now;
    const send = () =>
      this.#line.send(
        [
          "done",
          this.#position,
          busyMs,
          values,
          failures.length > 0 ? failures : undefined,
        ],
        transferables,
      );
    try {
      send();
    } catch (error) {
      failures = refuseUncloneable(values, failures, error);
      send();
    }
  }
}

/** Makes failures of the values that cannot be sent; returns all failures. */
function refuseUncloneable(
  values: unknown[],
  failures: readonly (number | EncodedError)[],
  cause: unknown,
): (number | EncodedError)[] {
  const all: (number | EncodedError)[] = [];
  let failure = 0;
  for (const [i, value] of values.entries()) {
    if (failures[failure] === i) {
      all.push(i, failures[failure + 1]!);
      failure += 2;
      continue;
    }
    try {
      // One that was to be moved stands alone, and has just been refused.
      if (values.length === 1) throw cause;
      structuredClone(value);
    } catch (error) {
      const message = error instanceof Error ? error.message : show(error);
      values[i] = undefined;
      all.push(
        i,
        encodeError(
          new DOMException(
            `Cannot send the result (${show(value)}) back: ${message}`,
            "DataCloneError",
          ),
        ),
      );
    }
  }
  return all;
}

/** Says why a function that was sent by its source may not find a name. */
function explain(error: EncodedError, name: string): EncodedError {
  if (error.kind !== "error" || error.class !== "ReferenceError") return error;
  const hint =
    `task ${
      nameOf({ name })
    } was sent as text and has only its arguments and globals; ` +
    "export it from a module as task(import.meta, …) to use imports and other names around it";
  return { ...error, message: `${error.message}: ${hint}` };
}
