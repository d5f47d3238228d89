/**
 * Which worker runs which job, for executors whose workers live elsewhere.
 *
 * ```text
 * enqueue() ──► queue ──► outgoing.ts ──"run"──► worker's inbox ──► function
 *                 ▲            │                                       │
 *                 │        ledger.ts: what each worker has             │
 *                 │            │                                       │
 *                 ├─ revoked ──┤   jobs not entered by a busy worker   │
 *                 └─ death.ts ─┤   jobs not entered by a dead worker   │
 *                              │                                       │
 * job.resolve(), reject() ◄── incoming.ts ◄────"done"── outcomes ◄─────┘
 * ```
 *
 * Jobs of one turn wait in the queue until a microtask deals them out, so that
 * they travel as one message for each worker: dealer.ts. If a worker gives no
 * sign for `STALL_MS`, the calls that it has not entered go back to the front
 * of the queue, for whichever worker is free; a worker that is ready, has
 * entered nothing, and gives no sign for much longer, is ended: rounds.ts.
 *
 * @module
 */

import { because, nameOf } from "../../text.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import {
  BrokenExecutorError,
  ShutdownError,
  WorkerTerminatedError,
} from "../../errors.ts";
import type { Activity } from "../../stats.ts";
import { startTimer } from "../../runtime/timer.ts";
import type { Job } from "../../job/job.ts";
import type { JobQueue } from "../../job/queue.ts";
import type { OpenChannel } from "../channel.ts";
import type { Engine } from "../engine.ts";
import { Crew } from "./crew.ts";
import { Dealer } from "./dealer.ts";
import type { WorkerDeath } from "./death.ts";
import { FunctionTable } from "./functions.ts";
import { Rounds, type RoundsOwner } from "./rounds.ts";
import { MAX_FAILED_STARTS, Starts } from "./starts.ts";
import { Suspects } from "./suspects.ts";
import type { PoolWorker, PoolWorkerOwner } from "./worker.ts";

/** The options of a pool, checked. */
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
  /** Called once, if the pool cannot work any more. */
  readonly onBroken: (error: () => BrokenExecutorError) => void;
}

// The life of a pool. States only move forward.
//
//   OPEN      takes jobs, and starts workers for them
//   CLOSING   takes no more jobs from users; pending jobs run
//   BROKEN    no worker can work: jobs that are pending, or come back, fail
//   CLOSED    no job is left, and no worker
//
//   OPEN -> CLOSING            close(), terminate()
//   OPEN, CLOSING -> BROKEN    an initializer failed, or workers do not start
//   CLOSING, BROKEN -> CLOSED  the last worker is gone
//
// Whether pending jobs run or are given up is not a state: each call of close()
// may want them to be given up.
const OPEN = 0;
const CLOSING = 1;
const BROKEN = 2;
const CLOSED = 3;
type Life = typeof OPEN | typeof CLOSING | typeof BROKEN | typeof CLOSED;

/** Runs the jobs of one queue in workers. */
export class Scheduler implements Engine, PoolWorkerOwner, RoundsOwner {
  readonly #settings: SchedulerSettings;
  readonly #queue: JobQueue;
  readonly #functions = new FunctionTable();
  readonly #suspects = new Suspects();
  readonly #starts: Starts;
  readonly #crew: Crew;
  readonly #dealer: Dealer;
  readonly #rounds: Rounds;
  #life: Life = OPEN;
  /** Why the pool is broken. */
  #broken: (() => BrokenExecutorError) | undefined;
  /** Who waits for the pool to be closed. */
  readonly #whenClosed: (() => void)[] = [];
  /** Whether a microtask is about to deal. */
  #dealing = false;
  /** Stops the wait for the next start of a worker. */
  #stopGrowing: (() => void) | undefined;

