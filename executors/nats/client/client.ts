/**
 * The client of a pool on a NATS server: from the queue of an executor to nodes,
 * and back.
 *
 * ```text
 * enqueue() ──► queue ──► sender.ts ──`run`──► server ──► node
 *                 ▲          │                              │
 *                 │      ledger.ts: what was sent ◄─`take`──┤
 *                 │          ▲  ▲                           │
 *                 ├─ lost ───┘  └─ watch.ts: `held` ───────►│
 *                 │                                         │
 * job.resolve(), reject() ◄── receiver.ts ◄──── `done` ◄────┘
 * ```
 *
 * It is connected while something is to be done, and for a second more. What is
 * the case is looked at twice a second then; all else follows messages.
 *
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import { BrokenExecutorError, ShutdownError } from "../../errors.ts";
import type { JobQueue } from "../../job/queue.ts";
import type { Engine } from "../../pool/engine.ts";
import { monotonicTime, queueMicrotask } from "../../runtime/clock.ts";
import { startTimer } from "../../runtime/timer.ts";
import type { Activity } from "../../stats.ts";
import { because } from "../../text.ts";
import type { ConnectionSettings } from "../connection_options.ts";
import type { Hello, MessageOf, Read } from "../messages.ts";
import { Subjects } from "../subjects.ts";
import { Dispatch, type DispatchSettings } from "./dispatch.ts";
import { Line, type LineOwner } from "./line.ts";
import type { Session } from "./session.ts";

/** How often it is looked whether all is well. */
const LOOK_MS = 500;

/** If it was as long as this, the program has done something else, and messages wait to be heard. */
const LATE_MS = 2000;

/** After so long without a node, a warning says what to type. */
const NO_NODE_MS = 10_000;

/** Nodes answer within this, or are not there for who asks now. */
const ROLL_CALL_MS = 500;

/** How a client works. */
export interface ClientSettings extends DispatchSettings {
  readonly connection: ConnectionSettings;
  /** Told once, if there is no server to work with. */
  readonly onBroken: (error: () => BrokenExecutorError) => void;
}

// The life of a client. States only move forward.
//
//   OPEN     takes jobs
//   CLOSING  takes no more; what is pending runs
//   BROKEN   there is no server: what is pending fails
//   CLOSED   no job is left, and no connection
//
//   OPEN -> CLOSING            close(), terminate()
//   OPEN, CLOSING -> BROKEN    the server cannot be reached, or refuses
//   CLOSING, BROKEN -> CLOSED  nothing is left
const OPEN = 0;
const CLOSING = 1;
const BROKEN = 2;
const CLOSED = 3;
type Life = typeof OPEN | typeof CLOSING | typeof BROKEN | typeof CLOSED;

/** Somebody who waits for a node. */
interface Start {
  resolve(): void;
  reject(error: Error): void;
}

/** See above. */
export class Client implements Engine, LineOwner {
  readonly #settings: ClientSettings;
  readonly #dispatch: Dispatch;
  readonly #line: Line;
  #life: Life = OPEN;
  /** Why it is broken. */
  #broken: (() => BrokenExecutorError) | undefined;
  #starts: Start[] = [];
  /** How many ask who is there. */
  #visitors = 0;
  readonly #whenClosed: (() => void)[] = [];
  #closing = false;
  #scheduled = false;
  #stopLooking: (() => void) | undefined;
  /** When the next look was waited for. */
  #looked = 0;
  /** Since when there is something to do and no node, and whether that was said. */
  #alone: number | undefined;
  #warned = false;

