// Outcomes as messages: how they are grouped, and what each says.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  encodeOutcomes,
  type Outcome,
  packPieces,
} from "../../../executors/nats/node/outcomes.ts";
import type { LargeValue } from "../../../executors/nats/parts.ts";
import { decodeValues } from "../../../executors/nats/values.ts";
import {
  decodeError,
  type EncodedError,
} from "../../../executors/pool/wire/codec.ts";

function returned(call: number, value: unknown): Outcome {
  return { call, failed: false, values: [value], ms: 1, timing: undefined };
}

/** Packs them, and tells what is large. */
async function pack(outcomes: readonly Outcome[], most: number) {
  const stored: number[] = [];
  const store = (bytes: Uint8Array): Promise<LargeValue> => {
    stored.push(bytes.length);
    return Promise.resolve({
      name: "a",
      size: bytes.length,
      partSize: 900_000,
    });
  };
  const pieces = encodeOutcomes(outcomes, most);
  return { messages: await packPieces(pieces, most, store), stored };
}

Deno.test("encodeOutcomes() puts plain values of calls in a row into one block", async () => {
  const date = new Date(5);
  const { messages } = await pack([
    returned(4, "e"),
    returned(0, "a"),
    returned(1, { b: 1 }),
    returned(2, date),
    returned(3, undefined),
    returned(6, "g"),
  ], 10_000);
  assertEquals(messages.length, 1);
  const [{ outcomes, blocks }] = messages as [typeof messages[0]];
  assertEquals(
    outcomes.map((ended) => [ended.from, ended.calls]),
    [[0, 2], [2, 1], [3, 2], [6, 1]],
  );
  assertEquals(
    outcomes.flatMap(({ calls }, i) => decodeValues(blocks[i]!, calls)),
    ["a", { b: 1 }, date, undefined, "e", "g"],
  );
});

Deno.test("encodeOutcomes() gives each error a block, and each timed call", async () => {
  const timing = { worker: "w".repeat(300), started: 1, ended: 3 };
  const { messages } = await pack([
    { ...returned(0, new RangeError("no")), failed: true },
    returned(1, 1),
    { ...returned(2, 2), timing },
    { ...returned(3, 3), timing: { worker: "w" } },
    returned(4, () => {}),
  ], 10_000);
  const { outcomes, blocks } = messages[0]!;
  assertEquals(
    outcomes.map(({ failed, calls }) => [failed, calls]),
    [[true, 1], [false, 1], [false, 1], [false, 1], [true, 1]],
  );
  const errorIn = (i: number) =>
    decodeError(decodeValues(blocks[i]!, 1)[0] as EncodedError);
  assertInstanceOf(errorIn(0), RangeError);
  assertInstanceOf(errorIn(4), DOMException);
  const { worker, started, ended } = outcomes[2]!;
  assertEquals([started, ended], [1, 3]);
  assert(worker!.length <= 256, "as a message may say");
  assertEquals([outcomes[3]!.worker, outcomes[3]!.started], ["w", undefined]);
});

Deno.test("packPieces() fills messages, and stores what fits into none", async () => {
  const most = 2000;
  const { messages, stored } = await pack(
    [
      ...Array.from(
        { length: 50 },
        (_, call) => returned(call, "x".repeat(100)),
      ),
      returned(50, "y".repeat(5000)),
      returned(51, "z"),
    ],
    most,
  );
  const calls = messages.flatMap(({ outcomes }) =>
    outcomes.flatMap(({ from, calls }) =>
      Array.from({ length: calls }, (_, i) => from + i)
    )
  );
  assertEquals(calls, Array.from({ length: 52 }, (_, i) => i));
  for (const { blocks } of messages) {
    assert(blocks.reduce((sum, { length }) => sum + length, 0) <= most);
  }
  assert(messages.length >= 3 && messages.length < 20, `${messages.length}`);
  assertEquals(stored.length, 1);
});

Deno.test("encodeOutcomes() copies what calls share", async () => {
  const shared = { a: 1 };
  const { messages } = await pack([
    returned(0, shared),
    returned(1, shared),
  ], 10_000);
  const { outcomes, blocks } = messages[0]!;
  const [first, second] = decodeValues(blocks[0]!, outcomes[0]!.calls);
  assertEquals([first, second], [shared, shared]);
  assert(first !== second);
});
