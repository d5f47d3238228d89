/**
 * Counts the calls of an executor, and tells of them: by numbers at any time, and
 * by an event for each task that has ended.
 *
 * @module
 */

import { Tracing } from "./job/trace.ts";
import { wallTime } from "./runtime/clock.ts";
import type { AnyFunction } from "./task.ts";
import { functionName } from "./text.ts";

/** What became of a task. */
export type TaskOutcome = "finished" | "failed" | "cancelled";

/** One worker, as {@linkcode Executor.stats} sees it. */
export interface WorkerStats {
  /** The name of the worker; that of the only worker of a promise pool is `"main"`. */
  readonly name: string;
  /** The process of the worker, if it has one of its own. */
  readonly pid?: number;
  /** Whether the worker starts, waits for tasks, or runs one. */
  readonly state: "starting" | "idle" | "running";
  /** How many tasks have ended in the worker. */
  readonly tasks: number;
  /** How long tasks have kept the worker busy, in milliseconds. */
  readonly busyMs: number;
}

/** What an executor has done so far, and does now. */
export interface ExecutorStats {
  /** Tasks whose function has not been entered. */
  readonly pending: number;
  /** Tasks whose function has been entered and has not ended. */
  readonly running: number;
  /** Tasks that returned a value. */
  readonly finished: number;
  /** Tasks that failed with an error. */
  readonly failed: number;
  /** Tasks that were cancelled. */
  readonly cancelled: number;
  /** Attempts that have failed, and were followed by another. */
  readonly retried: number;
  /** The workers that there are now. */
  readonly workers: readonly WorkerStats[];
  /**
   * The part of their time, from 0 to 1, for which workers were busy, including
   * workers that are gone.
   */
  readonly utilisation: number;
}

/** The part of the numbers that only the strategy knows. */
export type Activity = Pick<
  ExecutorStats,
  "running" | "workers" | "utilisation"
>;

/**
 * Which worker ran a call, and when, as far as that is known; in milliseconds
 * since 1970, see {@linkcode wallTime}.
 */
export interface CallTiming {
  /** The name of the worker. */
  readonly worker: string;
  /** When the function was entered. */
  readonly started?: number;
  /** When the function ended. */
  readonly ended?: number;
}

/**
 * A task has ended. The times are milliseconds since 1970, with fractions, on
 * the clock of the worker.
 */
export class TaskEvent extends Event {
  /** The name of the task's function, perhaps empty. */
  readonly task: string;
  /** How many tasks were submitted to the executor before. */
  readonly index: number;
  /** What became of the task. */
  readonly outcome: TaskOutcome;
  /** Why the task has failed, or was cancelled; `undefined` if it has finished. */
  readonly error: unknown;
  /** How many attempts there were: 1, unless it was to be tried again. */
  readonly attempts: number;
  /** The worker that ran the task; `undefined` if none did. */
  readonly worker: string | undefined;
  /** When the task was submitted; `undefined` if that was before the first listener. */
  readonly submitted: number | undefined;
  /**
   * When the function was entered; `undefined` if it never was, or if the task
   * was stopped, or lost with its worker.
   */
  readonly started: number | undefined;
  /** When the task ended. */
  readonly ended: number;

  /**
   * Executors make these.
   *
   * @param init What is known of the task.
   */
  constructor(init: TaskEventInit) {
    super("task");
    this.task = init.task;
    this.index = init.index;
    this.outcome = init.outcome;
    this.error = init.error;
    this.attempts = init.attempts;
    this.worker = init.timing?.worker;
    this.submitted = init.submitted;
    this.started = init.timing?.started;
    this.ended = init.timing?.ended ?? wallTime();
  }
}

/** An attempt at a task has failed, and is followed by another. */
export class RetryEvent extends Event {
  /** The name of the task's function, perhaps empty. */
  readonly task: string;
  /** How many tasks were submitted to the executor before. */
  readonly index: number;
  /** Which attempt has failed, counted from 1. */
  readonly attempt: number;
  /** Why it has failed. */
  readonly error: unknown;
  /** How long the next attempt waits until it is queued, in milliseconds. */
  readonly delay: number;

