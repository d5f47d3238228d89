/**
 * Which worker runs which task, for executors whose workers live elsewhere. It
 * knows workers only as {@linkcode PoolWorker}s on {@linkcode Channel}s.
 *
 * ```text
 * enqueue ──► queue ──► PoolWorker.send ──"run"──► worker's inbox ──► function
 *               ▲           │   slots: sent → running, or revoked         │
 *               │           │                                             │
 *               ├─ reclaim ─┘   what a busy worker has not entered        │
 *               └─ died ────┘   what a dead worker had not entered        │
 *                                                                         │
 * item.resolve, item.reject ◄── PoolWorker.received ◄──"done"── outbox ◄──┘
 * ```
 *
 * 1. Tasks of one turn wait in the queue until a microtask deals them out, so
 *    that they travel as one message for each worker.
 * 2. A worker is sent as much as takes it about `AHEAD_MS`, judged by what
 *    calls of the same function took before: long tasks go one at a time, tiny
 *    ones by the hundred. Tiny items of a `map()` stay with one worker, which
 *    then never falls asleep: waking another thread takes longer than they do.
 * 3. If a worker gives no sign for `STALL_MS`, what it has not entered goes
 *    back to the front of the queue, for whoever is free.
 *
 * @module
 */

import { Deque } from "../deque.ts";
import {
  BrokenExecutorError,
  ShutdownError,
  WorkerTerminatedError,
} from "../errors.ts";
import type { Activity } from "../stats.ts";
import { startTimer } from "../timer.ts";
import { nameOf, rejectAll, type WorkItem } from "../work_item.ts";
import type { OpenChannel } from "./channel.ts";
import { FunctionTable } from "./functions.ts";
import {
  PoolWorker,
  type PoolWorkerOwner,
  type PoolWorkerSettings,
  WORTHWHILE_MS,
} from "./pool_worker.ts";

/**
 * How long a worker may be silent before its tasks are offered to others: long
 * enough that it rarely happens to work that is merely tiny, short against the
 * tasks for which balance matters.
 */
const STALL_MS = 2;

/** A worker that dies before it is ready will most likely do so again. */
const MAX_FAILED_STARTS = 3;

/** What a pool is made of, checked. */
export interface SchedulerSettings {
  readonly open: OpenChannel;
  readonly name: string;
  readonly maxWorkers: number;
  readonly initializer:
    | { fn: (...args: unknown[]) => unknown; args: readonly unknown[] }
    | undefined;
  readonly maxTasksPerWorker: number;
  readonly idleTimeout: number;
  readonly startTimeout: number;
  readonly gracePeriod: number;
  /** Told once, if the pool cannot work any more. */
  readonly onBroken: (error: () => BrokenExecutorError) => void;
}

