/**
 * What a server has, and what nodes have of which client, for people who look
 * for what hangs.
 *
 * @module
 */

import {
  decodeMessage,
  encodeMessage,
} from "../../../../executors/nats/messages.ts";
import { type Link, link } from "../links.ts";

/** Nodes say hello more often than this. */
const HELLO_MS = 3000;

/** Tells what a server and the nodes of its pool have. */
export async function describeServer(servers: string): Promise<string> {
  await using connected = await link({ servers });
  const { manager, subjects } = connected;
  const { tasks, results, parts } = subjects;
  const lines: string[] = [];
  const clients: string[] = [];
  for (const stream of [tasks, results, parts]) {
    const { state } = await manager.streams.info(stream, {
      subjects_filter: ">",
    });
    lines.push(`${stream}: ${Deno.inspect(state, { depth: 4 })}`);
    for (const consumer of await manager.consumers.list(stream).next()) {
      const { name, num_pending, num_ack_pending, num_waiting } = consumer;
      lines.push(
        `consumer ${name}: ${num_pending} pending, ${num_ack_pending} to be acknowledged, ${num_waiting} pulls`,
      );
      if (stream === results) clients.push(name);
    }
  }
  for (const [node, about] of await nodesOf(connected)) {
    lines.push(`node ${node}: ${about}`);
    for (const client of clients) {
      lines.push(await describeHeld(connected, node, client));
    }
  }
  return lines.join("\n");
}

/** The nodes that say hello meanwhile, and what they say. */
async function nodesOf(
  { nats, subjects }: Link,
): Promise<Map<string, string>> {
  const nodes = new Map<string, string>();
  const hellos = nats.subscribe(subjects.hellos, {
    callback: (_, { data }) => {
      const { node, name, busy } = decodeMessage(data, "hello").head;
      nodes.set(node, `${name}, with ${busy} busy workers`);
    },
  });
  await new Promise((resolve) => setTimeout(resolve, HELLO_MS));
  hellos.unsubscribe();
  return nodes;
}

async function describeHeld(
  { nats, subjects }: Link,
  node: string,
  client: string,
): Promise<string> {
  try {
    const question = encodeMessage({ type: "held", client });
    const { data } = await nats.request(subjects.node(node), question);
    const { tickets } = decodeMessage(data, "holds").head;
    return `node ${node} has of client ${client}: ${Deno.inspect(tickets)}`;
  } catch (error) {
    return `node ${node} does not say what it has: ${error}`;
  }
}
