/**
 * The connection of a client or a node to its server: there while somebody
 * holds it, and closed when nobody has for a while, as the library would keep
 * the program alive with it, even were its socket unref'd.
 *
 * ```text
 *            hold()                      the last release()
 * closed ───────────► open ◄───────────► idle ─── idleTimeout ───► closed
 *                      │  ▲     hold()
 *          connection  │  │  the server is back
 *             is lost  ▼  │
 *                    open, but lost: what is published waits; release() closes
 * ```
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { startTimer } from "../runtime/timer.ts";
import { connect } from "./connect.ts";
import type { ConnectionSettings } from "./connection_options.ts";

/** An executor that nobody shut down ends with its program, after so long. */
const IDLE_MS = 1000;

/** Who hears how the connection is. */
export interface ConnectionListener {
  /** It was lost, and is being looked for; the sentence says where. Once for each time. */
  lost(message: string): void;
  /** It is back: what others have sent meanwhile may not have come. */
  back(): void;
  /** Nobody has held it for a while: it is closed once this has resolved. */
  leave?(): Promise<void>;
}

/** Somebody's use of a connection, until it is disposed of. */
export interface Held extends Disposable {
  /** The connection, the same for all who hold it. */
  readonly nats: NatsConnection;
}

/** See above. */
export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #inbox: string;
  readonly #listener: ConnectionListener;
  #holders = 0;
  #open: Promise<NatsConnection> | undefined;
  /** Resolves when no older connection is left. */
  #left: Promise<void> = Promise.resolve();
  #stopIdling: () => void = () => {};

  /**
   * Connects to nothing yet.
   *
   * @param settings Where, and as whom.
   * @param inbox The subject under which answers come.
   * @param listener Who hears how the connection is.
   */
  constructor(
    settings: ConnectionSettings,
    inbox: string,
    listener: ConnectionListener,
  ) {
    this.#settings = settings;
    this.#inbox = inbox;
    this.#listener = listener;
  }

  /**
   * Connects if need be, and keeps the connection open until what this gives
   * is disposed of.
   *
   * @throws {BrokenExecutorError} If there is no connection to be had.
   */
  async hold(): Promise<Held> {
    this.#holders++;
    this.#stopIdling();
    const open = this.#open ??= this.#connect();
    try {
      const nats = await open;
      let held = true;
      return {
        nats,
        [Symbol.dispose]: () => {
          if (held) this.#release();
          held = false;
        },
      };
    } catch (error) {
      // Whoever comes next tries again.
      if (this.#open === open) this.#open = undefined;
      this.#holders--;
      throw error;
    }
  }

  /** Closes at once, whoever holds it. */
  async close(): Promise<void> {
    this.#stopIdling();
    const open = this.#open;
    this.#open = undefined;
    const nats = await open?.catch(() => undefined);
    await Promise.all([nats && disconnect(nats), this.#left]);
  }

  #release(): void {
    if (--this.#holders > 0 || this.#open === undefined) return;
    this.#stopIdling = startTimer(IDLE_MS, () => {
      const open = this.#open!;
      this.#open = undefined;
      this.#left = this.#leave(open);
    });
  }

  async #leave(open: Promise<NatsConnection>): Promise<void> {
    const nats = await open;
    await this.#listener.leave?.();
    await disconnect(nats);
  }

  async #connect(): Promise<NatsConnection> {
    // What is left behind by the last connection is not what the next one leaves.
    await this.#left;
    const nats = await connect(this.#settings, this.#inbox);
    this.#follow(nats);
    return nats;
  }

  async #follow(nats: NatsConnection): Promise<void> {
    let lost = false;
    for await (const { type } of nats.status()) {
      // Each try that fails is a disconnection too.
      if (type === "disconnect" && !lost) {
        lost = true;
        this.#listener.lost(
          `Lost the connection to NATS at ${
            this.#settings.servers.join(", ")
          }: trying to get it back`,
        );
      } else if (type === "reconnect") {
        lost = false;
        this.#listener.back();
      }
    }
  }
}

async function disconnect(nats: NatsConnection): Promise<void> {
  await nats.close();
  // What was asked while it closed, nats-core 3.4.0 forgets: its timers would
  // keep the program for seconds.
  (nats as NatsConnectionImpl).protocol.muxSubscriptions.close();
}
