/**
 * The way of inputs into the executor: pulled while there is room, awaited if
 * they are promises, and submitted.
 *
 * ```text
 * inputs ──pull, while there is room──► Batch, Job ──enqueue──► the executor
 *                └─ promises ──► Batch ──await──► Job ──┘
 * ```
 *
 * Inputs that are pulled at once become one job, of which the executor splits off
 * as many calls as it wants. So a call costs two places in arrays: no future, no
 * promise, no object of its own. An input that is a promise has its place at once,
 * and a job of its own later: those behind it do not wait for it.
 *
 * @module
 */

import { BrokenExecutorError, CancelledError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { enqueueTimed } from "../job/overtime.ts";
import type { UpcomingWork } from "../job/upcoming.ts";
import { monotonicTime, queueMicrotask } from "../runtime/clock.ts";
import { isThenable } from "../runtime/thenable.ts";
import { Turns } from "../runtime/turns.ts";
import { isTransfer } from "../transfer.ts";
import type { Batch } from "./batch.ts";
import type { MapCalls } from "./calls.ts";
import type { Inputs } from "./inputs.ts";
import type { MapSettings, MapTarget } from "./options.ts";

/** Whoever wants inputs pulled. */
export interface PullOwner {
  /** How many more calls may be in flight or unread. */
  readonly room: number;
  /** Whether inputs are pulled also after a shutdown. */
  readonly outlivesShutdown: boolean;
  /** Calls have a batch, and are on their way. */
  added(batch: Batch, count: number): void;
  /** No more input is pulled, and none is awaited: there will be no more calls. */
  inputEnded(): void;
  /** There may be something to do: outcomes to hand out, or inputs to pull. */
  advance(): void;
}

/** Pulls the inputs of one map. */
export class Pull implements UpcomingWork {
  /** Set when no more input is pulled; its error, if there is one, comes after the last outcome. */
  end: { error?: unknown } | undefined;
  readonly #inputs: Inputs;
  readonly #settings: MapSettings;
  readonly #target: MapTarget;
  readonly #calls: MapCalls;
  readonly #owner: PullOwner;
  readonly #outlivesShutdown: boolean;
  #isWhole = false;
  #pulling = false;
  /** The batches of calls whose arguments are awaited. */
  readonly #awaited = new Set<Batch>();
  #advanceDue = false;
  /**
   * Turns of the event loop, as an input that computes keeps everything else in
   * this thread waiting.
   */
  readonly #turns = new Turns();

  constructor(
    inputs: Inputs,
    settings: MapSettings,
    target: MapTarget,
    calls: MapCalls,
    owner: PullOwner,
  ) {
    this.#inputs = inputs;
    this.#settings = settings;
    this.#target = target;
    this.#calls = calls;
    this.#owner = owner;
    this.#outlivesShutdown = owner.outlivesShutdown;
    // The clock is read once: to read it for each pull takes longer than the pull.
    this.#turns.begin(monotonicTime());
  }

  /** Whether there will be no more calls. */
  get isDone(): boolean {
    return this.end !== undefined && this.#awaited.size === 0;
  }

  /** Whether the input has ended by itself. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Pulls inputs while there is room; true if there may be outcomes to hand out. */
  pull(): boolean {
    if (this.#pulling || this.end !== undefined) return false;
    let left = this.#owner.room;
    if (left <= 0) return false;
    this.#pulling = true;
    if (this.#inputs.async) {
      this.#pullAsync();
      return false;
    }
    const { arity } = this.#inputs;
    let args: unknown[] = [];
    let count = 0;
    let end: { error?: unknown } | undefined;
    let turn: Promise<void> | undefined;
    this.#inputs.hold();
    // An input may run code that ends the map.
    while (end === undefined && left > 0 && this.end === undefined) {
      turn = this.#turnDue();
      if (turn !== undefined) break;
      try {
        this.#assertOpen();
        const pulled = this.#inputs.pull(args, left);
        count += pulled;
        left -= pulled;
        if (pulled === 0) end = {};
        else if (anyAlone(args, args.length - arity)) {
          const alone = args.splice(-arity);
          this.#submit(args, count - 1);
          this.#submitAlone(alone);
          args = [];
          count = 0;
        }
      } catch (error) {
        end = { error };
      }
    }
    this.#inputs.release();
    this.#submit(args, count);
    if (end !== undefined) this.endInput(end);
    if (turn === undefined) this.#pulling = false;
    else {
      turn.then(() => {
        this.#pulling = false;
        this.#owner.advance();
      });
    }
    return true;
  }

  /** Ends the input; if it has ended before, for that reason. */
  endInput(end: { error?: unknown }): void {
    this.end ??= end;
    this.#isWhole ||= this.#inputs.closed;
    this.#tellEnd();
    this.#inputs.close();
  }

  /** Nobody wants an outcome any more. */
  stop(): void {
    this.#turns.rest(monotonicTime());
    this.#inputs.close();
    this.#awaited.clear();
    this.#target.upcoming.end(this);
  }

  /**
   * The executor takes no more jobs: ends the input, also if that has been
   * asked and does not answer. What it has given is still awaited, unless the
   * executor is broken.
   */
  executorClosed(error: unknown): void {
    if (error instanceof BrokenExecutorError) this.#refuseAwaited(() => error);
    if (this.end === undefined) this.endInput({ error });
    this.#owner.advance();
  }

  giveUp(): void {
    this.#refuseAwaited(() => new CancelledError("The task was cancelled"));
  }

  /**
   * Advances in a microtask: outcomes come many at a time, and the inputs that
   * they make room for are to travel together.
   */
  advanceSoon(): void {
    if (this.#advanceDue) return;
    this.#advanceDue = true;
    queueMicrotask(() => {
      this.#advanceDue = false;
      this.#owner.advance();
    });
  }

  get #room(): number {
    return this.end === undefined ? this.#owner.room : 0;
  }

  #assertOpen(): void {
    if (!this.#outlivesShutdown) this.#target.assertOpen();
  }

  /**
   * The turn that the next pull has to wait for; none without a `bufferSize`,
   * as then all is pulled at once.
   */
  #turnDue(): Promise<void> | undefined {
    return this.#settings.bufferSize === Infinity
      ? undefined
      : this.#turns.due();
  }

  async #pullAsync(): Promise<void> {
    while (this.#room > 0) {
      try {
        this.#assertOpen();
        const args = await this.#inputs.pullAsync();
        // The signal or the executor may have ended the input meanwhile.
        if (this.end !== undefined) break;
        if (args === undefined) {
          this.endInput({});
        } else {
          this.#assertOpen();
          this.#submitAlone(args);
        }
      } catch (error) {
        this.endInput({ error });
      }
      this.#owner.advance();
    }
    this.#pulling = false;
  }

  #submit(args: unknown[], count: number): void {
    if (count === 0 || this.end !== undefined) return;
    const job = this.#calls.job(args);
    this.#owner.added(job.target, count);
    this.#enqueue(job);
  }

  /** Submits one call, now or when its arguments are there. */
  #submitAlone(args: unknown[]): void {
    if (!args.some(isAwaited)) this.#submit(args, 1);
    else if (this.end === undefined) {
      const batch = this.#calls.batch(args);
      this.#owner.added(batch, 1);
      this.#awaitArgs(batch, args);
    }
  }

  async #awaitArgs(batch: Batch, args: unknown[]): Promise<void> {
    this.#awaited.add(batch);
    this.#target.upcoming.begin(this);
    let failure: { readonly error: unknown } | undefined;
    try {
      // All at once, so that each rejection has somebody who listens.
      // In place, as the batch has the list.
      await Promise.all(args.map(async (arg, i) => {
        if (isAwaited(arg)) args[i] = await arg;
      }));
    } catch (error) {
      failure = { error };
    }
    if (!this.#awaited.delete(batch)) return;
    if (failure !== undefined) this.#calls.refuse(batch, failure.error);
    else this.#enqueue(this.#calls.jobOf(batch, args));
    if (this.#awaited.size === 0) this.#target.upcoming.end(this);
    this.#tellEnd();
  }

  #enqueue(job: Job): void {
    if (this.#settings.call.timeout === Infinity) this.#target.enqueue(job);
    else enqueueTimed(job, (job) => this.#target.enqueue(job));
  }

  /** Calls whose arguments are awaited will not be made. */
  #refuseAwaited(error: () => unknown): void {
    for (const batch of [...this.#awaited]) {
      if (this.#awaited.delete(batch)) this.#calls.refuse(batch, error());
    }
    this.#target.upcoming.end(this);
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.isDone) this.#owner.inputEnded();
  }
}

/** Whether a call, whose arguments begin at an index, is to be a job of its own. */
function anyAlone(args: readonly unknown[], from: number): boolean {
  for (let i = from; i < args.length; i++) {
    const arg = args[i];
    const isObject = typeof arg === "object" || typeof arg === "function";
    if (isObject && (isTransfer(arg) || isAwaited(arg))) return true;
  }
  return false;
}

/** Whether an input is awaited before it is an argument. */
function isAwaited(value: unknown): boolean {
  try {
    return isThenable(value);
  } catch {
    // Of a proxy that was revoked, say: whoever makes the call sees what it is.
    return false;
  }
}
