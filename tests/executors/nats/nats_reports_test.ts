// What a client does with what nodes say that calls have reported: true or not.

import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeMessage,
  encodeMessage,
  type Report,
} from "../../../executors/nats/messages.ts";
import {
  decodeValues,
  encodeValue,
  UnreadableError,
} from "../../../executors/nats/values.ts";
import { loggedErrors, until } from "../helpers/harness.ts";
import { natsTest } from "./nats_server.ts";
import { endWaiting, setUp, wait } from "./pool_kit.ts";

/** A report of a call. */
function said(call: number, value: unknown): readonly [number, Uint8Array] {
  return [call, encodeValue(value)];
}

natsTest(
  "a client hears reports in order and each once, however often they are said",
  async () => {
    await using set = await setUp({ workers: 1, taken: () => false });
    const { pool, node } = set;
    const heard: unknown[] = [];
    const onReport = (value: unknown, index: number) => {
      heard.push([index, value]);
    };
    pool.map(wait, ["a", "b"], { onReport, chunkSize: 2 });
    await until(() => node.has.size > 0);
    const [ticket] = node.has.keys() as Iterable<string>;
    const reports = [said(0, 1), said(1, [2]), said(0, new Map([[3, 3]]))];
    await node.report(ticket!, 0, reports.slice(0, 1));
    await node.report(ticket!, 0, reports.slice(0, 1));
    // Some of this is known, and something is missing before that.
    await node.report(ticket!, 0, reports);
    await node.report(ticket!, 4, [said(0, "after a gap")]);
    await node.report(ticket!, 3, [said(1, "last")]);
    assertEquals(heard, [[0, 1], [1, [2]], [0, new Map([[3, 3]])], [
      1,
      "last",
    ]]);
  },
);

natsTest(
  "a client drops what is no report of a call that runs there",
  async () => {
    await using set = await setUp();
    const { pool, node } = set;
    const heard: unknown[] = [];
    const onReport = (value: unknown) => heard.push(value);
    const future = pool.submitWith({ onReport }, wait, 1);
    await until(() => node.has.size > 0);
    const [ticket] = node.has.keys() as Iterable<string>;
    const report = [said(0, "false")];
    await node.report(ticket!, 0, report, { ticket: "another" });
    await node.report(ticket!, 0, report, { batch: "another" });
    // No other call is in the batch.
    await node.report(ticket!, 0, [said(1, "false")]);
    const [text, ...more] = await loggedErrors(async () => {
      await node.report(ticket!, 1, [[0, new Uint8Array(9)]]);
    });
    assertEquals(more, []);
    assertEquals(text, ["A report of task 'wait' was lost: it cannot be read"]);
    await node.report(ticket!, 2, [said(0, "true")]);
    endWaiting();
    assertEquals(await future, 1);
    assertEquals(heard, ["true"]);
  },
);

natsTest(
  "a client drops reports of calls to which nobody listens, and which have ended",
  async () => {
    await using set = await setUp();
    const { pool, node } = set;
    const silent = pool.submit(wait, 1);
    await until(() => node.has.size === 1);
    const heard: unknown[] = [];
    const onReport = (value: unknown) => heard.push(value);
    const controller = new AbortController();
    const { signal } = controller;
    const stopped = pool.submitWith({ onReport, signal }, wait, 2);
    await until(() => node.has.size === 2);
    const [first, second] = [...node.has.keys()];
    await node.report(first!, 0, [said(0, "nobody listens")]);
    await node.report(second!, 0, [said(0, "in time")]);
    controller.abort();
    await node.report(second!, 1, [said(0, "too late")]);
    endWaiting();
    assertEquals(await silent, 1);
    assertEquals(stopped.state, "cancelled");
    assertEquals(heard, ["in time"]);
  },
);

Deno.test("decodeMessage() takes a report that is one, and no other", () => {
  const block = encodeValue(1);
  const good: Report = {
    type: "report",
    ticket: "t",
    batch: "b",
    before: 0,
    reports: [{ call: 0, bytes: block.length }],
  };
  const read = (head: object, blocks = [block]) =>
    decodeMessage(encodeMessage(head as Report, blocks), "take", "report");
  const { head, blocks } = read(good);
  assertEquals(head, good);
  assertEquals(decodeValues(blocks[0]!, 1), [1]);
  const heads = [
    ...["", "a.b", 5, undefined].flatMap((
      it,
    ) => [{ ticket: it }, { batch: it }]),
    ...[-1, 0.5, "0", null].flatMap((it) => [
      { before: it },
      { reports: [{ call: it, bytes: block.length }] },
      { reports: [{ call: 0, bytes: it }] },
    ]),
    ...[undefined, {}, [null], [[]], [{ call: 0 }], 5].map((it) => ({
      reports: it,
    })),
    { reports: [{ call: 2 ** 30, bytes: block.length }] },
    { reports: [{ call: 0, bytes: block.length + 1 }] },
    { type: "yes" },
  ];
  for (const head of heads) {
    assertThrows(() => read({ ...good, ...head }), UnreadableError);
  }
  assertThrows(() => read(good, []), UnreadableError);
});
