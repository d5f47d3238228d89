/**
 * The text of `futures nodes`.
 *
 * @module
 */

import type { NatsNode } from "../executors/nats/mod.ts";
import type { QueueLength } from "./task_queue.ts";
import { paint, type TextOptions } from "./text.ts";

/** Who serves a pool, and what waits for them. */
export interface PoolReport extends QueueLength {
  readonly nodes: readonly NatsNode[];
}

/** Where a pool is. */
export interface PoolAddress {
  readonly pool: string;
  /** The address of the server, without a password. */
  readonly server: string;
}

/** The columns; what has the numbers is aligned to the right. */
const COLUMNS: readonly {
  heading: string;
  right?: boolean;
  cell(node: NatsNode, now: number): string;
}[] = [
  { heading: "node", cell: ({ name }) => plain(name) },
  { heading: "host", cell: ({ host }) => plain(host) },
  { heading: "workers", right: true, cell: ({ workers }) => `${workers}` },
  { heading: "busy", right: true, cell: ({ busy }) => `${busy}` },
  {
    heading: "up",
    right: true,
    cell: ({ since }, now) => formatAge(now - since),
  },
  { heading: "Deno", cell: ({ deno }) => plain(deno) },
  { heading: "futures", cell: ({ version }) => plain(version) },
];

/**
 * Makes a table of the nodes, and says what waits for them.
 *
 * @param report The nodes.
 * @param address The pool that they serve.
 * @param options What the time is, and whether to use colour.
 * @returns Lines of text.
 */
export function formatPool(
  { nodes, pending, redelivered }: PoolReport,
  { pool, server }: PoolAddress,
  { now, ...style }: TextOptions & { now: number },
): string {
  const waiting = `${
    count(pending, "message")
  } waiting, ${redelivered} redelivered`;
  if (nodes.length === 0) {
    return `No node serves the pool ${pool} at ${server}; ${waiting}`;
  }
  const rows = nodes.map((node) => COLUMNS.map(({ cell }) => cell(node, now)));
  const widths = COLUMNS.map(({ heading }, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) =>
      COLUMNS[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    ).join("  ").trimEnd();
  const workers = nodes.reduce((sum, node) => sum + node.workers, 0);
  const busy = nodes.reduce((sum, node) => sum + node.busy, 0);
  return [
    paint("bold", line(COLUMNS.map(({ heading }) => heading)), style),
    ...rows.map(line),
    "",
    `${count(nodes.length, "node")}, ${busy} of ${
      count(workers, "worker")
    } busy; ${waiting}`,
  ].join("\n");
}

/** Whatever a node says of itself, as text that no terminal obeys. */
function plain(text: string): string {
  return text.replaceAll(/\p{C}/gu, "?");
}

/** 12 s, 3 min, 5 h, 20 d */
function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function count(number: number, one: string): string {
  return `${number} ${number === 1 ? one : `${one}s`}`;
}
