/**
 * One worker as its host sees it: what has been sent to it, what comes back,
 * and what becomes of the rest if it dies.
 *
 * @module
 */

import { show } from "../arguments.ts";
import { TimeoutError, WorkerCrashedError } from "../errors.ts";
import type { CancelledError } from "../errors.ts";
import { startTimer } from "../timer.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import { nameOf, type WorkHolder, type WorkItem } from "../work_item.ts";
import type { Channel, ChannelListener, OpenChannel } from "./channel.ts";
import { decodeError, encodeError } from "./codec.ts";
import { AHEAD_MS, type PoolFunction } from "./functions.ts";
import type { Segment, ToHost } from "./protocol.ts";
import {
  REVOKED,
  RUNNING,
  SLOT_COUNT,
  STOP_CANCELLED,
  STOP_TIMED_OUT,
} from "./slots.ts";

const MASK = SLOT_COUNT - 1;

/** Most tasks in one message; with fewer than it could hold, a worker has the next when it reports. */
const MAX_BATCH = 256;

/** What a worker's owner wants to hear. */
export interface PoolWorkerOwner {
  /** It is initialized. */
  workerReady(): void;
  /** Its initializer failed. */
  workerUnfit(worker: PoolWorker, cause: unknown): void;
  /** It has room again. */
  workerProgressed(): void;
  /** It is gone; `unentered` is to run elsewhere. */
  workerDied(worker: PoolWorker, cause: unknown, unentered: WorkItem[]): void;
}

/** What all workers of a pool have in common. */
export interface PoolWorkerSettings {
  readonly open: OpenChannel;
  readonly initializer: PoolFunction | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasks: number;
  readonly gracePeriod: number;
}

/** A call that this worker is to make. */
interface Assignment {
  readonly item: WorkItem;
  readonly fn: PoolFunction;
  /** What it is expected to keep the worker busy for, in milliseconds. */
  readonly cost: number;
}

/** Host's side of one worker. */
export class PoolWorker implements WorkHolder, ChannelListener {
  readonly name: string;
  /** Whether it has been initialized. */
  ready = false;
  /** How many tasks it has that have not ended. */
  count = 0;
  /** How many more tasks it may be sent. */
  quota: number;
  /** Since when it has nothing to do. */
  idleSince = performance.now();
  /** How long its tasks are expected to take, in milliseconds. */
  #load = 0;
  /** Whether it has reported something since it was last asked. */
  #progressed = false;
  /** Whether it was silent for so long that it gets no more until it reports. */
  #stalled = false;
  readonly #channel: Channel;
  readonly #owner: PoolWorkerOwner;
  readonly #gracePeriod: number;
  readonly #defined = new Set<number>();
  /** What the next message will hold. */
  #batch: Assignment[] = [];
  /** What was sent, by position; empty where it has ended or was taken back. */
  readonly #sent: (Assignment | undefined)[] = new Array(SLOT_COUNT);
  /** The first position that has not been reported; the next to be sent. */
  #head = 0;
  #tail = 0;
  /** The task that was told to stop, and the time it still has. */
  #stopping: { position: number; endGrace: () => void } | undefined;
  #gone = false;

