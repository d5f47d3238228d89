/**
 * Deletes what a client that is gone has left at the server. Its results go by
 * themselves, with the consumer that it had.
 *
 * @module
 */

import type { JetStreamManager } from "@nats-io/jetstream";
import type { Parts } from "../parts.ts";
import type { Subjects } from "../subjects.ts";

/** The clients whose large values are with the server: there, or gone. */
export async function clientsWithParts(
  { streams }: JetStreamManager,
  subjects: Subjects,
): Promise<Set<string>> {
  const { state } = await streams.info(subjects.parts, {
    subjects_filter: subjects.allParts,
  });
  const stored = Object.keys(state.subjects ?? {});
  return new Set(stored.map((subject) => subjects.clientOfPart(subject)));
}

/**
 * Deletes messages and large values; several nodes may do so at a time.
 *
 * @param manager Of the streams.
 * @param parts The large values of the pool.
 * @param subjects The names of the pool.
 * @param client Which client is gone.
 */
export async function removeClient(
  manager: JetStreamManager,
  parts: Parts,
  subjects: Subjects,
  client: string,
): Promise<void> {
  await parts.dropClient(client);
  const { streams } = manager;
  const { tasks } = subjects;
  const { state } = await streams.info(tasks, {
    subjects_filter: subjects.tasksOf(client),
  });
  for (const subject of Object.keys(state.subjects ?? {})) {
    const message = await streams.getMessage(tasks, { last_by_subj: subject });
    if (message === null) continue;
    // A purge by subject would have the consumer skip what is left (nats-server
    // #3838). Another node may be faster.
    await streams.deleteMessage(tasks, message.seq).catch(() => {});
  }
}
