/**
 * Connections of tests that look at what is between a client and a node.
 *
 * @module
 */

import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { Connection } from "../../../executors/nats/connection.ts";
import {
  checkConnectionOptions,
  type NatsConnectionOptions,
} from "../../../executors/nats/connection_options.ts";
import { Parts } from "../../../executors/nats/parts.ts";
import { Requests } from "../../../executors/nats/requests.ts";
import { Streams } from "../../../executors/nats/streams.ts";
import { type Role, Subjects } from "../../../executors/nats/subjects.ts";

/** A connection, and what is made by it. */
export interface Link extends AsyncDisposable {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly streams: Streams;
  readonly parts: Parts;
  readonly manager: JetStreamManager;
  /** Resolves when the connection was lost and is back. */
  isBack(): Promise<void>;
  /** How many messages are in a stream. */
  messagesIn(stream: string): Promise<number>;
}

/** Connects as somebody who takes part in a pool. */
export async function link(
  options: NatsConnectionOptions,
  role: Role = "client",
): Promise<Link> {
  const settings = checkConnectionOptions(options, "test");
  const subjects = new Subjects(settings.pool);
  let back = Promise.withResolvers<void>();
  const connection = new Connection(settings, subjects.inbox(role), {
    lost: () => {},
    back: () => {
      back.resolve();
      back = Promise.withResolvers();
    },
  });
  const { nats } = await connection.hold();
  const manager = await jetstreamManager(nats, { checkAPI: false });
  return {
    nats,
    subjects,
    streams: await Streams.of(nats, subjects),
    parts: await Parts.of(
      nats,
      subjects,
      new Requests(nats, subjects.inbox(role)),
    ),
    manager,
    isBack: () => back.promise,
    messagesIn: async (stream) =>
      (await manager.streams.info(stream)).state.messages,
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
