/**
 * One worker as its host sees it: what has been sent to it, what comes back,
 * and what becomes of the rest if it dies.
 *
 * @module
 */

import { because, nameOf } from "../../text.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { TimeoutError, WorkerCrashedError } from "../../errors.ts";
import type { CancelledError } from "../../errors.ts";
import { startDeadline } from "../../runtime/timer.ts";
import { isTransfer, unwrapTransfer } from "../../transfer.ts";
import {
  rejectAll,
  type WorkHolder,
  type WorkItem,
} from "../../job/work_item.ts";
import type { Channel, ChannelListener, OpenChannel } from "../channel.ts";
import {
  cloneError,
  initArgsError,
  lostResultError,
} from "../wire/clone_error.ts";
import { decodeError, encodeError } from "../wire/codec.ts";
import {
  AHEAD_MS,
  type FunctionTable,
  type PoolFunction,
} from "./functions.ts";
import { InFlight } from "./in_flight.ts";
import { Outcomes, type Report } from "./outcomes.ts";
import { BATCH_CALLS, type Segment, type ToHost } from "../wire/protocol.ts";
import { RunMessage } from "./run_message.ts";
import { ANSWER_LOOKS, Silence, type SilenceLevel } from "./silence.ts";
import { SLOT_COUNT } from "../wire/slots.ts";
import { Stops } from "./stops.ts";
import { Validator } from "./validator.ts";

/**
 * A message to a worker that still has something to do holds at least so much
 * work, in milliseconds: several times what a message costs.
 */
export const WORTHWHILE_MS = 0.1;

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
  /** It is gone. */
  workerDied(worker: PoolWorker, death: WorkerDeath): void;
  /** A worker has died, perhaps because of this item, which it is said not to have entered: whether that is not to be sent again. */
  diedWith(item: WorkItem): boolean;
}

