/**
 * One worker as its host sees it: its life, and whether it is to be sent more.
 *
 * ```text
 * Scheduler ──offer(), flush()──► outgoing.ts ──"run"──► channel ──► worker
 *    ▲                                 │                               │
 *    │                            ledger.ts, what the worker has       │
 *    │                                 │                               │
 *    └── jobs that were revoked ◄──────┼──── incoming.ts ◄── "done" ◄──┘
 *        WorkerDeath ◄── death.ts ◄────┘     validator.ts first
 * ```
 *
 * @module
 */

import {
  type CancelledError,
  TimeoutError,
  WorkerCrashedError,
} from "../../errors.ts";
import type { Job, JobHolder } from "../../job/job.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { startDeadline } from "../../runtime/timer.ts";
import { nameOf } from "../../text.ts";
import type { Channel, ChannelListener, OpenChannel } from "../channel.ts";
import { initArgsError } from "../wire/clone_error.ts";
import { decodeError } from "../wire/codec.ts";
import type { ToHost } from "../wire/protocol.ts";
import { Autopsy, type WorkerDeath } from "./death.ts";
import { costOf, type FunctionTable, type PoolFunction } from "./functions.ts";
import { Incoming } from "./incoming.ts";
import { Ledger } from "./ledger.ts";
import { Life } from "./life.ts";
import { Outgoing } from "./outgoing.ts";
import { Room } from "./room.ts";
import { Silence, type SilenceLevel, silentError } from "./silence.ts";
import { Stops } from "./stops.ts";
import { Validator } from "./validator.ts";

/** What a worker's owner wants to hear. */
export interface PoolWorkerOwner {
  /** The worker is initialized. */
  workerReady(): void;
  /** The worker's initializer failed. */
  workerUnfit(worker: PoolWorker, cause: unknown): void;
  /** The worker has room again. */
  workerProgressed(): void;
  /** These jobs were revoked from a worker, and are to run elsewhere. */
  jobsRevoked(jobs: Job[]): void;
  /** The worker is gone. */
  workerDied(worker: PoolWorker, death: WorkerDeath): void;
  /** See {@linkcode Remains.accuse}. */
  accuse(job: Job): boolean;
}

/** What all workers of a pool have in common. */
export interface PoolWorkerSettings {
  readonly open: OpenChannel;
  readonly functions: FunctionTable;
  readonly initializer: PoolFunction | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasks: number;
  readonly startTimeout: number;
  readonly gracePeriod: number;
}

