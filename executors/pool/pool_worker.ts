/**
 * One worker as its host sees it: what has been sent to it, what comes back,
 * and what becomes of the rest if it dies.
 *
 * @module
 */

import { TimeoutError, WorkerCrashedError } from "../errors.ts";
import type { CancelledError } from "../errors.ts";
import { startDeadline } from "../timer.ts";
import { isTransfer, unwrapTransfer } from "../transfer.ts";
import { nameOf, type WorkHolder, type WorkItem } from "../work_item.ts";
import type { Channel, ChannelListener, OpenChannel } from "./channel.ts";
import { cloneError } from "./clone_error.ts";
import { decodeError, type EncodedError, encodeError } from "./codec.ts";
import { AHEAD_MS, type PoolFunction } from "./functions.ts";
import type { ToHost } from "./protocol.ts";
import { RunMessage } from "./run_message.ts";
import { SLOT_COUNT } from "./slots.ts";

const MASK = SLOT_COUNT - 1;

/**
 * A message to a worker that still has something to do holds at least so much
 * work, in milliseconds: several times what a message costs.
 */
const WORTHWHILE_MS = 0.1;

/** A function that takes no measurable time still counts, in milliseconds. */
const MIN_COST_MS = 1e-6;

/** What a worker's owner wants to hear. */
export interface PoolWorkerOwner {
  /** It is initialized. */
  workerReady(): void;
  /** Its initializer failed. */
  workerUnfit(worker: PoolWorker, cause: unknown): void;
  /** It has room again. */
  workerProgressed(): void;
  /** It has given back what it was asked for; that is to run elsewhere. */
  workerReturned(items: WorkItem[]): void;
  /** It is gone; `unentered` is to run elsewhere. */
  workerDied(worker: PoolWorker, cause: unknown, unentered: WorkItem[]): void;
}

/** What all workers of a pool have in common. */
export interface PoolWorkerSettings {
  readonly open: OpenChannel;
  readonly initializer: PoolFunction | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasks: number;
  readonly startTimeout: number;
  readonly gracePeriod: number;
}

/** Calls that this worker is to make. */
interface Assignment {
  readonly item: WorkItem;
  readonly fn: PoolFunction;
  /** What each is expected to keep the worker busy for, in milliseconds. */
  readonly cost: number;
  /** How many of them have not ended. */
  left: number;
}

/** A call that cannot be sent, and why. */
type Refusal = readonly [item: WorkItem, error: Error];

/** Host's side of one worker. */
export class PoolWorker implements WorkHolder, ChannelListener {
  readonly name: string;
  /** Whether it has been initialized. */
  ready = false;
  /** How many tasks it has that have not ended. */
  count = 0;
  /** How many more tasks it may be sent. */
  quota: number;
  /** How many tasks have ended in it, and how long they took. */
  tasks = 0;
  busyMs = 0;
  /** Since when it is there. */
  readonly born = performance.now();
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
  readonly #settings: PoolWorkerSettings;
  readonly #defined = new Set<number>();
  /** What the next message will hold. */
  #batch: Assignment[] = [];
  /** How many calls those are. */
  #offered = 0;
  /** What was sent, by position; empty where it has ended or was taken back. */
  readonly #sent: (Assignment | undefined)[] = [];
  /** The first position that has not been reported; the next to be sent. */
  #head = 0;
  #tail = 0;
  /** The last position that was announced as entered. */
  #entered = -1;
  /** What is to stop if it turns out to have been entered, by position. */
  readonly #toStop = new Map<number, CancelledError | TimeoutError>();
  /** The task that was told to stop, and the time it still has. */
  #stopping: { position: number; endGrace: () => void } | undefined;
  /** Ends the wait for a sign of life: it starts, or loads a module. */
  #stopWaiting = () => {};
  #loading = false;
  #gone = false;

