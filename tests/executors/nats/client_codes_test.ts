// How a client has its functions stored.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Codes } from "../../../executors/nats/client/codes.ts";
import type { Described } from "../../../executors/nats/code/describe.ts";
import type { Parts } from "../../../executors/nats/parts.ts";
import { until, watched } from "../helpers/harness.ts";

const BUNDLE: Described = {
  hash: "h",
  name: "task",
  bytes: new Uint8Array(8),
};

/** Parts that cannot be stored so often. */
function partsThatFail(times: number): Parts {
  return {
    put: (_client: string, _batch: string, name: string, bytes: Uint8Array) =>
      times-- > 0
        ? Promise.reject(new Error("timeout"))
        : Promise.resolve({ name, size: bytes.length, partSize: 900_000 }),
  } as unknown as Parts;
}

watched("A bundle that could not be stored is stored again", async () => {
  const parts = partsThatFail(2);
  const codes = new Codes("client", () => BUNDLE, () => {});
  const fn = () => {};
  await until(() => codes.find(0, fn, parts) !== undefined);
  const large = { name: "h", size: 8, partSize: 900_000 };
  assertEquals(codes.find(0, fn, parts), {
    kind: "bundle",
    hash: "h",
    name: "task",
    large,
  });
});

watched("What cannot be described fails, and is described again", async () => {
  const error = new Error("no such export");
  const answers = [
    () => Promise.reject(error),
    () => Promise.resolve(BUNDLE),
  ];
  const ready: string[] = [];
  const codes = new Codes(
    "client",
    () => answers.shift()!(),
    () => ready.push("ready"),
  );
  const fn = () => {};
  assertStrictEquals(codes.find(0, fn, partsThatFail(0)), undefined);
  await until(() => ready.length === 1);
  assertThrows(() => codes.find(0, fn, partsThatFail(0)), Error, error.message);
  assertStrictEquals(codes.find(0, fn, partsThatFail(0)), undefined);
  await until(() => ready.length === 2);
  assertStrictEquals(codes.find(0, fn, partsThatFail(0))?.kind, "bundle");
});