/** How a worker went. */
export interface WorkerDeath {
  readonly cause: unknown;
  /** What is to run elsewhere. */
  readonly unentered: WorkItem[];
  /** Whether nothing that it ran or loaded can have been the reason. */
  readonly idle: boolean;
  /** See {@linkcode ChannelListener.died}. */
  readonly interrupted: boolean;
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

/** What of a batch was not sent. */
interface Unsent {
  /** Calls that cannot be sent, and why. */
  readonly refused: [item: WorkItem, error: Error][];
  /** What is to run elsewhere, or nowhere. */
  readonly unwanted: WorkItem[];
}

/** Host's side of one worker. */
export class PoolWorker implements WorkHolder, ChannelListener {
  readonly name: string;
  /** Whether it has been initialized. */
  ready = false;
  /** How many more tasks it may be sent. */
  quota: number;
  /** How many tasks have ended in it, and how long they took. */
  tasks = 0;
  busyMs = 0;
  /** Since when it is there. */
  readonly born = monotonicTime();
  /** Since when it has nothing to do. */
  idleSince = monotonicTime();
  /** What it has given back since it is silent, and may run elsewhere by now. */
  parted: WorkItem[] = [];
  /** Whether it has reported something since it was last asked. */
  #progressed = false;
  /** Whether it was silent for so long that it gets no more until it reports. */
  #stalled = false;
  readonly #channel: Channel;
  readonly #carries = (value: unknown): boolean => this.#channel.carries(value);
  readonly #owner: PoolWorkerOwner;
  readonly #settings: PoolWorkerSettings;
  readonly #defined = new Set<number>();
  /** What it has been given. */
  readonly #tasks = new InFlight();
  readonly #validator: Validator;
  /** Whether it has said what cannot be; then it is about to be gone. */
  #distrusted = false;
  /** What the next message will hold, and how many calls those are. */
  #batch: WorkItem[] = [];
  #offered = 0;
  /** Whether what is being sent was called back meanwhile. */
  #interrupted = false;
  readonly #stops: Stops;
  readonly #silence: Silence;
  /** How much its process had taken at the last look. */
  #written: number | undefined;
  /** How many looks it has been silent for too long. */
  #overLooks = 0;
  /** Whether it has been asked for the last time what it has not entered, and that. */
  #asked = false;
  #withheld: readonly WorkItem[] = [];
  /** Ends the wait for a sign of life: it starts, or loads a module. */
  #stopWaiting = () => {};
  #loading = false;
  #gone = false;
  /** Whether it was at something as it was told to die. */
  #diedBusy = false;

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
    this.#stops = new Stops(
      this.#channel,
      this.#tasks,
      settings.gracePeriod,
      () => owner.workerReturned(this.reclaim("sendable")),
    );
    this.#silence = new Silence(settings.gracePeriod);
    this.#validator = new Validator(this.#tasks, this.#channel.slots);
    if (settings.initializer !== undefined) this.#define(settings.initializer);
    try {
      this.#channel.send(
        ["initialize", settings.initializer?.id, settings.initArgs],
        [],
      );
      this.#awaitSign();
    } catch (error) {
      // Arguments that cannot be cloned; the owner does not know this worker yet.
      queueMicrotask(() => owner.workerUnfit(this, initArgsError(error)));
    }
  }

  /** How many calls it has that have not ended. */
  get count(): number {
    return this.#tasks.count;
  }

  /** From now on it says when calls begin and end. */
  watch(): void {
    this.#validator.watched = true;
    this.#channel.send(["watch"]);
  }

  /** Its process, if it is one of its own. */
  get pid(): number | undefined {
    return this.#channel.pid;
  }

  /** How many calls have been entered and have not ended. */
  get running(): number {
    let running = 0;
    const { head, tail } = this.#tasks;
    for (let position = head; position < tail; position++) {
      const item = this.#tasks.item(position);
      // What was stopped and goes on has ended for whoever submitted it.
      if (item === undefined || item.settled) continue;
      const entered = this.#channel.slots.entered(position);
      const unentered = Math.max(0, item.count - entered);
      running += Math.max(0, this.#tasks.left(position) - unentered);
    }
    return running;
  }

  /**
   * Takes calls for the next message, `limit` at most, and returns the item
   * that holds the others: the same one if it took none.
   */
  offer(item: WorkItem, limit: number): WorkItem | undefined {
    const cost = costOf(item, this.#settings.functions.of(item.fn));
    const room = Math.min(this.#room(cost, item.transfers), limit, this.quota);
    if (!(room >= 1)) return item;
    const rest = room < item.count ? item.split(room) : undefined;
    this.#batch.push(item);
    this.#offered += item.count;
    this.quota -= item.count;
    this.#tasks.add(item.count, cost);
    return rest;
  }

  /** Sends what it was offered. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#offered = 0;
    this.#interrupted = false;
    const { refused, unwanted } = this.#send(batch);
    if (unwanted.length > 0) this.#owner.workerReturned(unwanted);
    // Done callbacks may cancel what is being sent, or terminate, so they come last.
    for (const [item, error] of refused) item.reject(error);
  }

  /** Whether it waits for something to do, and will be at it at once. */
  get free(): boolean {
    return this.ready && this.count === 0 && this.quota > 0 &&
      !this.#silence.long && !this.#distrusted;
  }

  /** Whether it is at work, and about to be done with it. */
  get brisk(): boolean {
    return this.ready && this.count > 0 && !this.#stalled &&
      this.#tasks.load <= AHEAD_MS / 2;
  }

  /** Whether it is time to send `calls` of `fn`, rather than to wait until there are more. */
  wants(calls: number, fn: PoolFunction): boolean {
    if (this.count === 0) return !this.#silence.long;
    return this.brisk &&
      (calls >= BATCH_CALLS / 2 || calls * fn.cost >= WORTHWHILE_MS);
  }

  /** Whether it has been silent since this was last asked; then it gets no more until it reports. */
  hasStalled(): boolean {
    const progressed = this.#progressed || this.count === 0;
    this.#progressed = false;
    this.#stalled ||= !progressed;
    return !progressed;
  }

  /** Whether it has been silent for so long that it is given nothing. */
  get silent(): boolean {
    return this.#silence.long;
  }

  /** Whether it has been sent something that it has not reported. */
  get owes(): boolean {
    return this.#tasks.places > 0;
  }

  /**
   * Looks, every `LOOK_MS` while it owes something, whether it goes on; ends it
   * if it has been silent for too long. What is "long" is for its owner.
   */
  look(): SilenceLevel {
    const { head, tail } = this.#tasks;
    const { written } = this.#channel;
    const silent = this.ready && !this.#loading && head < tail &&
      written === this.#written && !this.#isAtWork();
    this.#written = written;
    const level = this.#silence.look(silent ? head : -1);
    // Whether it is there is mostly noticed at once, but not always.
    if (this.#silence.isTimeToCheck(head)) this.#channel.check?.();
    this.#asked = level === "last" || level === "over";
    // It may be at work all the time: without shared memory, only asking tells.
    if (level === "last") this.#channel.slots.recall(head, tail);
    if (level !== "over") this.#overLooks = 0;
    else if (
      !this.#channel.unanswered || this.#overLooks++ >= ANSWER_LOOKS
    ) this.#channel.kill(this.#silent());
    return level;
  }

  /** Whether it is known to have entered something that has not been reported. */
  #isAtWork(): boolean {
    const { head, tail } = this.#tasks;
    for (let position = head; position < tail; position++) {
      if (this.#channel.slots.surelyEntered(position)) return true;
    }
    return false;
  }

  #silent(): TimeoutError {
    return new TimeoutError(
      `Worker '${this.name}' was sent a call and did not react: something that an earlier task has left behind may run a loop that never yields, or its process was stopped`,
    );
  }

  /**
   * Takes back what has not been entered: all of it, or what can be sent to
   * another worker. What the worker has to be asked for is returned later.
   */
  reclaim(what: "all" | "sendable"): WorkItem[] {
    const items: WorkItem[] = [];
    this.#stalled = this.#interrupted = true;
    const { head, tail } = this.#tasks;
    // What has been moved stays; it was sent to an idle worker, so nothing before it is left.
    let from = head;
    while (from < tail && this.#tasks.left(from) === 0) from++;
    if (this.#tasks.item(from)?.transfers) from++;
    if (from < tail) this.#channel.slots.recall(from, tail);
    for (let position = head; position < tail; position++) {
      const item = this.#tasks.item(position);
      // What has been moved cannot be sent again.
      if (what === "sendable" && item?.transfers) continue;
      const revoked = item && this.#revoke(item);
      if (revoked !== undefined) items.push(revoked);
    }
    if (this.#silence.long) this.parted.push(...items);
    return items;
  }

  /** Ends it at once; what it ran has settled before, or fails with `error`. */
  close(error?: (item: WorkItem) => Error): Promise<void> {
    this.#gone = this.#interrupted = true;
    this.#stopWaiting();
    this.#stops.close();
    const idle = this.ready && this.count === 0 && !this.#diedBusy &&
      !this.#silence.long;
    const closed = this.#channel.close(idle);
    for (const [item, left] of this.#tasks.takeAll()) {
      // Deno cannot end a loop that never yields, but the loop may ask.
      this.#channel.slots.stop(item.position, "cancelled");
      if (error === undefined) continue;
      rejectAll(item, () => error(item), item.count - left);
    }
    return closed;
  }

  entered(item: WorkItem): boolean {
    return this.#channel.slots.entered(item.position) > 0;
  }

  revoke(item: WorkItem): WorkItem | undefined {
    // Nobody waits to hear how much of it comes back, and nobody will run it.
    if (item.settled) {
      this.#channel.slots.recall(item.position, item.position + 1);
    }
    return this.#revoke(item);
  }

  #revoke(item: WorkItem): WorkItem | undefined {
    return this.#takeBack(item, this.#channel.slots.revoke(item.position));
  }

  /** Calls from `entered` on are not its own any more. */
  #takeBack(item: WorkItem, entered: number): WorkItem | undefined {
    // What has ended was entered, whatever a task has made of the slots.
    entered = Math.max(entered, item.count - this.#tasks.left(item.position));
    const revoked = item.count - entered;
    if (!(revoked > 0)) return undefined;
    this.#tasks.end(item.position, revoked);
    // What never was entered does not count.
    this.quota += revoked;
    if (this.count === 0) this.#owner.workerProgressed();
    if (entered > 0) {
      const rest = item.split(entered);
      rest.position = item.position;
      return rest;
    }
    this.#tasks.clear(item.position);
    this.#stops.takenBack(item.position);
    item.holder = undefined;
    return item;
  }

  stop(item: WorkItem, reason: CancelledError | TimeoutError): void {
    if (!this.#gone) this.#stops.stop(item.position, reason);
  }

  received(data: unknown): void {
    if (this.#gone) return;
    try {
      const message = this.#validator.check(data);
      // Of a worker that is not believed, what it has entered is not sent again.
      if (this.#distrusted && message[0] !== "entered") return;
      this.#channel.slots.hear(message);
      this.#handle(message);
    } catch (error) {
      // No worker says such a thing, unless a task has tampered with it.
      this.#distrusted = this.#stalled = true;
      this.#channel.kill(error);
    }
  }

  /** What it says has been checked. */
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
        this.idleSince = monotonicTime();
        this.#owner.workerReady();
        break;
      case "unfit":
        this.#owner.workerUnfit(this, decodeError(message[1]));
        break;
      case "entered":
        this.#hasEntered(message[1]);
        break;
      case "revoked":
        this.#owner.workerReturned(this.#returned(message[1], message[2]));
        this.#stops.answered(message[1]);
        break;
      case "done":
        this.#report(message);
        break;
      case "unreadable":
        this.#lost();
        break;
      case "closing":
        this.died(message[1] && decodeError(message[1]));
        break;
      default:
        message satisfies never;
    }
  }

  #hasEntered(position: number): void {
    this.#tasks.item(position)?.start();
    this.#stops.entered(position);
  }

  died(cause: unknown, interrupted = false): void {
    if (this.#gone) return;
    // A module that kills the worker which loads it would do so again elsewhere.
    const lethal = this.#loading
      ? this.#tasks.item(this.#tasks.head)?.fn
      : undefined;
    const returned = [...this.#withheld, ...this.reclaim("all")];
    const running = this.#tasks.takeAll();
    // Of an item whose other calls were taken back, none may be left.
    const idle = lethal === undefined &&
      running.every(([, left]) => left === 0);
    // Ctrl-C as it starts is nobody's doing.
    const suspicious = idle && !(interrupted && !this.ready);
    // What comes before something that was entered was entered as well.
    const entered = Math.max(
      -1,
      ...running.map(([item, left]) => left > 0 ? item.position : -1),
    );
    this.#diedBusy = !idle;
    const failed: [item: WorkItem, calls: number, when: string][] = [];
    const unentered = returned.filter((item) => {
      if (item.fn === lethal) {
        failed.push([item, item.count, "while it loaded the module of"]);
      } else if (item.transfers) {
        // What has been moved cannot be sent again.
        failed.push([item, item.count, "before it entered"]);
      } else if (
        (suspicious || item.position < entered) && this.#owner.diedWith(item)
      ) {
        failed.push([item, item.count, "as others did before it entered"]);
      } else return true;
      return false;
    });
    for (const [item, left] of running) {
      // It was ready then, even if it has not been heard yet.
      this.ready ||= left > 0;
      failed.push([item, left, "while it ran"]);
    }
    // First, as done callbacks may cancel or terminate what is to run elsewhere.
    this.#owner.workerDied(this, {
      cause,
      unentered,
      idle: idle && !this.#silence.long,
      interrupted,
    });
    for (const [item, calls, when] of failed) {
      const error = () => this.#crashed(item, cause, when);
      rejectAll(item, error, item.count - calls);
    }
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

  /** How many calls of this cost it can be sent now; if anything about that is no number, none. */
  #room(cost: number, transfers: boolean): number {
    if (this.#distrusted) return 0;
    const idle = this.count === 0;
    if (this.#silence.long) return 0;
    // Each call may need a slot, and a revoked one has its own until the worker is past it.
    const slots = SLOT_COUNT - this.#tasks.places - this.#offered;
    if (!this.ready) return idle && !transfers ? Math.min(1, slots) : 0;
    if (idle) return Math.min(Math.max(1, Math.floor(AHEAD_MS / cost)), slots);
    // What has been moved cannot be sent again, so it is never sent ahead.
    if (transfers || this.#stalled) return 0;
    return Math.min(Math.floor((AHEAD_MS - this.#tasks.load) / cost), slots);
  }

  /**
   * Sends calls with plain arguments together, and each other call alone.
   * Copying arguments runs their getters, which may cancel what is in the batch,
   * or all there is; that is not sent.
   */
  #send(batch: readonly WorkItem[]): Unsent {
    const unsent: Unsent = { refused: [], unwanted: [] };
    const wanted = (item: WorkItem) => !this.#interrupted && !item.settled;
    let message = new RunMessage();
    const send = () => {
      if (message.segments.length === 0) return;
      this.#sendRun(message.segments);
      message = new RunMessage();
    };
    for (const item of batch) {
      const { id } = this.#define(this.#settings.functions.of(item.fn));
      let next: WorkItem | undefined = item;
      while (next !== undefined) {
        const plain: number = message.addPlain(id, next, wanted);
        if (plain === 0 && !wanted(next)) {
          this.#unoffer(next);
          if (!next.settled) unsent.unwanted.push(next);
          break;
        }
        let alone: WorkItem | undefined = next;
        if (plain > 0) {
          alone = splitOff(next, plain);
          // Before it is sent: the worker may be at it before that returns.
          this.#hold(next);
        }
        if (alone === undefined) break;
        next = splitOff(alone, 1);
        send();
        const error = this.#sendAlone(alone, id);
        if (error !== undefined) unsent.refused.push([alone, error]);
      }
    }
    send();
    return unsent;
  }

  /** An item of the batch is not its own any more. */
  #unoffer(item: WorkItem): void {
    const cost = costOf(item, this.#settings.functions.of(item.fn));
    this.#tasks.remove(item.count, cost);
    this.quota += item.count;
  }

  /** A call that cannot be cloned fails alone, with the error that this returns. */
  #sendAlone(item: WorkItem, id: number): Error | undefined {
    const args = item.args.map(unwrapTransfer);
    const transferables = item.args.filter(isTransfer).flatMap((arg) =>
      arg.transferables
    );
    this.#hold(item);
    try {
      this.#sendRun([[id, 1, args, false]], transferables);
    } catch (error) {
      // None is left, if a getter that throws has cancelled it before.
      this.quota += this.#tasks.pop();
      item.holder = undefined;
      this.#owner.workerProgressed();
      return cloneError(item, error, this.#carries);
    }
  }

  /** Where sending takes long, so may reading. */
  #sendRun(segments: readonly Segment[], transferables?: Transferable[]): void {
    const before = monotonicTime();
    this.#channel.send(["run", segments], transferables);
    this.#silence.sent(monotonicTime() - before);
  }

  #hold(item: WorkItem): void {
    const fn = this.#settings.functions.of(item.fn);
    item.holder = this;
    this.#tasks.push(item, fn, costOf(item, fn));
    this.#channel.slots.send(item.position, item.timeout !== Infinity);
  }

  #report(report: Report): void {
    const [, position, busyMs, { length }] = report;
    const tasks = this.#tasks;
    this.#progressed = true;
    this.#stalled = false;
    this.tasks += length;
    this.busyMs += busyMs;
    const outcomes = new Outcomes(report, this.name, this.#carries);
    let learned: PoolFunction | undefined;
    while (
      tasks.head < tasks.tail && (outcomes.left > 0 || tasks.head < position)
    ) {
      const at = tasks.head;
      const item = tasks.item(at);
      if (item === undefined) {
        tasks.head++;
        continue;
      }
      const fn = tasks.fn(at);
      const left = tasks.left(at);
      const ended = Math.min(left, outcomes.left);
      tasks.end(at, ended);
      if (ended === left) {
        tasks.clear(at);
        tasks.head++;
      }
      if (ended > 0 && fn !== learned) (learned = fn).learn(busyMs / length);
      outcomes.give(item, item.count - left, ended);
    }
    outcomes.forget();
    this.#stops.reported(position);
    this.#silence.ended(this.count);
    if (this.parted.length > 0) this.parted = [];
    if (this.count === 0) this.idleSince = monotonicTime();
    this.#owner.workerProgressed();
  }

  /**
   * A result that cannot be read is one that was reported alone, right after
   * all that had ended before: that of the first call which has not ended. How
   * long that took was in the same message, so it is taken to be the usual.
   */
  #lost(): void {
    const { head } = this.#tasks;
    const item = this.#tasks.item(head)!;
    const position = this.#tasks.left(head) === 1 ? head + 1 : head;
    const { cost } = this.#tasks.fn(head);
    const error = encodeError(lostResultError(item));
    const failures = [0, error];
    this.#report([
      "done",
      position,
      cost,
      [undefined],
      failures,
      undefined,
      this.tasks,
    ]);
  }

  /** The items from this position on of which so many calls were entered, without those. */
  #returned(from: number, entered: readonly number[]): WorkItem[] {
    const items = entered.flatMap((calls, i) => {
      const item = this.#tasks.item(from + i);
      // It may have ended before it could be asked for.
      if (item?.position !== from + i) return [];
      if (calls > 0) this.#hasEntered(item.position);
      return this.#takeBack(item, calls) ?? [];
    });
    if (this.#asked && entered.every((calls) => calls === 0)) {
      // One of them may be the reason why it is silent; what was moved cannot be sent again.
      this.#withheld = items;
      this.died(this.#silent());
      return [];
    }
    if (this.#silence.long) this.parted.push(...items);
    return items;
  }

  #define(fn: PoolFunction): PoolFunction {
    if (!this.#defined.has(fn.id)) {
      this.#defined.add(fn.id);
      this.#validator.functions++;
      this.#channel.send(["define", fn.id, fn.reference]);
    }
    return fn;
  }

  #crashed(item: WorkItem, cause: unknown, when: string): WorkerCrashedError {
    return new WorkerCrashedError(
      `Worker '${this.name}' died ${when} task ${nameOf(item.fn)}${
        because(cause)
      }`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** What each of its calls is expected to take, in milliseconds. */
function costOf({ chunkSize }: WorkItem, { cost }: PoolFunction): number {
  return Math.max(chunkSize > 0 ? AHEAD_MS / chunkSize : cost, MIN_COST_MS);
}

/** Keeps the first `calls`; returns what holds the others, if there are any. */
function splitOff(item: WorkItem, calls: number): WorkItem | undefined {
  return calls < item.count ? item.split(calls) : undefined;
}
