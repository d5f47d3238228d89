/**
 * The executor for work that waits: promises in this isolate, a bounded number
 * of them at a time.
 *
 * @module
 */

import { checkCount, checkInitializer, checkOptions } from "./arguments.ts";
import {
  BrokenExecutorError,
  CancelledError,
  InvalidStateError,
} from "./errors.ts";
import { Executor } from "./executor.ts";
import type { ExecutorOptions, InitializerOptions } from "./options.ts";
import type { Job, JobHolder } from "./job/job.ts";
import { type CallMaker, CallScope } from "./running_task.ts";
import {
  type AsyncContext,
  currentContext,
  runIn,
} from "./runtime/async_context.ts";
import { monotonicTime, wallTime } from "./runtime/clock.ts";
import {
  type LoopEndWaiter,
  offLoopEnd,
  onLoopEnd,
} from "./runtime/loop_end.ts";
import { isWorker } from "./runtime/main_module.ts";
import { checkReport, cloneReport } from "./pool/wire/clone_report.ts";
import { isThenable } from "./runtime/thenable.ts";
import { Turns } from "./runtime/turns.ts";
import type { Activity } from "./stats.ts";
import type { AnyFunction } from "./task.ts";
import { taskScopes } from "./task_scopes.ts";
import { nameOf } from "./text.ts";
import { isTransfer } from "./transfer.ts";

/**
 * The most functions that run at a time by default, as in Python: enough to
 * overlap waiting, few enough to spare servers.
 */
const MAX_DEFAULT_WORKERS = 32;

/**
 * How often a pool is told of a standstill while no call ends: a task that
 * tries again each time would keep the program from its end.
 */
const MAX_STANDSTILLS = 10;

/** How many tasks an error names at most. */
const MAX_NAMES = 3;

/** The name of the only worker, which is this thread. */
const MAIN = "main";

// AsyncLocalStorage takes 5 ms to load and, in a worker, 1.5 MiB: a worker loads
// it when a task asks for itself, or a promise pool has a job.
if (!isWorker) taskScopes.keep();

/** Options of {@linkcode PromisePoolExecutor}. */
export interface PromisePoolExecutorOptions
  extends InitializerOptions, ExecutorOptions {
  /**
   * How many functions run at a time, an integer of at least 1.
   *
   * @default {Math.min(32, navigator.hardwareConcurrency + 4)}
   */
  maxWorkers?: number;
}

/**
 * Runs at most `maxWorkers` functions at a time in this isolate, first in,
 * first out. The pool overlaps waiting (requests, files, timers), not computing,
 * as threads do under Python's GIL. A task that waits for others of the same
 * pool keeps its place meanwhile, so let such tasks have a pool of their own.
 *
 * Each call runs in the async context of who submitted it, so a task finds there
 * what an `AsyncLocalStorage` had where `submit()` was called, or `map()` for all
 * of its calls; the initializer runs outside of all.
 *
 * Python: `concurrent.futures.ThreadPoolExecutor`.
 *
 * @example A thousand requests, ten at a time
 * ```ts
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * async function length(url: string) {
 *   return (await (await fetch(url)).text()).length;
 * }
 * await using pool = new PromisePoolExecutor({ maxWorkers: 10 });
 * const urls = ["data:,one", "data:,three"];
 * assertEquals(await pool.map(length, urls), [3, 5]);
 * ```
 *
 * @example A task belongs to the request that submits it
 * ```ts
 * import { AsyncLocalStorage } from "node:async_hooks";
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { assertEquals } from "@std/assert";
 *
 * const request = new AsyncLocalStorage<number>();
 * await using pool = new PromisePoolExecutor({ maxWorkers: 1 });
 * const futures = [1, 2].map((id) =>
 *   request.run(id, () => pool.submit(() => request.getStore()))
 * );
 * assertEquals(await Promise.all(futures), [1, 2]);
 * ```
 */