  /** Deals out the jobs in `queue`. */
  constructor(queue: JobQueue, settings: SchedulerSettings) {
    this.#queue = queue;
    this.#settings = settings;
    const { initializer } = settings;
    this.#starts = new Starts(settings.maxWorkers);
    this.#crew = new Crew(settings.name, this, {
      open: settings.open,
      functions: this.#functions,
      initializer: initializer && this.#functions.of(initializer.fn),
      initArgs: initializer?.args ?? [],
      maxTasks: settings.maxTasksPerWorker,
      startTimeout: settings.startTimeout,
      gracePeriod: settings.gracePeriod,
    });
    this.#dealer = new Dealer(
      queue,
      this.#crew,
      this.#functions,
      this.#suspects,
    );
    this.#rounds = new Rounds(this, this.#crew, this.#suspects, settings);
  }

  /** A job is in the queue. */
  wake(): void {
    this.#schedule();
  }

  /** Starts every worker; resolves when all are ready. */
  start(): Promise<void> {
    const started = this.#starts.wait();
    this.#schedule();
    return started;
  }

  /** Takes no more jobs; resolves when all work has ended and all workers are gone. */
  close(cancelFutures: boolean): Promise<void> {
    this.#life = Math.max(this.#life, CLOSING) as Life;
    if (cancelFutures) this.#endPending((job) => job.cancel());
    return new Promise((resolve) => {
      this.#whenClosed.push(resolve);
      this.#schedule();
    });
  }

  /** Ends all jobs and workers at once. */
  terminate(): Promise<void> {
    const closed = this.close(true);
    for (const worker of this.#crew) {
      this.dismiss(worker, (job) =>
        new WorkerTerminatedError(
          `Worker '${worker.name}' was terminated while it ran task ${
            nameOf(job.fn)
          }`,
        ));
    }
    return closed;
  }

  /** Somebody wants to know when calls begin and end. */
  watch(): void {
    this.#crew.watch();
  }

  /** How busy the workers are, and were. */
  activity(): Activity {
    return this.#crew.activity();
  }

  /** How many calls wait in the queue, and how many each worker has. */
  describe(): Record<string, unknown> {
    return {
      queued: this.#queue.calls,
      workers: this.#crew.describe(),
      leaving: this.#crew.leaving,
    };
  }

  workerReady(): void {
    this.#starts.workerReady();
    this.#schedule();
  }

  workerUnfit(worker: PoolWorker, cause: unknown): void {
    // The pool breaks first, as that revokes the jobs of the worker where it can.
    this.#break(`The initializer failed in worker '${worker.name}'`, cause);
    this.dismiss(worker, this.#broken);
  }

  workerProgressed(): void {
    this.#schedule();
  }

  jobsRevoked(jobs: Job[]): void {
    this.putBack(jobs);
    this.#schedule();
  }

  accuse(job: Job): boolean {
    return this.#suspects.accuse(job);
  }

  workerDied(worker: PoolWorker, death: WorkerDeath): void {
    this.dismiss(worker);
    this.putBack(death.unentered);
    if (this.#starts.workerDied(death)) {
      const { cause } = death;
      this.#break(
        `${MAX_FAILED_STARTS} workers in a row died before they were ready${
          because(cause)
        }`,
        cause,
      );
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#dealing) return;
    this.#dealing = true;
    queueMicrotask(() => {
      this.#dealing = false;
      this.deal();
    });
  }

  /** One turn: deals out jobs, starts and dismisses workers, and sets the timers for what is to be looked after. */
  deal(): void {
    for (const worker of this.#crew) {
      if (worker.ledger.count > 0 || worker.ledger.quota > 0) continue;
      this.#starts.workerServed();
      this.dismiss(worker);
    }
    this.#dealer.deal();
    this.#grow();
    this.#settleStarts();
    this.#settleClosing();
    this.#rounds.begin();
    this.#functions.forgetLast();
  }

  get hasWaiting(): boolean {
    return this.#queue.peek() !== undefined;
  }

  get keepsIdle(): boolean {
    return this.#starts.areAwaited;
  }

  /** Starts a worker if one more has something to do; the event loop turns before the next start. */
  #grow(): void {
    const wanted = this.hasWaiting ||
      this.#life === OPEN && this.#starts.areAwaited;
    if (!wanted || this.#stopGrowing !== undefined) return;
    if (this.#crew.size >= this.#settings.maxWorkers) return;
    this.#dealer.fill(this.#crew.start(), 1);
    // Starting a worker blocks this thread for 15 to 20 ms.
    this.#stopGrowing = startTimer(0, () => {
      this.#stopGrowing = undefined;
      this.deal();
    });
  }

  #settleStarts(): void {
    if (!this.#starts.areAwaited) return;
    const ready = [...this.#crew].filter((worker) => worker.ready);
    const error = () =>
      this.#broken?.() ??
        new ShutdownError("Shut down before all workers were ready");
    const closing = this.#life !== OPEN;
    if (!this.#starts.settle(ready.length, closing ? error : undefined)) return;
    // The workers were to stay until all are there, so their idle time begins now.
    for (const worker of ready) worker.idleSince = monotonicTime();
  }

  #settleClosing(): void {
    if (this.#life === OPEN || !this.#queue.isEmpty) return;
    for (const worker of this.#crew) {
      if (worker.ledger.count === 0) this.dismiss(worker);
    }
    if (this.#crew.size > 0 || this.#crew.leaving > 0) return;
    this.#stopGrowing?.();
    this.#life = CLOSED;
    for (const resolve of this.#whenClosed.splice(0)) resolve();
  }

  /** Ends a worker; the calls that it still runs fail with `error`. */
  dismiss(worker: PoolWorker, error?: (job: Job) => Error): void {
    for (const job of worker.ledger.parted) this.#suspects.add(job);
    const gone = this.#crew.dismiss(worker, error);
    if (gone === undefined) return;
    gone.then(() => this.#schedule());
    if (this.#crew.size === 0) this.#rounds.end();
  }

  /** Jobs that come back from a worker are the next to be sent, unless all pending jobs were ended. */
  putBack(jobs: readonly Job[]): void {
    this.#queue.putBack(jobs);
  }

  /** Ends every job that has not been entered, wherever the job is, now or when it comes back. */
  #endPending(how: (job: Job) => void): void {
    for (const worker of [...this.#crew].toReversed()) {
      this.putBack(worker.revokeAll("all"));
    }
    this.#queue.end(how);
  }

  #break(message: string, cause: unknown): void {
    if (this.#life >= BROKEN) return;
    this.#life = BROKEN;
    const broken = () => new BrokenExecutorError(message, { cause });
    this.#broken = broken;
    this.#settings.onBroken(broken);
    this.#endPending((job) => job.rejectAll(broken));
    this.#schedule();
  }
}
