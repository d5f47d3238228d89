/**
 * What there is to see of an executor from outside: numbers at any time, and an
 * event for each task that has ended.
 *
 * @module
 */

import { wallTime } from "./runtime/clock.ts";

/** What became of a task. */
export type TaskOutcome = "finished" | "failed" | "cancelled";

/** One worker, as {@linkcode Executor.stats} sees it. */
export interface WorkerStats {
  /** Its name; that of a promise pool's only one is `"main"`. */
  readonly name: string;
  /** Its process, if it is one of its own. */
  readonly pid?: number;
  /** Whether it starts, waits for tasks, or runs one. */
  readonly state: "starting" | "idle" | "running";
  /** How many tasks have ended in it. */
  readonly tasks: number;
  /** How long those kept it busy, in milliseconds. */
  readonly busyMs: number;
}

/** What an executor has done so far, and does now. */
export interface ExecutorStats {
  /** Tasks whose function has not been entered. */
  readonly pending: number;
  /** Tasks whose function has been entered and has not ended. */
  readonly running: number;
  /** Tasks that gave a value. */
  readonly finished: number;
  /** Tasks that gave an error. */
  readonly failed: number;
  /** Tasks that were cancelled. */
  readonly cancelled: number;
  /** The workers there are. */
  readonly workers: readonly WorkerStats[];
  /** The part of their time, from 0 to 1, for which workers were busy, those included that are gone. */
  readonly utilisation: number;
}

/** What only the strategy knows. */
export type Activity = Pick<
  ExecutorStats,
  "running" | "workers" | "utilisation"
>;

/** Who ran a call, and when, as far as that is known; times as {@linkcode wallTime} tells them. */
export interface CallTiming {
  /** The name of the worker. */
  readonly worker: string;
  /** When the function was entered. */
  readonly started?: number;
  /** When it ended. */
  readonly ended?: number;
}

/**
 * A task has ended. The times are milliseconds since 1970, with fractions, on
 * the clock of the worker.
 */
export class TaskEvent extends Event {
  /** The name of its function, perhaps empty. */
  readonly task: string;
  /** How many were submitted to the executor before it. */
  readonly index: number;
  /** What became of it. */
  readonly outcome: TaskOutcome;
  /** Who ran it; `undefined` if nobody did. */
  readonly worker: string | undefined;
  /** When it was submitted; `undefined` if that was before the first listener. */
  readonly submitted: number | undefined;
  /** When its function was entered; `undefined` if it never was, or if it was stopped, or lost with its worker. */
  readonly started: number | undefined;
  /** When it ended. */
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
    this.worker = init.timing?.worker;
    this.submitted = init.submitted;
    this.started = init.timing?.started;
    this.ended = init.timing?.ended ?? wallTime();
  }
}

/** What a {@linkcode TaskEvent} is made of. */
export interface TaskEventInit {
  /** The name of its function. */
  readonly task: string;
  /** How many were submitted before it. */
  readonly index: number;
  /** What became of it. */
  readonly outcome: TaskOutcome;
  /** When it was submitted, if that is known. */
  readonly submitted: number | undefined;
  /** Who ran it, and when. */
  readonly timing: CallTiming | undefined;
}

/** Counts the tasks of one executor, and tells whoever watches. */
export class Tally {
  /** How many were submitted. */
  submitted = 0;
  finished = 0;
  failed = 0;
  cancelled = 0;
  /** Whether anybody has ever listened: only then are calls timed. */
  watched = false;
  readonly #target: EventTarget;

  constructor(target: EventTarget) {
    this.#target = target;
  }

  /** Some more are submitted; returns the index of the first. */
  add(count: number): number {
    const index = this.submitted;
    this.submitted += count;
    return index;
  }

  /** One of them has ended. */
  ended(outcome: TaskOutcome): void {
    // Not this[outcome]++, which takes as long as a trivial task.
    if (outcome === "finished") this.finished++;
    else if (outcome === "failed") this.failed++;
    else this.cancelled++;
  }

  /** Tells whoever watches. */
  tell(init: TaskEventInit): void {
    this.#target.dispatchEvent(new TaskEvent(init));
  }

  /** The numbers, with what the strategy knows. */
  stats(activity: Activity): ExecutorStats {
    const { finished, failed, cancelled } = this;
    const open = this.submitted - finished - failed - cancelled;
    const { workers, utilisation } = activity;
    const { running } = activity;
    return {
      pending: Math.max(0, open - running),
      running,
      finished,
      failed,
      cancelled,
      workers,
      utilisation,
    };
  }
}
