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
 *    back to the front of the queue, for whoever is free; if it is ready, has
 *    entered nothing, and gives no sign for much longer, it is ended: silence.ts.
 *
 * @module
 */

import { because, nameOf } from "../../text.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { Deque } from "../../runtime/deque.ts";
import {
  BrokenExecutorError,
  ShutdownError,
  WorkerCrashedError,
  WorkerTerminatedError,
} from "../../errors.ts";
import type { Activity } from "../../stats.ts";
import { startDeadline, startTimer } from "../../runtime/timer.ts";
import { rejectAll, type WorkItem } from "../../job/work_item.ts";
import type { OpenChannel } from "../channel.ts";
import type { WorkerDeath } from "./death.ts";
import { FunctionTable } from "./functions.ts";
import {
  PoolWorker,
  type PoolWorkerOwner,
  type PoolWorkerSettings,
} from "./worker.ts";
import { WORTHWHILE_MS } from "./room.ts";
import { LOOK_MS } from "./silence.ts";
import { Suspects } from "./suspects.ts";

/**
 * How long a worker may be silent before its tasks are offered to others: long
 * enough that it rarely happens to work that is merely tiny, short against the
 * tasks for which balance matters.
 */
const STALL_MS = 2;

/** A worker that dies before it is ready will most likely do so again. */
const MAX_FAILED_STARTS = 3;

/**
 * A worker that a Ctrl-C ends before it is ready has not failed. Each Ctrl-C
 * ends one for each place of the pool at most, and nobody presses it more often
 * than this without a worker being ready in between; what ends itself by the
 * same signal as it starts is not to be started for ever.
 */
const MAX_INTERRUPTIONS = 20;

/**
 * So many workers may die after they were ready, and before they had anything
 * to do, while one `start()` waits: it would wait for ever for a pool whose
 * workers do not last.
 */
const MAX_IDLE_DEATHS = 3;

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

/** Who waits for every worker to be ready. */
interface Starter extends PromiseWithResolvers<void> {
  /** How many workers were ready, and have gone as tasks wanted it. */
  served: number;
  /** How many have died with nothing to do. */
  lost: number;
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
  readonly #starters = new Set<Starter>();
  #started = 0;
  #failedStarts = 0;
  #interruptedStarts = 0;
  readonly #suspects = new Suspects();
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
  #stopLooking: (() => void) | undefined;

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
    const starter = {
      ...Promise.withResolvers<void>(),
      served: 0,
      lost: 0,
    };
    this.#starters.add(starter);
    this.#schedule();
    return starter.promise;
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
    this.#failedStarts = this.#interruptedStarts = 0;
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

  jobsRevoked(items: WorkItem[]): void {
    this.#takeIn(items);
    this.#schedule();
  }

  accuse(item: WorkItem): boolean {
    return this.#suspects.accuse(item);
  }

