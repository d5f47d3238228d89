// What `futures nodes` shows of what nodes say.

import { assert, assertEquals } from "@std/assert";
import { formatPool } from "../../cli/nodes_table.ts";

const NOW = Date.UTC(2026, 0, 2, 12);
const SECOND = 1000;
const HOUR = 3600 * SECOND;

const NODE = {
  name: "ada",
  host: "ada.example",
  workers: 8,
  busy: 3,
  pool: "default",
  deno: "2.9.6",
  version: "0.1.0",
  since: NOW - 5 * HOUR,
};

const ADDRESS = { pool: "default", server: "nats://10.0.0.5:4222" };

Deno.test("formatPool() makes a table, and sums it up", () => {
  const text = formatPool(
    {
      nodes: [NODE, {
        ...NODE,
        name: "emmy-noether",
        workers: 16,
        busy: 16,
        since: NOW - 90 * SECOND,
      }],
      pending: 1,
      redelivered: 0,
    },
    ADDRESS,
    { now: NOW },
  );
  assertEquals(
    text,
    `\
node          host         workers  busy     up  Deno   futures
ada           ada.example        8     3    5 h  2.9.6  0.1.0
emmy-noether  ada.example       16    16  1 min  2.9.6  0.1.0

2 nodes, 19 of 24 workers busy; 1 message waiting, 0 redelivered`,
  );
});

Deno.test("formatPool() says where it has looked if there is no node", () => {
  const report = { nodes: [], pending: 2, redelivered: 1 };
  assertEquals(
    formatPool(report, ADDRESS, { now: NOW }),
    "No node serves the pool default at nats://10.0.0.5:4222; 2 messages waiting, 1 redelivered",
  );
});

Deno.test("formatPool() shows nothing that a terminal would obey", () => {
  const node = { ...NODE, name: "\x1b[2J", host: "a\nb\u202e", deno: "\x9b" };
  const text = formatPool(
    { nodes: [node], pending: 0, redelivered: 0 },
    ADDRESS,
    { now: NOW },
  );
  assert(!/[^\P{C}\n]/u.test(text), JSON.stringify(text));
  assertEquals(text.split("\n").length, 4);
});

Deno.test("formatPool() takes a node whose clock is ahead", () => {
  const node = { ...NODE, since: NOW + HOUR };
  const text = formatPool(
    { nodes: [node], pending: 0, redelivered: 0 },
    ADDRESS,
    { now: NOW },
  );
  assert(text.includes("  0 s  "), text);
});