  constructor(
    name: string,
    owner: PoolWorkerOwner,
    settings: PoolWorkerSettings,
  ) {
    this.name = name;
    this.quota = settings.maxTasks;
    this.#owner = owner;
    this.#gracePeriod = settings.gracePeriod;
    this.#channel = settings.open(name, this);
    if (settings.initializer !== undefined) this.#define(settings.initializer);
    this.#channel.send([
      "initialize",
      settings.initializer?.id,
      settings.initArgs,
    ]);
  }

  /** Takes a task for the next message, if it has room for it. */
  offer(item: WorkItem, fn: PoolFunction): boolean {
    const cost = item.chunkSize > 0 ? AHEAD_MS / item.chunkSize : fn.cost;
    if (!this.#accepts(cost, item.args.some(isTransfer))) return false;
    this.#batch.push({ item, fn, cost });
    this.count++;
    this.#load += cost;
    this.quota--;
    if (this.#batch.length === MAX_BATCH) this.flush();
    return true;
  }

  /** Sends what it was offered. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#send(batch);
  }

  /** Whether it has been silent since this was last asked, with more than one task to do. */
  hasStalled(): boolean {
    const progressed = this.#progressed;
    this.#progressed = false;
    return !progressed && this.count > 1;
  }

  /** Takes back what has not been entered. */
  reclaim(): WorkItem[] {
    const items: WorkItem[] = [];
    this.#stalled = true;
    for (let position = this.#head; position < this.#tail; position++) {
      const item = this.#sent[position & MASK]?.item;
      if (item !== undefined && this.revoke(item)) items.push(item);
    }
    return items;
  }

  /** Ends it at once; what it ran has settled before, or fails with `error`. */
  close(error?: (item: WorkItem) => Error): Promise<void> {
    this.#gone = true;
    this.#stopping?.endGrace();
    for (let position = this.#head; position < this.#tail; position++) {
      const item = this.#sent[position & MASK]?.item;
      this.#sent[position & MASK] = undefined;
      if (item !== undefined && error !== undefined) item.reject(error(item));
    }
    this.count = 0;
    return this.#channel.close();
  }

  entered(item: WorkItem): boolean {
    const state = this.#channel.slots.get(item.position);
    return state >= RUNNING && state !== REVOKED;
  }

  revoke(item: WorkItem): boolean {
    if (!this.#channel.slots.revoke(item.position)) return false;
    const index = item.position & MASK;
    this.#drop(this.#sent[index]!);
    this.#sent[index] = undefined;
    item.holder = undefined;
    // What never was entered does not count.
    this.quota++;
    if (this.count === 0) this.#owner.workerProgressed();
    return true;
  }

  stop(item: WorkItem, reason: CancelledError | TimeoutError): void {
    const state = reason instanceof TimeoutError
      ? STOP_TIMED_OUT
      : STOP_CANCELLED;
    this.#channel.slots.stop(item.position, state);
    this.#channel.send(["stop", item.position, encodeError(reason)]);
    const endGrace = startTimer(this.#gracePeriod, () => this.died(reason));
    this.#stopping = { position: item.position, endGrace };
  }

  received(message: ToHost): void {
    if (this.#gone) return;
    switch (message[0]) {
      case "up":
        break;
      case "ready":
        this.ready = true;
        this.idleSince = performance.now();
        this.#owner.workerReady();
        break;
      case "unfit":
        this.#owner.workerUnfit(this, decodeError(message[1]));
        break;
      case "entered":
        this.#sent[message[1] & MASK]?.item.start();
        break;
      case "done": {
        const [, position, busyMs, values, failures] = message;
        this.#report(position, busyMs, values, failures);
        break;
      }
      case "closing":
        this.died(message[1] && decodeError(message[1]));
        break;
      default:
        message satisfies never;
    }
  }

  died(cause: unknown): void {
    if (this.#gone) return;
    const unentered = this.reclaim().filter((item) => {
      if (!item.args.some(isTransfer)) return true;
      item.reject(this.#crashed(item, cause, "before it entered"));
      return false;
    });
    this.close((item) => this.#crashed(item, cause, "while it ran"));
    this.#owner.workerDied(this, cause, unentered);
  }

  /** A task with transfers cannot be sent twice, so it is never sent ahead. */
  #accepts(cost: number, transfers: boolean): boolean {
    if (this.quota === 0) return false;
    if (this.count === 0) return this.ready || !transfers;
    return this.ready && !this.#stalled && !transfers &&
      this.#load + cost <= AHEAD_MS &&
      this.#tail + this.#batch.length - this.#head < SLOT_COUNT;
  }

  /** One message; if it cannot be cloned, the task that is to blame fails alone. */
  #send(batch: readonly Assignment[]): void {
    try {
      this.#post(batch);
    } catch (error) {
      if (batch.length > 1) {
        for (const assignment of batch) this.#send([assignment]);
      } else {
        this.#drop(batch[0]!);
        this.quota++;
        batch[0]!.item.reject(cloneError(batch[0]!.item, error));
        this.#owner.workerProgressed();
      }
    }
  }

  #post(batch: readonly Assignment[]): void {
    const segments: Segment[] = [];
    const transferables: Transferable[] = [];
    let count = 0;
    let args: unknown[] = [];
    for (const [i, { item, fn }] of batch.entries()) {
      this.#channel.slots.send(this.#tail + i, item.timeout !== Infinity);
      for (const arg of item.args) {
        if (isTransfer(arg)) transferables.push(...arg.transferables);
        args.push(unwrapTransfer(arg));
      }
      count++;
      const next = batch[i + 1];
      if (next?.fn !== fn || next.item.args.length !== item.args.length) {
        this.#define(fn);
        segments.push([fn.id, count, args]);
        count = 0;
        args = [];
      }
    }
    this.#channel.send(["run", segments], transferables);
    for (const assignment of batch) {
      assignment.item.holder = this;
      assignment.item.position = this.#tail;
      this.#sent[this.#tail++ & MASK] = assignment;
    }
  }

  /** It has this one no more. */
  #drop({ cost }: Assignment): void {
    this.count--;
    // Set, not computed: what rounding leaves behind would add up.
    this.#load = this.count === 0 ? 0 : this.#load - cost;
  }

  #report(
    position: number,
    busyMs: number,
    values: readonly unknown[],
    failures: readonly unknown[] | undefined,
  ): void {
    const cost = busyMs / values.length;
    let learned: PoolFunction | undefined;
    let failure = 0;
    this.#progressed = true;
    this.#stalled = false;
    for (let i = 0; this.#head < position; this.#head++) {
      const assignment = this.#sent[this.#head & MASK];
      if (assignment === undefined) continue;
      const { item, fn } = assignment;
      this.#sent[this.#head & MASK] = undefined;
      this.#drop(assignment);
      if (fn !== learned) (learned = fn).learn(cost);
      if (failures?.[failure] === i) {
        item.reject(decodeError(failures[failure + 1] as never));
        failure += 2;
      } else {
        item.resolve(values[i]);
      }
      i++;
    }
    if (this.#stopping !== undefined && this.#stopping.position < position) {
      this.#stopping.endGrace();
      this.#stopping = undefined;
    }
    if (this.count === 0) this.idleSince = performance.now();
    this.#owner.workerProgressed();
  }

  #define(fn: PoolFunction): void {
    if (this.#defined.has(fn.id)) return;
    this.#defined.add(fn.id);
    this.#channel.send(["define", fn.id, fn.reference]);
  }

  #crashed(item: WorkItem, cause: unknown, when: string): WorkerCrashedError {
    return new WorkerCrashedError(
      `Worker '${this.name}' died ${when} task ${nameOf(item.fn)}`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** Says which argument it was. */
function cloneError(item: WorkItem, cause: unknown): Error {
  const args = item.args.map(unwrapTransfer);
  const culprit = args.findIndex((arg) => {
    try {
      structuredClone(arg);
      return false;
    } catch {
      return true;
    }
  });
  const what = culprit < 0
    ? "the arguments"
    : `argument ${culprit + 1} (${show(args[culprit])})`;
  const message = cause instanceof Error ? cause.message : show(cause);
  const error = new DOMException(
    `Cannot send ${what} of task ${nameOf(item.fn)} to a worker: ${message}`,
    "DataCloneError",
  );
  Object.defineProperty(error, "cause", {
    value: cause,
    configurable: true,
    writable: true,
  });
  return error;
}