  workerDied(worker: PoolWorker, death: WorkerDeath): void {
    const { cause, unentered, ready, idle, interrupted } = death;
    this.#dismiss(worker);
    this.#takeIn(unentered);
    if (!ready) {
      const forgiven = interrupted &&
        ++this.#interruptedStarts <=
          MAX_INTERRUPTIONS * this.#settings.maxWorkers;
      if (!forgiven && ++this.#failedStarts === MAX_FAILED_STARTS) {
        this.#break(
          `${MAX_FAILED_STARTS} workers in a row died before they were ready${
            because(cause)
          }`,
          cause,
        );
      }
    } else if (!idle) this.#hasServed();
    else this.#wasLost(cause);
    this.#schedule();
  }

  /** A worker has gone that was ready, for a reason that lies in what it was given. */
  #hasServed(): void {
    for (const starter of this.#starters) starter.served++;
  }

  /** A worker has died that was ready, and had nothing to do. */
  #wasLost(cause: unknown): void {
    for (const starter of this.#starters) {
      if (++starter.lost < MAX_IDLE_DEATHS) continue;
      this.#starters.delete(starter);
      starter.reject(
        new WorkerCrashedError(
          `${MAX_IDLE_DEATHS} workers died before all were ready`,
          cause === undefined ? undefined : { cause },
        ),
      );
    }
  }

  /** Somebody wants to know when calls begin and end. */
  watch(): void {
    this.#watched = true;
    for (const worker of this.#workers) worker.watch();
  }

  /** What the workers do, and have done. */
  activity(): Activity {
    const now = monotonicTime();
    const workers = [...this.#workers];
    const running = workers.map((worker) => worker.ledger.running);
    let { busyMs, aliveMs } = this.#past;
    for (const worker of workers) {
      busyMs += worker.ledger.busyMs;
      aliveMs += now - worker.born;
    }
    return {
      running: running.reduce((sum, calls) => sum + calls, 0),
      workers: workers.map(({ name, pid, starting, ledger }, i) => ({
        name,
        ...(pid === undefined ? {} : { pid }),
        state: starting ? "starting" : running[i]! > 0 ? "running" : "idle",
        tasks: ledger.reported,
        busyMs: ledger.busyMs,
      })),
      utilisation: aliveMs === 0 ? 0 : Math.min(1, busyMs / aliveMs),
    };
  }

  /** How many calls wait here, and what each worker has. */
  describe(): Record<string, unknown> {
    const workers = [...this.#workers].map((worker) =>
      `${worker.name}: ${
        worker.starting ? "starting" : "ready"
      }, ${worker.ledger.count} calls`
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
      if (worker.ledger.count > 0 || worker.ledger.quota > 0) continue;
      this.#hasServed();
      this.#dismiss(worker);
    }
    this.#dealSuspects();
    this.#dealOut();
    this.#grow();
    this.#settleStarts();
    this.#settleClosing();
    this.#watchStalls();
    this.#watchSilence();
    this.#reapIdle();
  }

  /** A call that came back from a dead worker travels alone, so that no other is lost with it. */
  #dealSuspects(): void {
    // Each worker once: one that is free may still have no place for a call.
    for (const worker of this.#workers) {
      if (!this.#hasQueued() || !this.#suspects.has(this.#queue.peek()!)) {
        return;
      }
      if (worker.room.free) this.#fill(worker, 1);
    }
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
      worker.room.wants(this.#queued, known) && !this.#suspects.areWith(worker)
    );
    if (count > 1 && this.#queued * known.cost < WORTHWHILE_MS) {
      // If that one is not as brisk as it seems, it stalls, and the next has its turn.
      const brisk = [...this.#workers].find((worker) => worker.room.brisk);
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
      const alone = this.#suspects.has(item);
      if (alone && !worker.room.free) break;
      const rest = worker.offer(item, alone ? 1 : left);
      if (rest === item) break;
      this.#queue.shift();
      if (rest !== undefined) {
        this.#queue.unshift(rest);
        if (alone) this.#suspects.share(item, rest);
      }
      this.#suspects.sent(worker, alone);
      const dealt = count - (rest?.count ?? 0);
      left -= dealt;
      this.#queued -= dealt;
      if (alone) break;
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
    const wanted = this.#hasQueued() || this.#starters.size > 0;
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
    if (this.#starters.size === 0) return;
    const ready = [...this.#workers].filter((worker) => worker.ready);
    for (const starter of this.#starters) {
      if (ready.length + starter.served >= this.#settings.maxWorkers) {
        starter.resolve();
      } else if (this.#closing) {
        starter.reject(
          this.#broken?.() ??
            new ShutdownError("Shut down before all workers were ready"),
        );
      } else continue;
      this.#starters.delete(starter);
    }
    // They were to stay until all are there, so their time begins now.
    if (this.#starters.size === 0) {
      for (const worker of ready) worker.idleSince = monotonicTime();
    }
  }

  #settleClosing(): void {
    if (!this.#closing || this.#hasQueued()) return;
    for (const worker of this.#workers) {
      if (worker.ledger.count === 0) this.#dismiss(worker);
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
      worker.ledger.count > 1 || waiting && worker.room.brisk
    );
    if (!watched) return;
    this.#stopWatching = startTimer(STALL_MS, () => {
      this.#stopWatching = undefined;
      for (const worker of this.#workers) {
        if (worker.hasStalled() && worker.ledger.count > 1) {
          this.#takeIn(worker.revokeAll("sendable"));
        }
      }
      this.#deal();
    });
  }

  /**
   * Looks at workers that owe something; a silent one may have been stopped, or
   * run what an earlier task has left behind. What it has not entered is offered
   * to others first, then the worker is ended. A suspect may be the reason for
   * its silence, and stays with it until then.
   */
  #watchSilence(): void {
    if (this.#stopLooking !== undefined) return;
    let owing = false;
    for (const worker of this.#workers) owing ||= worker.ledger.places > 0;
    if (!owing) return;
    this.#stopLooking = startDeadline(LOOK_MS, () => {
      this.#stopLooking = undefined;
      for (const worker of this.#workers) {
        if (worker.look() === "long" && this.#mayReplace(worker)) {
          this.#takeIn(worker.revokeAll("sendable"));
        }
      }
      this.#deal();
    });
  }

  /** Whether what a worker has could be somewhere else, and is not to stay with it as a suspect. */
  #mayReplace(worker: PoolWorker): boolean {
    if (this.#suspects.areWith(worker)) return false;
    if (this.#workers.size < this.#settings.maxWorkers) return true;
    for (const other of this.#workers) if (!other.silent) return true;
    return false;
  }

  /** Dismisses workers that have had nothing to do for `idleTimeout`. */
  #reapIdle(): void {
    if (
      this.#stopReaping !== undefined || this.#starters.size > 0 ||
      this.#settings.idleTimeout === Infinity
    ) return;
    const idle = [...this.#workers].filter((worker) =>
      worker.ready && worker.ledger.count === 0
    );
    if (idle.length === 0) return;
    const since = Math.min(...idle.map((worker) => worker.idleSince));
    const left = Math.max(
      0,
      since + this.#settings.idleTimeout - monotonicTime(),
    );
    this.#stopReaping = startTimer(left, () => {
      this.#stopReaping = undefined;
      // Somebody waits for all of them.
      if (this.#starters.size > 0) return;
      const before = monotonicTime() - this.#settings.idleTimeout;
      for (const worker of this.#workers) {
        if (
          worker.ready && worker.ledger.count === 0 &&
          worker.idleSince <= before
        ) {
          this.#dismiss(worker);
        }
      }
      this.#reapIdle();
    });
  }

  /** Ends a worker; what it still runs fails with `error`. */
  #dismiss(worker: PoolWorker, error?: (item: WorkItem) => Error): void {
    if (!this.#workers.delete(worker)) return;
    for (const item of worker.ledger.parted) this.#suspects.add(item);
    this.#past.busyMs += worker.ledger.busyMs;
    this.#past.aliveMs += monotonicTime() - worker.born;
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
    this.#stopLooking?.();
    this.#stopReaping = this.#stopWatching = this.#stopLooking = undefined;
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
    const pending = [...this.#workers].flatMap((worker) =>
      worker.revokeAll("all")
    );
    // One by one: hundreds of thousands are too many for the arguments of a call.
    for (const item of this.#queue) pending.push(item);
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