/** Deals tasks out to workers. */
export class Scheduler implements PoolWorkerOwner {
  readonly #settings: SchedulerSettings;
  readonly #workerSettings: PoolWorkerSettings;
  readonly #functions = new FunctionTable();
  readonly #queue = new Deque<WorkItem>();
  /** How many calls are in the queue. */
  #queued = 0;
  readonly #workers = new Set<PoolWorker>();
  /** Workers that have been told to go, and have not gone. */
  readonly #leaving = new Set<Promise<void>>();
  /** Who waits for everything to end, and who for every worker to be ready. */
  readonly #whenClosed: (() => void)[] = [];
  readonly #whenStarted: PromiseWithResolvers<void>[] = [];
  #started = 0;
  #failedStarts = 0;
  #closing = false;
  #broken: (() => BrokenExecutorError) | undefined;
  /** What becomes of tasks that come back, if not to be sent again. */
  #giveUp: ((item: WorkItem) => void) | undefined;
  #watched = false;
  /** Of workers that are gone. */
  readonly #past = { busyMs: 0, aliveMs: 0 };
  #dealing = false;
  #stopStarting: (() => void) | undefined;
  #stopReaping: (() => void) | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(settings: SchedulerSettings) {
    this.#settings = settings;
    this.#workerSettings = {
      open: settings.open,
      functions: this.#functions,
      initializer: settings.initializer &&
        this.#functions.of(settings.initializer.fn),
      initArgs: settings.initializer?.args ?? [],
      maxTasks: settings.maxTasksPerWorker,
      startTimeout: settings.startTimeout,
      gracePeriod: settings.gracePeriod,
    };
  }

  /** Takes a task. */
  enqueue(item: WorkItem): void {
    this.#queue.push(item);
    this.#queued += item.count;
    this.#schedule();
  }

  /** Starts every worker; resolves when all are ready. */
  start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    this.#whenStarted.push(started);
    this.#schedule();
    return started.promise;
  }

  /** Takes no more; resolves when all work has ended and all workers are gone. */
  close(cancelFutures: boolean): Promise<void> {
    this.#closing = true;
    if (cancelFutures) this.#cancelPending();
    return new Promise((resolve) => {
      this.#whenClosed.push(resolve);
      this.#schedule();
    });
  }

  /** Ends everything at once. */
  terminate(): Promise<void> {
    this.#closing = true;
    this.#cancelPending();
    for (const worker of this.#workers) {
      this.#dismiss(worker, (item) =>
        new WorkerTerminatedError(
          `Worker '${worker.name}' was terminated while it ran task ${
            nameOf(item.fn)
          }`,
        ));
    }
    return this.close(true);
  }

  workerReady(): void {
    this.#failedStarts = 0;
    this.#schedule();
  }

  workerUnfit(worker: PoolWorker, cause: unknown): void {
    // First, as it takes back what this worker was sent, if that is possible.
    this.#break(`The initializer failed in worker '${worker.name}'`, cause);
    this.#dismiss(worker, this.#broken);
  }

  workerProgressed(): void {
    this.#schedule();
  }

  workerReturned(items: WorkItem[]): void {
    this.#takeIn(items);
    this.#schedule();
  }

  workerDied(worker: PoolWorker, cause: unknown, unentered: WorkItem[]): void {
    this.#dismiss(worker);
    this.#takeIn(unentered);
    if (!worker.ready && ++this.#failedStarts === MAX_FAILED_STARTS) {
      this.#break(
        `${MAX_FAILED_STARTS} workers in a row died before they were ready`,
        cause,
      );
    }
    this.#schedule();
  }

  /** Somebody wants to know when calls begin and end. */
  watch(): void {
    this.#watched = true;
    for (const worker of this.#workers) worker.watch();
  }

  /** What the workers do, and have done. */
  activity(): Activity {
    const now = performance.now();
    const workers = [...this.#workers];
    const running = workers.map((worker) => worker.running);
    let { busyMs, aliveMs } = this.#past;
    for (const worker of workers) {
      busyMs += worker.busyMs;
      aliveMs += now - worker.born;
    }
    return {
      running: running.reduce((sum, calls) => sum + calls, 0),
      workers: workers.map(({ name, pid, ready, tasks, busyMs }, i) => ({
        name,
        ...(pid === undefined ? {} : { pid }),
        state: !ready ? "starting" : running[i]! > 0 ? "running" : "idle",
        tasks,
        busyMs,
      })),
      utilisation: aliveMs === 0 ? 0 : Math.min(1, busyMs / aliveMs),
    };
  }

  /** How many calls wait here, and what each worker has. */
  describe(): Record<string, unknown> {
    const workers = [...this.#workers].map((worker) =>
      `${worker.name}: ${
        worker.ready ? "ready" : "starting"
      }, ${worker.count} calls`
    );
    return { queued: this.#queued, workers, leaving: this.#leaving.size };
  }

  #schedule(): void {
    if (this.#dealing) return;
    this.#dealing = true;
    queueMicrotask(() => {
      this.#dealing = false;
      this.#deal();
    });
  }

  /** One turn: deal out, start and dismiss workers, and set the timers that the rest needs. */
  #deal(): void {
    for (const worker of this.#workers) {
      if (worker.count === 0 && worker.quota === 0) this.#dismiss(worker);
    }
    this.#dealOut();
    this.#grow();
    this.#settleStarts();
    this.#settleClosing();
    this.#watchStalls();
    this.#reapIdle();
  }

  /**
   * Divides the queue between the workers that want more now: a part left for
   * one that is still busy would only make the messages smaller.
   */
  #dealOut(): void {
    if (!this.#hasQueued()) return;
    const { fn, count } = this.#queue.peek()!;
    const known = this.#functions.of(fn);
    let wanting = [...this.#workers].filter((worker) =>
      worker.wants(this.#queued, known)
    );
    if (count > 1 && this.#queued * known.cost < WORTHWHILE_MS) {
      // If that one is not as brisk as it seems, it stalls, and the next has its turn.
      const brisk = [...this.#workers].find((worker) => worker.brisk);
      wanting = wanting.filter((worker, i) =>
        brisk === undefined ? i === 0 : worker === brisk
      );
    }
    for (const [i, worker] of wanting.entries()) {
      this.#fill(worker, Math.ceil(this.#queued / (wanting.length - i)));
    }
  }

  /** Sends a worker what it has room for, `share` calls at most. */
  #fill(worker: PoolWorker, share: number): void {
    for (let left = share; left > 0 && this.#hasQueued();) {
      const item = this.#queue.peek()!;
      const { count } = item;
      const rest = worker.offer(item, left);
      if (rest === item) break;
      this.#queue.shift();
      if (rest !== undefined) this.#queue.unshift(rest);
      const dealt = count - (rest?.count ?? 0);
      left -= dealt;
      this.#queued -= dealt;
    }
    worker.flush();
  }

  /** Whether somebody waits in the queue; forgets those who have settled there. */
  #hasQueued(): boolean {
    while (this.#queue.peek()?.settled) {
      this.#queued -= this.#queue.shift()!.count;
    }
    return this.#queue.length > 0;
  }

  /** Starts a worker if one more has something to do; the event loop turns before the next. */
  #grow(): void {
    const wanted = this.#hasQueued() || this.#whenStarted.length > 0;
    const { maxWorkers, name } = this.#settings;
    if (!wanted || this.#closing && !this.#hasQueued()) return;
    if (this.#stopStarting !== undefined || this.#workers.size >= maxWorkers) {
      return;
    }
    const worker = new PoolWorker(
      `${name}-${++this.#started}`,
      this,
      this.#workerSettings,
    );
    this.#workers.add(worker);
    if (this.#watched) worker.watch();
    this.#fill(worker, 1);
    // Starting one blocks this thread for 15 to 20 ms.
    this.#stopStarting = startTimer(0, () => {
      this.#stopStarting = undefined;
      this.#deal();
    });
  }

  #settleStarts(): void {
    if (this.#whenStarted.length === 0) return;
    const started = this.#workers.size === this.#settings.maxWorkers &&
      [...this.#workers].every((worker) => worker.ready);
    if (!started && !this.#closing) return;
    for (const { resolve, reject } of this.#whenStarted.splice(0)) {
      if (started) resolve();
      else {reject(
          this.#broken?.() ??
            new ShutdownError("Shut down before all workers were ready"),
        );}
    }
  }

  #settleClosing(): void {
    if (!this.#closing || this.#hasQueued()) return;
    for (const worker of this.#workers) {
      if (worker.count === 0) this.#dismiss(worker);
    }
    if (this.#workers.size > 0 || this.#leaving.size > 0) return;
    this.#stopStarting?.();
    for (const resolve of this.#whenClosed.splice(0)) resolve();
  }

  /** Offers to others what a silent worker has not entered. */
  #watchStalls(): void {
    if (this.#stopWatching !== undefined || this.#settings.maxWorkers === 1) {
      return;
    }
    const waiting = this.#hasQueued();
    const watched = [...this.#workers].some((worker) =>
      worker.count > 1 || waiting && worker.brisk
    );
    if (!watched) return;
    this.#stopWatching = startTimer(STALL_MS, () => {
      this.#stopWatching = undefined;
      for (const worker of this.#workers) {
        if (worker.hasStalled() && worker.count > 1) {
          this.#takeIn(worker.reclaim("sendable"));
        }
      }
      this.#deal();
    });
  }

  /** Dismisses workers that have had nothing to do for `idleTimeout`. */
  #reapIdle(): void {
    if (
      this.#stopReaping !== undefined || this.#settings.idleTimeout === Infinity
    ) return;
    const idle = [...this.#workers].filter((worker) =>
      worker.ready && worker.count === 0
    );
    if (idle.length === 0) return;
    const since = Math.min(...idle.map((worker) => worker.idleSince));
    const left = Math.max(
      0,
      since + this.#settings.idleTimeout - performance.now(),
    );
    this.#stopReaping = startTimer(left, () => {
      this.#stopReaping = undefined;
      const before = performance.now() - this.#settings.idleTimeout;
      for (const worker of this.#workers) {
        if (worker.ready && worker.count === 0 && worker.idleSince <= before) {
          this.#dismiss(worker);
        }
      }
      this.#reapIdle();
    });
  }

  /** Ends a worker; what it still runs fails with `error`. */
  #dismiss(worker: PoolWorker, error?: (item: WorkItem) => Error): void {
    if (!this.#workers.delete(worker)) return;
    this.#past.busyMs += worker.busyMs;
    this.#past.aliveMs += performance.now() - worker.born;
    const gone = worker.close(error).then(() => {
      this.#leaving.delete(gone);
      this.#schedule();
    });
    this.#leaving.add(gone);
    if (this.#workers.size === 0) this.#stopTimers();
  }

  /** Without workers there is nothing to watch, and no timer is to keep the program. */
  #stopTimers(): void {
    this.#stopReaping?.();
    this.#stopWatching?.();
    this.#stopReaping = this.#stopWatching = undefined;
  }

  /** What comes back from a worker is the next to be sent, unless everything pending was given up. */
  #takeIn(items: readonly WorkItem[]): void {
    if (this.#giveUp !== undefined) return items.forEach(this.#giveUp);
    for (const item of items.toReversed()) {
      this.#queue.unshift(item);
      this.#queued += item.count;
    }
  }

  /** Settles everything that has not been entered, wherever it is, now or when it comes back. */
  #settlePending(giveUp: (item: WorkItem) => void): void {
    this.#giveUp = giveUp;
    const sent = [...this.#workers].flatMap((worker) => worker.reclaim("all"));
    const pending = sent.concat(...this.#queue);
    this.#queue.clear();
    this.#queued = 0;
    pending.forEach(giveUp);
  }

  #cancelPending(): void {
    this.#settlePending((item) => item.cancel());
  }

  #break(message: string, cause: unknown): void {
    if (this.#broken !== undefined) return;
    const broken = () => new BrokenExecutorError(message, { cause });
    this.#broken = broken;
    this.#closing = true;
    this.#settings.onBroken(broken);
    this.#settlePending((item) => rejectAll(item, broken));
    this.#schedule();
  }
}
