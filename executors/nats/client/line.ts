/**
 * The line of a client to its server: open while it is needed, with streams and
 * a consumer that were made sure of.
 *
 * ```text
 *          use(true)              ensured
 * closed ───────────► connecting ─────────► open ◄──► not needed: it closes after a while
 *                          ▲                 │
 *                          └── back ── lost ◄┘
 * ```
 *
 * @module
 */

import { JetStreamApiError } from "@nats-io/jetstream";
import { PermissionViolationError } from "@nats-io/nats-core";
import { ShutdownError } from "../../errors.ts";
import { startTimer } from "../../runtime/timer.ts";
import { Connection, type Held } from "../connection.ts";
import type { ConnectionSettings } from "../connection_options.ts";
import type { Subjects } from "../subjects.ts";
import { Session, type SessionListener } from "./session.ts";

/** A server that has just come back is asked again after so long. */
const RETRY_MS = 250;

/** So long it may take to leave nothing behind. */
const LEAVE_MS = 2000;

/** What a server says whose JetStream has not started. */
const NOT_READY = 10008;

/** Who uses a line. */
export interface LineOwner extends SessionListener {
  /** Something may be done now. */
  wake(): void;
  /** Whether it still does. */
  readonly isNeeded: boolean;
  /** Whether there have been parts of values, or bundles. */
  readonly hasStored: boolean;
  /**
   * Everything can be sent.
   *
   * @param kept Whether the server has what it had before.
   * @param again Whether the connection was lost before.
   */
  opened(session: Session, kept: boolean, again: boolean): void;
  /** Nothing can be sent for now. */
  lostConnection(message: string): void;
  /** There is no server to work with. */
  failed(error: unknown): void;
}

/** See above. */
export class Line {
  readonly #client: string;
  readonly #subjects: Subjects;
  readonly #owner: LineOwner;
  readonly #connection: Connection;
  #held: Held | undefined;
  #opening = false;
  /** That of the newest connection. */
  #newest: Session | undefined;
  /** Whether streams and consumer are there, as far as one can know. */
  #sound = false;
  /** Which attempt to make sure of them is the newest. */
  #attempt = 0;
  #closed = false;
  /** Ends the wait for the next attempt. */
  #stopWaiting = () => {};
  #waiting: PromiseWithResolvers<Session>[] = [];
  /** What is said without waiting for it. */
  readonly #said = new Set<Promise<void>>();

  /** Connects when it is used. */
  constructor(
    client: string,
    subjects: Subjects,
    settings: ConnectionSettings,
    owner: LineOwner,
  ) {
    this.#client = client;
    this.#subjects = subjects;
    this.#owner = owner;
    this.#connection = new Connection(settings, subjects.inbox("client"), {
      lost: (message) => {
        this.#sound = false;
        this.#attempt++;
        if (this.#held !== undefined) owner.lostConnection(message);
      },
      back: () => {
        if (this.#held !== undefined && this.#newest !== undefined) {
          this.#ensure(this.#newest, true).catch((error) => this.#fail(error));
        }
      },
      leave: () => this.#leave(),
    });
  }

  /** By what to send; nothing while that is not possible. */
  get session(): Session | undefined {
    return this.#held !== undefined && this.#sound ? this.#newest : undefined;
  }

  /** Resolves when it is open. */
  whenOpen(): Promise<Session> {
    const { session } = this;
    if (session !== undefined) return Promise.resolve(session);
    const waiting = Promise.withResolvers<Session>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** From now on it is needed, or not. */
  use(needed: boolean): void {
    if (needed && this.#held === undefined && !this.#opening) this.#open();
    else if (!needed) this.#release();
  }

  /** Makes sure of streams and consumer again, if somebody has removed them. */
  renew(): void {
    const { session } = this;
    if (session === undefined || !session.isRefused) return;
    this.#sound = false;
    this.#ensure(session, true).catch((error) => this.#fail(error));
  }

  /** Says something if that is possible now; if not, the server forgets by itself. */
  later(say: (session: Session) => Promise<void>): void {
    const session = this.#newest;
    if (session === undefined || session.nats.isClosed()) return;
    const said = say(session).catch(() => {}).finally(() =>
      this.#said.delete(said)
    );
    this.#said.add(said);
  }

  /** Closes for good, and leaves nothing with the server. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWaiting();
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new ShutdownError("Shut down before the server has answered"));
    }
    await this.#leave();
    this.#release();
    await this.#connection.close();
  }

  /** Takes everything from the server, if that is possible now. */
  async #leave(): Promise<void> {
    const session = this.#newest;
    if (session === undefined || !this.#sound || session.nats.isClosed()) {
      return;
    }
    let stopTimer = () => {};
    const late = new Promise<void>((resolve) =>
      stopTimer = startTimer(LEAVE_MS, resolve)
    );
    const left = Promise.all(this.#said).then(() =>
      session.leave(this.#owner.hasStored)
    );
    await Promise.race([left.catch(() => {}), late]);
    stopTimer();
  }

  #release(): void {
    this.#held?.[Symbol.dispose]();
    this.#held = undefined;
  }

  async #open(): Promise<void> {
    this.#opening = true;
    try {
      const held = await this.#connection.hold();
      this.#held = held;
      if (this.#closed) return;
      if (this.#newest?.nats !== held.nats) {
        this.#sound = false;
        this.#newest = await Session.open(
          held.nats,
          this.#client,
          this.#subjects,
          this.#owner,
        );
      }
      if (!this.#sound) await this.#ensure(this.#newest, false);
      else this.#tell(this.#newest);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#opening = false;
      if (!this.#owner.isNeeded) this.#release();
    }
  }

  /** Makes sure of streams and consumer, however long that takes. */
  async #ensure(session: Session, again: boolean): Promise<void> {
    const attempt = ++this.#attempt;
    const isOver = () =>
      attempt !== this.#attempt || this.#closed || session.nats.isClosed();
    do {
      try {
        const kept = await session.ensure();
        if (attempt !== this.#attempt) return;
        this.#sound = true;
        this.#owner.opened(session, kept, again);
        return this.#tell(session);
      } catch (error) {
        if (isRefusal(error)) throw error;
      }
      if (isOver()) return;
      await new Promise<void>((resolve) => {
        const stopTimer = startTimer(RETRY_MS, resolve);
        this.#stopWaiting = () => {
          stopTimer();
          resolve();
        };
      });
    } while (!isOver());
  }

  #tell(session: Session): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(session);
    this.#owner.wake();
  }

  #fail(error: unknown): void {
    this.#release();
    // Whatever fails as it is closed is no failure of the server.
    if (this.#closed) return;
    this.#owner.failed(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** Whether it will not be otherwise if it is tried again. */
function isRefusal(error: unknown): boolean {
  return error instanceof PermissionViolationError ||
    error instanceof Error &&
      error.cause instanceof PermissionViolationError ||
    error instanceof JetStreamApiError && error.code !== NOT_READY;
}