  /**
   * Executors make these.
   *
   * @param init What is known of the attempt.
   */
  constructor(init: RetryEventInit) {
    super("retry");
    this.task = init.task;
    this.index = init.index;
    this.attempt = init.attempt;
    this.error = init.error;
    this.delay = init.delay;
  }
}

/** All that a {@linkcode RetryEvent} tells. */
interface RetryEventInit {
  /** The name of the task's function. */
  readonly task: string;
  /** How many tasks were submitted before. */
  readonly index: number;
  /** Which attempt has failed. */
  readonly attempt: number;
  /** Why it has failed. */
  readonly error: unknown;
  /** How long the next attempt waits, in milliseconds. */
  readonly delay: number;
}

/** All that a {@linkcode TaskEvent} tells. */
interface TaskEventInit {
  /** The name of the task's function. */
  readonly task: string;
  /** How many tasks were submitted before. */
  readonly index: number;
  /** What became of the task. */
  readonly outcome: TaskOutcome;
  /** Why, unless it has finished. */
  readonly error: unknown;
  /** How many attempts there were. */
  readonly attempts: number;
  /** When the task was submitted, if that is known. */
  readonly submitted: number | undefined;
  /** Which worker ran the task, and when. */
  readonly timing: CallTiming | undefined;
}

/** A job of one call, as the tally sees it. */
interface BetweenAttempts {
  readonly fn: AnyFunction;
  entered(): boolean;
  indexOf(call: number): number;
}

/** Counts the calls of one executor, and tells those who watch. */
export class Tally {
  /** How many calls were submitted. */
  submitted = 0;
  finished = 0;
  failed = 0;
  cancelled = 0;
  /** Attempts that were followed by another. */
  retried = 0;
  /** The jobs of attempts that were not entered, after others: their calls count as running. */
  readonly between: Set<BetweenAttempts> = new Set();
  /** Called when calls have ended. */
  onEnded: (() => void) | undefined;
  /** The spans of the calls; `undefined` if nobody collects any. */
  readonly tracing: Tracing | undefined;
  /** Whether the executor has ever had a listener, or calls have spans: only then are calls timed. */
  watched: boolean;
  readonly #target: EventTarget;

  constructor(target: EventTarget) {
    this.#target = target;
    this.tracing = Tracing.of(target.constructor.name);
    this.watched = this.tracing !== undefined;
  }

  /** Counts calls that are submitted; returns the index of the first. */
  add(count: number): number {
    const index = this.submitted;
    this.submitted += count;
    return index;
  }

  /** Counts a call that has ended. */
  ended(outcome: TaskOutcome): void {
    // Spelt out, as this[outcome]++ takes as long as a trivial task.
    if (outcome === "finished") this.finished++;
    else if (outcome === "failed") this.failed++;
    else this.cancelled++;
    this.onEnded?.();
  }

  /** Counts calls that have returned a value. */
  finishedAll(count: number): void {
    this.finished += count;
    this.onEnded?.();
  }

  /** How many calls have no outcome. */
  get open(): number {
    return this.submitted - this.finished - this.failed - this.cancelled;
  }

  /** Counts an attempt that is followed by another, and tells those who watch. */
  triedAgain(
    job: BetweenAttempts,
    attempt: number,
    error: unknown,
    delay: number,
    call = 0,
  ): void {
    this.retried++;
    const index = job.indexOf(call);
    this.tracing?.triedAgain(index, error);
    const task = functionName(job.fn);
    this.#target.dispatchEvent(
      new RetryEvent({ task, index, attempt, error, delay }),
    );
  }

  /** Tells those who watch of a call that has ended. */
  tell(init: TaskEventInit): void {
    this.#target.dispatchEvent(new TaskEvent(init));
  }

  /** How many calls are between two attempts. */
  get waiting(): number {
    let waiting = 0;
    for (const job of this.between) if (!job.entered()) waiting++;
    return waiting;
  }

  /** The numbers, together with those that the strategy knows. */
  stats(activity: Activity): ExecutorStats {
    const { finished, failed, cancelled } = this;
    const { workers, utilisation } = activity;
    const running = activity.running + this.waiting;
    return {
      pending: Math.max(0, this.open - running),
      running,
      finished,
      failed,
      cancelled,
      retried: this.retried,
      workers,
      utilisation,
    };
  }
}