  /** Works off a queue; connects when there is something in it. */
  constructor(queue: JobQueue, settings: ClientSettings) {
    const client = crypto.randomUUID().replaceAll("-", "");
    const subjects = new Subjects(settings.connection.pool);
    this.#settings = settings;
    this.#dispatch = new Dispatch(client, queue, settings, {
      session: () => this.#line.session,
      later: (say) => this.#line.later(say),
      changed: () => this.#schedule(),
    });
    this.#line = new Line(client, subjects, settings.connection, this);
  }

  /** How many workers the nodes have. */
  get workers(): number {
    return this.#dispatch.presence.workers;
  }

  wake(): void {
    this.#schedule();
  }

  /** Resolves when a node is there. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#starts.push({ resolve, reject });
      this.#schedule();
    });
  }

  /** The nodes that answer now. */
  async nodes(): Promise<Hello[]> {
    this.#visitors++;
    this.#schedule();
    try {
      const session = await this.#line.whenOpen();
      const asked = monotonicTime();
      session.who(this.#settings.versions);
      await new Promise<void>((resolve) => startTimer(ROLL_CALL_MS, resolve));
      return this.#dispatch.presence.since(asked);
    } catch (error) {
      throw this.#broken?.() ?? error;
    } finally {
      this.#visitors--;
      this.#schedule();
    }
  }

  close(cancelFutures: boolean): Promise<void> {
    this.#life = Math.max(this.#life, CLOSING) as Life;
    this.#settleStarts();
    if (cancelFutures) this.#dispatch.cancelPending();
    return new Promise((resolve) => {
      this.#whenClosed.push(resolve);
      this.#schedule();
    });
  }

  terminate(): Promise<void> {
    const closed = this.close(true);
    this.#dispatch.terminate();
    return closed;
  }

  /** Whether calls are timed goes with each message. */
  watch(): void {}

  activity(): Activity {
    return this.#dispatch.activity();
  }

  describe(): Record<string, unknown> {
    return this.#dispatch.describe();
  }

  hello(hello: Hello): void {
    this.#dispatch.hello(hello);
    this.#schedule();
  }

  take(take: MessageOf<"take">): MessageOf<"go"> {
    return this.#dispatch.take(take);
  }

  back(back: MessageOf<"back">): void {
    this.#dispatch.back(back);
  }

  report(report: Read<"report">): void {
    this.#dispatch.report(report);
  }

  done(message: Msg, session: Session): Promise<void> | void {
    return this.#dispatch.done(message, session);
  }

  // The line to the server.

  get isNeeded(): boolean {
    return this.#life !== CLOSED && this.#life !== BROKEN && (
      this.#dispatch.hasCalls || this.#starts.length > 0 ||
      this.#life === OPEN && (this.#visitors > 0 || this.#dispatch.isStopping)
    );
  }

  get hasStored(): boolean {
    return this.#dispatch.hasStored;
  }

  opened(session: Session, kept: boolean, again: boolean): void {
    this.#dispatch.opened(session, kept, again);
    this.#schedule();
  }

  lostConnection(message: string): void {
    this.#dispatch.watch.forgetAnswers();
    console.warn(message);
  }

  failed(error: unknown): void {
    if (this.#life >= BROKEN) return;
    const broken = error instanceof BrokenExecutorError
      ? () => new BrokenExecutorError(error.message, { cause: error.cause })
      : () =>
        new BrokenExecutorError(
          `Cannot use NATS at ${this.#settings.connection.servers.join(", ")}${
            because(error)
          }`,
          { cause: error },
        );
    this.#life = BROKEN;
    this.#broken = broken;
    this.#settings.onBroken(broken);
    this.#settleStarts();
    this.#dispatch.fail(broken);
    this.#schedule();
  }

  // Turns.

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#dispatch.givesUp) this.#dispatch.cancelPending();
    this.#settleStarts();
    const needed = this.isNeeded;
    this.#line.use(needed);
    if (!needed) this.#rest();
    else if (this.#stopLooking === undefined) {
      this.#stopLooking = startTimer(LOOK_MS, () => this.#look());
      this.#looked = monotonicTime();
    }
    const { session } = this.#line;
    if (session !== undefined && needed) this.#dispatch.send(session);
    if (!needed && this.#life > OPEN) this.#end();
  }

  #rest(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#alone = undefined;
  }

  #look(): void {
    this.#stopLooking = undefined;
    const late = monotonicTime() - this.#looked > LATE_MS;
    const { session } = this.#line;
    // Timers come before messages: nobody is to seem silent, or out of time.
    if (late) this.#dispatch.watch.forgetAnswers();
    else {
      this.#warnIfAlone();
      this.#line.renew();
      if (session !== undefined) this.#dispatch.look(session);
    }
    this.#schedule();
  }

  #warnIfAlone(): void {
    if (this.#line.session === undefined || this.workers > 0) {
      this.#alone = undefined;
      return;
    }
    this.#alone ??= monotonicTime() - LOOK_MS;
    if (this.#warned || monotonicTime() - this.#alone < NO_NODE_MS) return;
    this.#warned = true;
    const { pool, servers } = this.#settings.connection;
    const option = pool === "default" ? "" : ` --pool ${pool}`;
    console.warn(
      `No node serves pool "${pool}" at ${
        servers.join(", ")
      }: start one with futures serve ${servers[0]}${option}`,
    );
  }

  #settleStarts(): void {
    if (this.#starts.length === 0) return;
    if (this.#life !== OPEN) {
      const error = () =>
        this.#broken?.() ??
          new ShutdownError("Shut down before a node was there");
      for (const start of this.#starts.splice(0)) start.reject(error());
    } else if (this.#dispatch.presence.workers > 0) {
      for (const start of this.#starts.splice(0)) start.resolve();
    }
  }

  async #end(): Promise<void> {
    if (this.#life !== CLOSED) {
      if (this.#whenClosed.length === 0 || this.#closing) return;
      this.#closing = true;
      await this.#line.close();
      this.#life = CLOSED;
    }
    for (const resolve of this.#whenClosed.splice(0)) resolve();
  }
}