/** The host's side of one worker. */
export class PoolWorker implements JobHolder, ChannelListener {
  readonly name: string;
  /** Since when the worker is there. */
  readonly born = monotonicTime();
  /** Since when the worker has nothing to do. */
  idleSince = monotonicTime();
  readonly #owner: PoolWorkerOwner;
  readonly #settings: PoolWorkerSettings;
  readonly #channel: Channel;
  /** Everything that the worker was sent. */
  readonly ledger: Ledger;
  /** How much more the worker is to be sent. */
  readonly room: Room;
  readonly #silence: Silence;
  readonly #validator: Validator;
  readonly #stops: Stops;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #life = new Life();
  /** Ends the wait for a sign of life from a worker that starts, or loads a module. */
  #stopWaiting = () => {};
  #closed: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    owner: PoolWorkerOwner,
    settings: PoolWorkerSettings,
  ) {
    this.name = name;
    this.#owner = owner;
    this.#settings = settings;
    const { functions, initializer, gracePeriod } = settings;
    const channel = this.#channel = settings.open(name, this);
    const ledger = this.ledger = new Ledger(channel.slots, settings.maxTasks);
    const silence = this.#silence = new Silence(gracePeriod);
    this.room = new Room(this.#life, ledger, silence);
    this.#validator = new Validator(ledger, channel.slots);
    this.#stops = new Stops(channel, ledger, {
      gracePeriod,
      revokeRest: () => owner.jobsRevoked(this.revokeAll("sendable")),
      kill: (reason) => this.#kill(reason),
    });
    this.#outgoing = new Outgoing(this, channel, ledger, functions, silence);
    this.#incoming = new Incoming(
      name,
      ledger,
      this.#stops,
      (value) => channel.carries(value),
    );
    if (initializer !== undefined) this.#outgoing.define(initializer);
    try {
      channel.send(["initialize", initializer?.id, settings.initArgs], []);
      this.#awaitSign();
    } catch (error) {
      // The arguments cannot be cloned. The owner hears later, as it does not know this worker yet.
      queueMicrotask(() => owner.workerUnfit(this, initArgsError(error)));
    }
  }

  /** The process of the worker, if it has one of its own. */
  get pid(): number | undefined {
    return this.#channel.pid;
  }

  /** Whether the worker has not said that it is ready. */
  get starting(): boolean {
    return !this.#life.wasReady;
  }

  /** Whether the worker has been initialized, and is not about to end. */
  get ready(): boolean {
    return this.#life.isReady;
  }

  /** Whether the worker has been silent for so long that it is given nothing. */
  get silent(): boolean {
    return this.#silence.long;
  }

  /** From now on the worker says when calls begin and end. */
  watch(): void {
    this.ledger.watched = true;
    this.#channel.send(["watch"]);
  }

  /**
   * Takes calls of a job for the next messages, `limit` at most, and returns
   * the job that holds the other calls: the same job if none was taken.
   */
  offer(job: Job, limit: number): Job | undefined {
    const cost = costOf(job, this.#settings.functions.of(job.fn));
    const { calls: underway } = this.#outgoing;
    const calls = Math.min(this.room.callsOf(job, cost, underway), limit);
    if (!(calls >= 1)) return job;
    const rest = calls < job.count ? job.split(calls) : undefined;
    this.#outgoing.add(job, cost);
    return rest;
  }

  /** Sends the calls that were taken. */
  flush(): void {
    const taken = this.#outgoing.calls > 0;
    const refused = this.#outgoing.send();
    // Of calls that getters have settled nothing is sent, so no report would come.
    const leftOut = taken && this.ledger.count === 0;
    if (refused.length > 0 || leftOut) this.#owner.workerProgressed();
    // Done callbacks may do anything to the executor, so they come last.
    for (const [job, error] of refused) job.reject(error);
  }

  entered(job: Job, call: number): boolean {
    return this.ledger.entered(job.position, call) !== "no";
  }

  stop(job: Job, reason: CancelledError | TimeoutError): void {
    if (this.ledger.has(job)) this.#stops.stop(job.position, reason);
  }

  revoke(job: Job): Job | undefined {
    if (!this.ledger.has(job)) return undefined;
    // Nobody waits to hear which calls of a settled job come back, and nobody will run them.
    if (job.settled) {
      this.ledger.askToRevoke(job.position, job.position + 1);
    }
    const revoked = this.ledger.revoke(job);
    if (this.ledger.count === 0) this.#owner.workerProgressed();
    return revoked;
  }

  /**
   * Revokes the calls that have not been entered: all of them, or those that
   * can be sent to another worker. Those that the worker has to be asked for
   * come to the owner later.
   */
  revokeAll(what: "all" | "sendable"): Job[] {
    this.#life.stall();
    const revoked = this.ledger.revokeAll(what);
    if (this.#silence.long) this.ledger.parted.push(...revoked);
    revoked.push(...this.#outgoing.revokeAll());
    if (this.ledger.count === 0) this.#owner.workerProgressed();
    return revoked;
  }

  /** The host looks, every `STALL_MS`; true if the worker is busy, and has reported nothing for two looks. */
  hasStalled(): boolean {
    return this.#life.lookAt(this.ledger.count > 0);
  }

  /**
   * The host looks, every `LOOK_MS`, at a worker that owes something; ends a
   * worker that has been silent for too long. The owner decides what is to be
   * done about one whose silence is long.
   */
  look(): SilenceLevel {
    const silence = this.#silence;
    if (this.#life.isLeaving) return silence.level;
    const isToReact = this.ready && !this.#validator.loading;
    const level = silence.lookAt(this.#channel, this.ledger, isToReact);
    if (level === "over" && !silence.isToWait(this.#channel)) {
      this.#kill(silentError(this.name));
    }
    return level;
  }

  received(data: unknown): void {
    if (this.#life.isGone || this.#life.isDistrusted && !isEntry(data)) return;
    try {
      const message = this.#validator.check(data);
      this.#channel.slots.hear(message);
      this.#handle(message);
    } catch (error) {
      // No worker says such a thing, unless a task has tampered with it.
      this.#life.distrust();
      this.#kill(error);
    }
  }

  /** The worker has sent a message, which has been checked. */
  #handle(message: ToHost): void {
    switch (message[0]) {
      case "up":
        break;
      case "loading":
        this.#awaitSign();
        break;
      case "loaded":
        this.#stopWaiting();
        break;
      case "ready":
        this.#stopWaiting();
        this.#life.becomeReady();
        this.idleSince = monotonicTime();
        this.#owner.workerReady();
        break;
      case "unfit":
        this.#owner.workerUnfit(this, decodeError(message[1]));
        break;
      case "entered":
        this.#incoming.entered(message[1]);
        break;
      case "revoked":
        this.#hasRevoked(message[1], message[2]);
        break;
      case "done":
        this.#life.report();
        this.#incoming.report(message);
        this.#hasReported();
        break;
      case "reporting":
        break;
      case "report":
        this.#incoming.reported(message[1], message[2], message[3]);
        break;
      case "unreadable":
        if (this.#validator.lost === "report") {
          this.#incoming.lostReport();
          break;
        }
        this.#life.report();
        this.#incoming.lost();
        this.#hasReported();
        break;
      case "closing":
        this.died(message[1] && decodeError(message[1]));
        break;
      default:
        message satisfies never;
    }
  }

  #hasReported(): void {
    this.#silence.ended(this.ledger.count);
    if (this.ledger.parted.length > 0) this.ledger.parted = [];
    if (this.ledger.count === 0) this.idleSince = monotonicTime();
    this.#owner.workerProgressed();
  }

  /** A process has said how many calls it keeps of the jobs from a position on. */
  #hasRevoked(from: number, kept: readonly number[]): void {
    const revoked = this.#incoming.revoked(from, kept);
    if (this.#silence.isLast && this.ledger.count === 0) {
      // The worker has entered nothing. One of these jobs may be the reason for its silence.
      return this.#hasDied(silentError(this.name), false, revoked);
    }
    if (this.#silence.long) this.ledger.parted.push(...revoked);
    this.#owner.jobsRevoked(revoked.filter(({ transfers }) => !transfers));
    this.#stops.answered(from);
    // Only a silent worker that was asked for the last time, and went on just then, gives such jobs back.
    for (const job of revoked) {
      if (job.transfers) job.reject(movedError(this.name, job));
    }
  }

  died(cause: unknown, interrupted = false): void {
    if (!this.#life.isGone) this.#hasDied(cause, interrupted, []);
  }

  /** The worker has died; these jobs were revoked from it just before. */
  #hasDied(cause: unknown, interrupted: boolean, revoked: Job[]): void {
    const ledger = this.ledger;
    const loading = this.#validator.loading
      ? ledger.job(ledger.head)
      : undefined;
    const autopsy = new Autopsy({
      revoked: [...revoked, ...this.revokeAll("all")],
      running: ledger.takeAll(),
      loading,
      ready: this.#life.wasReady,
      interrupted,
      accuse: (job) => this.#owner.accuse(job),
    });
    const { unentered, ready } = autopsy;
    const idle = autopsy.idle && !this.#silence.long;
    this.#leave(ready && idle);
    // The owner hears first, as done callbacks may cancel or terminate jobs that are to run elsewhere.
    this.#owner.workerDied(this, {
      cause,
      unentered,
      ready,
      idle,
      interrupted,
    });
    autopsy.failLosses(this.name, cause);
  }

  /** Ends the worker; the listener of its channel hears that it has died. */
  #kill(cause: unknown): void {
    this.#life.leave();
    this.#channel.kill(cause);
  }

  /** Ends the worker at once, unless it has died; the calls that it ran have settled before, or fail with `error`. */
  close(error?: (job: Job) => Error): Promise<void> {
    if (!this.#life.isGone) {
      this.#leave(
        this.#life.wasReady && this.ledger.count === 0 && !this.#silence.long,
      );
    }
    for (const [job, left] of this.ledger.takeAll()) {
      // Deno cannot end a loop that never yields, but the loop may ask whether to stop.
      this.#channel.slots.stop(job.position, "cancelled");
      if (error === undefined) continue;
      job.rejectAll(() => error(job), job.count - left);
    }
    return this.#closed;
  }

  /** Closes the channel of a worker that has died, or is to die. */
  #leave(idle: boolean): void {
    this.#life.end();
    this.#stopWaiting();
    this.#stops.close();
    this.#closed = this.#channel.close(idle);
  }

  #awaitSign(): void {
    this.#stopWaiting();
    const { startTimeout } = this.#settings;
    const what = this.starting ? "was not ready" : "had not loaded a module";
    this.#stopWaiting = startDeadline(startTimeout, () => {
      this.#kill(
        new TimeoutError(
          `Worker '${this.name}' ${what} after ${startTimeout} ms`,
        ),
      );
    });
  }
}

/** Whether a message that has not been checked looks like an "entered" one. */
function isEntry(data: unknown): boolean {
  return Array.isArray(data) && data[0] === "entered";
}

/** Why a job that came back unentered is not sent to another worker. */
function movedError(worker: string, { fn }: Job): WorkerCrashedError {
  return new WorkerCrashedError(
    `Worker '${worker}' was silent and gave back task ${
      nameOf(fn)
    }, whose arguments were moved and cannot be sent again`,
  );
}