export class PromisePoolExecutor extends Executor {
  readonly #maxWorkers: number;
  #running = 0;
  readonly #lanes = new Set<Lane>();
  /** Holds the jobs of which calls have been entered. */
  readonly #holder: JobHolder = {
    name: MAIN,
    entered: (job, call) => {
      for (const lane of this.#lanes) {
        if (lane.job === job && lane.call === call) return true;
      }
      return false;
    },
    revoke: (job) => this.queue.takeRest(job),
    stop: (job, reason) => {
      for (const lane of this.#lanes) {
        if (lane.job === job) lane.scope.task?.stop(reason);
      }
    },
  };
  /**
   * Whether {@linkcode PromisePoolExecutor.#drain} is about to run, or held
   * back by the initializer.
   */
  #scheduled = false;
  #initializer: { fn: AnyFunction; args: readonly unknown[] } | undefined;
  /** Resolve the promises of `shutdown()`. */
  readonly #idle: (() => void)[] = [];
  /**
   * Reject those promises that tasks of this pool have: task and shutdown may
   * wait for each other.
   */
  readonly #closedInside: ((error: unknown) => void)[] = [];
  /** How often the pool was told of a standstill since a call has ended. */
  #standstills = 0;
  readonly #standstill: LoopEndWaiter = {
    waitsForItself: () =>
      this.#submittedInside || this.#closedInside.length > 0,
    loopEnded: () => this.#tellStandstill(),
  };
  /** Whether a task that runs has submitted something since the queue was last known to be empty. */
  #submittedInside = false;
  /**
   * Turns of the event loop, as a call that computes keeps everything else in
   * this thread waiting.
   */
  readonly #turns = new Turns();
  readonly #born = monotonicTime();
  /** How many calls have ended. */
  #ended = 0;
  /** For how long calls have run, in milliseconds, and since when calls are running now. */
  #busyMs = 0;
  #busySince = 0;

  /**
   * Makes an executor; nothing runs until something is submitted.
   *
   * @param options How many functions run at a time, and the initializer.
   * @throws {TypeError} If an option has the wrong type.
   * @throws {RangeError} If `maxWorkers` is not an integer of at least 1.
   */
  constructor(options?: PromisePoolExecutorOptions) {
    super(options);
    const { maxWorkers, ...rest } = checkOptions(options);
    this.#maxWorkers = checkCount(
      "maxWorkers",
      maxWorkers,
      Math.min(MAX_DEFAULT_WORKERS, navigator.hardwareConcurrency + 4),
    );
    this.#initializer = checkInitializer(rest);
  }

  /** How many functions run at a time at most. */
  override get maxWorkers(): number {
    return this.#maxWorkers;
  }

  /** Takes a job; its calls are entered later, when their turn comes. */
  protected override enqueue(job: Job): void {
    this.queue.push(job);
    // To find the lane costs some nanoseconds, and once is enough.
    if (this.#running > 0 && !this.#submittedInside) {
      // Code that runs after a call, a done callback say, is in the scope of the call too.
      this.#submittedInside = this.#callingLane()?.scope.running === true;
    }
    this.#schedule();
  }

  /** Cancels jobs that wait if asked to; resolves when no call runs any more. */
  protected override close(cancelFutures: boolean): Promise<void> {
    if (cancelFutures) this.queue.end((job) => job.cancel());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.#schedule();
    if (this.#callingLane() !== undefined) {
      // Nobody may be waiting for the promise: then its rejection must be silent.
      promise.catch(() => {});
      this.#closedInside.push(reject);
      onLoopEnd(this.#standstill);
    }
    return promise;
  }

  /** Cancels what waits, and what runs, which is told to stop and not waited for. */
  protected override abandon(): Promise<void> {
    const timeIsUp = () =>
      new CancelledError("The time of the executor's shutdown was up");
    this.giveUp(timeIsUp);
    this.queue.end((job) => job.cancel());
    for (const { job, call, scope } of [...this.#lanes]) {
      const error = timeIsUp();
      job?.cancelRunning(error, call);
      // Also where nobody waits any more: a `forEach()` has ended before.
      scope.task?.stop(error);
    }
    return Promise.resolve();
  }

  /** Calls may be taken that had to wait for the rate. */
  protected override wake(): void {
    this.#schedule();
  }

  /** Tasks get what `transfer()` marks as it is. */
  protected override get moves(): boolean {
    return false;
  }

  /** How many functions run, and how many calls wait. */
  protected override describe(): Record<string, unknown> {
    return {
      maxWorkers: this.#maxWorkers,
      running: this.#running,
      queued: this.queue.calls,
    };
  }

  /** Counts calls that run; all run in this thread, which is the only worker. */
  protected override activity(): Activity {
    const now = monotonicTime();
    const running = this.#running > 0;
    const busyMs = this.#busyMs + (running ? now - this.#busySince : 0);
    // A call that was stopped and goes on has ended for its submitter.
    const open = [...this.#lanes].filter(({ job }) => job?.settled === false);
    return {
      running: open.length,
      workers: [{
        name: MAIN,
        state: running ? "running" : "idle",
        tasks: this.#ended,
        busyMs,
      }],
      utilisation: Math.min(1, busyMs / (now - this.#born)),
    };
  }

  /** The lane of the call that calls this, if this pool made that call. */
  #callingLane(): Lane | undefined {
    const scope = taskScopes.current;
    if (scope === undefined) return undefined;
    for (const lane of this.#lanes) {
      if (lane.scope === scope) return lane;
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    taskScopes.keep().then(() => this.#drain());
  }

  #drain(): void {
    if (this.#initializer !== undefined && this.queue.length > 0) {
      const initializer = this.#initializer;
      onLoopEnd(this.#standstill);
      runIn(undefined, () => this.#initialize(initializer));
      return;
    }
    this.#scheduled = false;
    while (this.#running < this.#maxWorkers && this.queue.available > 0) {
      if (this.#running++ === 0) {
        this.#busySince = monotonicTime();
        this.#turns.begin(this.#busySince);
      }
      const lane = new Lane();
      this.#lanes.add(lane);
      runIn(lane.context, () => this.#work(lane));
    }
    if (this.queue.length === 0) this.#submittedInside = false;
    if (this.#running === 0 && this.queue.isEmpty) {
      for (const resolve of this.#idle.splice(0)) resolve();
      this.#closedInside.length = 0;
      offLoopEnd(this.#standstill);
    } else if (this.queue.length > 0) onLoopEnd(this.#standstill);
  }

  /**
   * Nothing goes on by itself: fails jobs that wait for a place, and waits of
   * tasks for the shutdown.
   */
  #tellStandstill(): boolean {
    offLoopEnd(this.#standstill);
    if (++this.#standstills > MAX_STANDSTILLS) return false;
    const tasks = [...this.#lanes].map(({ job }) => nameOf(job!.fn));
    if (tasks.length > MAX_NAMES) tasks.splice(MAX_NAMES, Infinity, "…");
    const what = `${this.constructor.name} is at a standstill: ${
      tasks.length === 0
        ? "its initializer waits"
        : `what it runs (${tasks.join(", ")}) waits`
    }`;
    const pending = this.queue.takeAll().filter((job) => !job.settled);
    this.#submittedInside = false;
    for (const job of pending) {
      job.rejectAll(() =>
        new InvalidStateError(
          `${what}, and task ${
            nameOf(job.fn)
          } waits for a place: let tasks that wait for others run in a pool of their own`,
        )
      );
    }
    const closed = this.#closedInside.splice(0);
    for (const reject of closed) {
      reject(
        new InvalidStateError(
          `${what} for its shutdown, which waits for that: call shutdown({ wait: false }) in a task`,
        ),
      );
    }
    return pending.length > 0 || closed.length > 0;
  }

  /** Calls the initializer; calls are held back until it has ended. */
  async #initialize(
    { fn, args }: { fn: AnyFunction; args: readonly unknown[] },
  ): Promise<void> {
    this.#initializer = undefined;
    try {
      await fn(...args);
    } catch (cause) {
      const broken = () =>
        new BrokenExecutorError(
          "The initializer of PromisePoolExecutor failed",
          { cause },
        );
      this.breakWith(broken);
      this.queue.end((job) => job.rejectAll(broken));
    }
    this.#drain();
  }

  /** Makes one call after another in a lane until none waits. */
  async #work(lane: Lane): Promise<void> {
    while (true) {
      const turn = this.queue.length > 0 ? this.#turns.due() : undefined;
      if (turn !== undefined) await turn;
      const job = this.queue.enter();
      if (job === undefined) break;
      job.holder = this.#holder;
      const { call } = this.queue;
      const scope = lane.enter(job, call);
      const started = job.timed ? wallTime() : 0;
      let outcome: unknown;
      let failed = false;
      let ended = 0;
      try {
        const returned = job.invokeIn(lane.context, call);
        // A function that returns no promise has ended now; other calls may
        // compute before this goes on.
        if (started > 0 && !isThenable(returned)) ended = wallTime();
        outcome = await returned;
        // Nothing is moved here, and a marked value may be a promise.
        while (isTransfer(outcome)) outcome = await outcome.value;
      } catch (error) {
        outcome = error;
        failed = true;
      }
      scope.end();
      lane.job = undefined;
      this.#ended++;
      this.#standstills = 0;
      if (started > 0) {
        job.timing = { worker: MAIN, started, ended: ended || wallTime() };
      }
      if (failed) job.reject(outcome, call);
      else job.resolve(outcome, call);
    }
    this.#lanes.delete(lane);
    if (--this.#running === 0) {
      const now = monotonicTime();
      this.#busyMs += now - this.#busySince;
      this.#turns.rest(now);
    }
    this.#schedule();
  }
}

/** One of the `maxWorkers` places in which calls are made. */
class Lane implements CallMaker {
  /** The job of the running call, which of its calls that is, and the scope of the call. */
  job: Job | undefined;
  call = 0;
  scope = new CallScope(this);
  /** The context of the running call: that of its submitter, with its scope. */
  context: AsyncContext = contextOf(undefined, this.scope);
  /** The context of the submitter. */
  #submitter: AsyncContext;

  get attempt(): number {
    return this.job!.attempt;
  }

  report(value: unknown): void {
    const job = this.job!;
    const { onReport, maxReportBytes } = job.options;
    if (onReport === undefined) return;
    checkReport(value, maxReportBytes);
    const copy = cloneReport(value);
    // At once, as the task may go on for long.
    job.report(copy, this.call);
  }

  /** Nothing: messages arrive as the task yields, and nothing can be known before. */
  stopReason(): undefined {
    return undefined;
  }

  /**
   * Begins the scope of the next call. Only with a scope of its own does code
   * that outlives its task learn that the task is over. To make a scope takes
   * longer than a trivial task, so all calls share one until a task asks for
   * itself.
   */
  enter(job: Job, call: number): CallScope {
    this.job = job;
    this.call = call;
    const { context } = job;
    const { areAsked } = taskScopes;
    if (areAsked) this.scope = new CallScope(this);
    // To put the scope into a context takes as long as a trivial task, too.
    if (areAsked || context !== this.#submitter) {
      this.#submitter = context;
      this.context = contextOf(context, this.scope);
    }
    this.scope.begin();
    return this.scope;
  }
}

/** A context in which code belongs to a scope. */
function contextOf(submitter: AsyncContext, scope: CallScope): AsyncContext {
  return runIn(submitter, () => taskScopes.run(scope, currentContext));
}