  constructor(
    name: string,
    owner: PoolWorkerOwner,
    settings: PoolWorkerSettings,
  ) {
    this.name = name;
    this.quota = settings.maxTasks;
    this.#owner = owner;
    this.#settings = settings;
    this.#channel = settings.open(name, this);
    if (settings.initializer !== undefined) this.#define(settings.initializer);
    try {
      this.#channel.send([
        "initialize",
        settings.initializer?.id,
        settings.initArgs,
      ]);
      this.#awaitSign();
    } catch (error) {
      // Arguments that cannot be cloned; the owner does not know this worker yet.
      queueMicrotask(() => owner.workerUnfit(this, error));
    }
  }

  /** From now on it says when calls begin and end. */
  watch(): void {
    this.#channel.send(["watch"]);
  }

  /** Its process, if it is one of its own. */
  get pid(): number | undefined {
    return this.#channel.pid;
  }

  /** How many calls have been entered and have not ended. */
  get running(): number {
    let running = 0;
    for (let position = this.#head; position < this.#tail; position++) {
      const assignment = this.#sent[position & MASK];
      // What was stopped and goes on has ended for whoever submitted it.
      if (assignment === undefined || assignment.item.settled) continue;
      const { item, left } = assignment;
      const entered = this.#channel.slots.entered(position);
      running += Math.max(0, left - Math.max(0, item.count - entered));
    }
    return running;
  }

  /**
   * Takes calls for the next message, `limit` at most, and returns the item
   * that holds the others: the same one if it took none.
   */
  offer(item: WorkItem, fn: PoolFunction, limit: number): WorkItem | undefined {
    const cost = Math.max(
      item.chunkSize > 0 ? AHEAD_MS / item.chunkSize : fn.cost,
      MIN_COST_MS,
    );
    const room = Math.min(this.#room(cost, item.transfers), limit, this.quota);
    if (room < 1) return item;
    const rest = room < item.count ? item.split(room) : undefined;
    const left = item.count;
    this.#batch.push({ item, fn, cost, left });
    this.#offered += left;
    this.count += left;
    this.quota -= left;
    this.#load += cost * left;
    return rest;
  }

  /** Sends what it was offered. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#offered = 0;
    // Done callbacks may cancel what is being sent, or terminate, so they come last.
    for (const [item, error] of this.#send(batch)) item.reject(error);
  }

  /** Whether it is time to send `calls` of `fn`, rather than to wait until there are more. */
  wants(calls: number, fn: PoolFunction): boolean {
    if (this.count === 0) return true;
    return this.#load <= AHEAD_MS / 2 && calls * fn.cost >= WORTHWHILE_MS;
  }

  /** Whether it has been silent since this was last asked, with more than one task to do. */
  hasStalled(): boolean {
    const progressed = this.#progressed;
    this.#progressed = false;
    return !progressed && this.count > 1;
  }

  /**
   * Takes back what has not been entered: all of it, or what can be sent to
   * another worker. What the worker has to be asked for is returned later.
   */
  reclaim(what: "all" | "sendable"): WorkItem[] {
    const items: WorkItem[] = [];
    this.#stalled = true;
    if (!this.#channel.shared) this.#askBack();
    for (let position = this.#head; position < this.#tail; position++) {
      const assignment = this.#sent[position & MASK];
      // What has been moved cannot be sent again.
      if (what === "sendable" && assignment?.item.transfers) continue;
      const item = assignment && this.#revoke(assignment.item);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** Ends it at once; what it ran has settled before, or fails with `error`. */
  close(error?: (item: WorkItem) => Error): Promise<void> {
    this.#gone = true;
    this.#stopWaiting();
    this.#stopping?.endGrace();
    const closed = this.#channel.close();
    for (let { item, left } of this.#takeRunning()) {
      // Deno cannot end a loop that never yields, but the loop may ask.
      this.#channel.slots.stop(item.position, "cancelled");
      for (; error !== undefined && left > 0; left--) item.reject(error(item));
    }
    return closed;
  }

  entered(item: WorkItem): boolean {
    return this.#channel.slots.entered(item.position) > 0;
  }

  revoke(item: WorkItem): WorkItem | undefined {
    // Nobody waits to hear how much of it comes back, and nobody will run it.
    if (!this.#channel.shared && item.settled) this.#askFor(item.position);
    return this.#revoke(item);
  }

  #revoke(item: WorkItem): WorkItem | undefined {
    return this.#takeBack(item, this.#channel.slots.revoke(item.position));
  }

  #askFor(position: number): void {
    this.#channel.send(["revoke", position, position + 1]);
  }

  /** Calls from `entered` on are not its own any more. */
  #takeBack(item: WorkItem, entered: number): WorkItem | undefined {
    const revoked = item.count - entered;
    if (revoked <= 0) return undefined;
    const index = item.position & MASK;
    const assignment = this.#sent[index]!;
    this.#release(assignment, revoked);
    // What never was entered does not count.
    this.quota += revoked;
    if (this.count === 0) this.#owner.workerProgressed();
    if (entered > 0) return item.split(entered);
    this.#sent[index] = undefined;
    this.#toStop.delete(item.position);
    item.holder = undefined;
    return item;
  }

  stop(item: WorkItem, reason: CancelledError | TimeoutError): void {
    // Of a task that has ended, only the report may not have arrived.
    if (this.#gone || this.#isPast(item.position)) return;
    if (!this.#channel.shared && item.position > this.#entered) {
      // Perhaps it has not been entered; else that is about to be heard.
      this.#toStop.set(item.position, reason);
      this.#askFor(item.position);
      return;
    }
    const kind = reason instanceof TimeoutError ? "timed out" : "cancelled";
    this.#channel.slots.stop(item.position, kind);
    this.#channel.send(["stop", item.position, encodeError(reason)]);
    // An earlier task has ended, or this one would not run.
    this.#stopping?.endGrace();
    const { position } = item;
    const endGrace = startDeadline(this.#settings.gracePeriod, () => {
      if (!this.#isPast(position)) this.#channel.kill(reason);
    });
    this.#stopping = { position, endGrace };
  }

  received(message: ToHost): void {
    if (this.#gone) return;
    try {
      this.#handle(message);
    } catch (error) {
      // No worker says such a thing, unless a task has tampered with it.
      this.died(error);
    }
  }

  #handle(message: ToHost): void {
    switch (message[0]) {
      case "up":
        break;
      case "loading":
        this.#loading = true;
        this.#awaitSign();
        break;
      case "loaded":
        this.#loading = false;
        this.#stopWaiting();
        break;
      case "ready":
        this.#stopWaiting();
        this.ready = true;
        this.idleSince = performance.now();
        this.#owner.workerReady();
        break;
      case "unfit":
        // Later it is forged, and would break the executor.
        if (!this.ready) {
          this.#owner.workerUnfit(this, decodeError(message[1]));
        }
        break;
      case "entered":
        this.#hasEntered(message[1]);
        break;
      case "revoked":
        this.#owner.workerReturned(this.#returned(message[1], message[2]));
        break;
      case "done":
        this.#report(message);
        break;
      case "closing":
        this.died(message[1] && decodeError(message[1]));
        break;
      default:
        message satisfies never;
    }
  }

  #hasEntered(position: number): void {
    this.#entered = position;
    const item = this.#sent[position & MASK]?.item;
    const reason = this.#toStop.get(position);
    this.#toStop.delete(position);
    if (item === undefined) return;
    item.start();
    if (reason !== undefined) this.stop(item, reason);
  }

  died(cause: unknown): void {
    if (this.#gone) return;
    // A module that kills the worker which loads it would do so again elsewhere.
    const lethal = this.#loading
      ? this.#sent[this.#head & MASK]?.item.fn
      : undefined;
    const failed: [item: WorkItem, calls: number, when: string][] = [];
    const unentered = this.reclaim("all").filter((item) => {
      if (item.fn === lethal) {
        failed.push([item, item.count, "while it loaded the module of"]);
      } else if (item.transfers) {
        // What has been moved cannot be sent again.
        failed.push([item, item.count, "before it entered"]);
      } else return true;
      return false;
    });
    for (const { item, left } of this.#takeRunning()) {
      // It was ready then, even if it has not been heard yet.
      this.ready ||= left > 0;
      failed.push([item, left, "while it ran"]);
    }
    // First, as done callbacks may cancel or terminate what is to run elsewhere.
    this.#owner.workerDied(this, cause, unentered);
    for (const [item, calls, when] of failed) {
      for (let left = calls; left > 0; left--) {
        item.reject(this.#crashed(item, cause, when));
      }
    }
  }

  /** Whether a later task has been entered, so that this one has ended. */
  #isPast(position: number): boolean {
    for (let later = position + 1; later < this.#tail; later++) {
      if (this.#channel.slots.heard(later) > 0) return true;
    }
    return false;
  }

  #awaitSign(): void {
    this.#stopWaiting();
    const { startTimeout } = this.#settings;
    const what = this.ready ? "had not loaded a module" : "was not ready";
    this.#stopWaiting = startDeadline(startTimeout, () => {
      this.#channel.kill(
        new TimeoutError(
          `Worker '${this.name}' ${what} after ${startTimeout} ms`,
        ),
      );
    });
  }

  /** How many calls of this cost it can be sent now. */
  #room(cost: number, transfers: boolean): number {
    const idle = this.count === 0;
    // Each call may need a slot, and a revoked one has its own until the worker is past it.
    const slots = SLOT_COUNT - (this.#tail - this.#head) - this.#offered;
    if (!this.ready) return idle && !transfers ? Math.min(1, slots) : 0;
    if (idle) return Math.min(Math.max(1, Math.floor(AHEAD_MS / cost)), slots);
    // What has been moved cannot be sent again, so it is never sent ahead.
    if (transfers || this.#stalled) return 0;
    return Math.min(Math.floor((AHEAD_MS - this.#load) / cost), slots);
  }

  /** Empties it; returns what was entered and has not ended. */
  #takeRunning(): Assignment[] {
    const running: Assignment[] = [];
    for (let position = this.#head; position < this.#tail; position++) {
      const assignment = this.#sent[position & MASK];
      this.#sent[position & MASK] = undefined;
      if (assignment !== undefined) running.push(assignment);
    }
    this.count = 0;
    return running;
  }

  /** Sends calls with plain arguments together, and each other call alone; returns what cannot be cloned. */
  #send(batch: readonly Assignment[]): Refusal[] {
    const refused: Refusal[] = [];
    let message = new RunMessage();
    let together: Assignment[] = [];
    const send = () => {
      if (together.length === 0) return;
      // Positions first: the worker may be at them before this returns.
      for (const assignment of together) this.#hold(assignment);
      this.#channel.send(["run", message.segments]);
      message = new RunMessage();
      together = [];
    };
    for (const assignment of batch) {
      let next: Assignment | undefined = assignment;
      while (next !== undefined) {
        this.#define(next.fn);
        const plain = message.addPlain(next.fn.id, next.item);
        let alone: Assignment | undefined = next;
        if (plain > 0) {
          alone = splitOff(next, plain);
          together.push(next);
        }
        if (alone === undefined) break;
        next = splitOff(alone, 1);
        send();
        const error = this.#sendAlone(alone);
        if (error !== undefined) refused.push([alone.item, error]);
      }
    }
    send();
    return refused;
  }

  /** A call that cannot be cloned fails alone, with the error that this returns. */
  #sendAlone(assignment: Assignment): Error | undefined {
    const { item, fn } = assignment;
    const args = item.args.map(unwrapTransfer);
    const transferables = item.args.filter(isTransfer).flatMap((arg) =>
      arg.transferables
    );
    this.#hold(assignment);
    try {
      this.#channel.send(["run", [[fn.id, 1, args, false]]], transferables);
    } catch (error) {
      this.#sent[--this.#tail & MASK] = undefined;
      // None, if a getter that throws has cancelled it before.
      const { left } = assignment;
      this.#release(assignment, left);
      this.quota += left;
      item.holder = undefined;
      this.#owner.workerProgressed();
      return cloneError(item, error, (value) => this.#channel.carries(value));
    }
  }

  #hold(assignment: Assignment): void {
    const { item } = assignment;
    item.holder = this;
    item.position = this.#tail++;
    this.#sent[item.position & MASK] = assignment;
    this.#channel.slots.send(item.position, item.timeout !== Infinity);
  }

  /** So many calls of these are not its own any more. */
  #release(assignment: Assignment, calls: number): void {
    assignment.left -= calls;
    this.count -= calls;
    // Set, not computed: what rounding leaves behind would add up.
    this.#load = this.count === 0 ? 0 : this.#load - assignment.cost * calls;
  }

  #report(
    [, position, busyMs, values, failures, times]: Extract<
      ToHost,
      readonly ["done", ...unknown[]]
    >,
  ): void {
    if (!(position >= this.#head && position <= this.#tail)) {
      throw new RangeError(`No position ${position}`);
    }
    this.#progressed = true;
    this.#stalled = false;
    this.tasks += values.length;
    this.busyMs += busyMs;
    const cost = busyMs / values.length;
    let learned: PoolFunction | undefined;
    let failure = 0;
    for (
      let i = 0;
      this.#head < this.#tail && (i < values.length || this.#head < position);
    ) {
      const assignment = this.#sent[this.#head & MASK];
      if (assignment === undefined) {
        this.#head++;
        continue;
      }
      const { item, fn } = assignment;
      const ended = Math.min(assignment.left, values.length - i);
      this.#release(assignment, ended);
      if (assignment.left === 0) {
        this.#sent[this.#head & MASK] = undefined;
        this.#head++;
      }
      if (ended > 0 && fn !== learned) (learned = fn).learn(cost);
      for (const to = i + ended; i < to; i++) {
        if (times !== undefined) {
          const [started, ended] = [times[2 * i]!, times[2 * i + 1]!];
          item.timing = { worker: this.name, started, ended };
        }
        if (failures?.[failure] === i) {
          item.reject(decodeError(failures[failure + 1] as EncodedError));
          failure += 2;
        } else {
          item.resolve(values[i]);
        }
      }
    }
    if (this.#stopping !== undefined && this.#stopping.position < position) {
      this.#stopping.endGrace();
      this.#stopping = undefined;
    }
    if (this.count === 0) this.idleSince = performance.now();
    this.#owner.workerProgressed();
  }

  /** Asks for what has not been entered. What has been moved stays; it was sent to an idle worker, so it is the first. */
  #askBack(): void {
    const first = this.#sent[this.#head & MASK];
    const from = this.#head + (first?.item.transfers ? 1 : 0);
    if (from < this.#tail) this.#channel.send(["revoke", from, this.#tail]);
  }

  /** The items from this position on of which so many calls were entered, without those. */
  #returned(from: number, entered: readonly number[]): WorkItem[] {
    return entered.flatMap((calls, i) => {
      const item = this.#sent[(from + i) & MASK]?.item;
      // It may have ended before it could be asked for.
      if (item?.position !== from + i) return [];
      // One that is alone in its worker is not announced.
      if (calls > 0) this.#hasEntered(item.position);
      return this.#takeBack(item, calls) ?? [];
    });
  }

  #define(fn: PoolFunction): void {
    if (this.#defined.has(fn.id)) return;
    this.#defined.add(fn.id);
    this.#channel.send(["define", fn.id, fn.reference]);
  }

  #crashed(item: WorkItem, cause: unknown, when: string): WorkerCrashedError {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    return new WorkerCrashedError(
      `Worker '${this.name}' died ${when} task ${nameOf(item.fn)}${why}`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** Keeps the first `calls`; what holds the others, if there are any. */
function splitOff(
  assignment: Assignment,
  calls: number,
): Assignment | undefined {
  const { item, fn, cost, left } = assignment;
  if (left === calls) return undefined;
  assignment.left = calls;
  return { item: item.split(calls), fn, cost, left: left - calls };
}
