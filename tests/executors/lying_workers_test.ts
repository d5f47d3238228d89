// Workers that say what cannot be, as a task can make them do: each costs its
// own call, and nothing else. See validator_test.ts for each kind of message.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Future,
  type SubmitOptions,
  WorkerCrashedError,
} from "../../mod.ts";
import { encodeError } from "../../executors/pool/wire/codec.ts";
import type { OpenChannel } from "../../executors/pool/channel.ts";
import {
  openProcess,
  type ProcessSettings,
} from "../../executors/pool/process/child_process.ts";
import { watched } from "./helpers/harness.ts";
import {
  type Lie,
  lie,
  LyingExecutor,
  type Report,
  TRANSPORTS,
} from "./helpers/lying_workers.ts";
import { outcomeOf } from "./helpers/worker_harness.ts";

/** An array that says that it has so many elements, of which it has none. */
function sparse(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

/** The same report, but for one of its parts. */
function but(part: number, value: unknown): Lie {
  return (honest) => [honest.with(part, value as never)];
}

const ERROR = encodeError(new RangeError("Message"));
const HUGE = 2 ** 32 - 1;
/** Objects that throw when they become text. */
const textless = { toString: null, valueOf: null };

const LIES: Record<string, Lie[]> = {
  "is at another position": [
    ...[-1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 1e308].map((it) =>
      but(1, it)
    ),
    ...[1n, 2n ** 64n, "1", undefined, null, {}, [1]].map((it) => but(1, it)),
    (honest) => [honest.with(1, honest[1] + 1)],
    (honest) => [honest.with(1, honest[1] + 1000)],
    but(6, 1e6),
    but(6, -1),
    but(6, 1n),
  ],
  "took another time": [NaN, -1, Infinity, -Infinity, "1", 1n, null, {}].map(
    (it) => but(2, it),
  ),
  "has another number of outcomes": [
    ...[[], [1, 2], [1, 2, 3], sparse(HUGE), sparse(2), undefined, null].map(
      (it) => but(3, it),
    ),
    ...[5, "1", { length: 1 }, new Map([[0, 1]])].map((it) => but(3, it)),
  ],
  "has other errors": [
    ...[[], [0], [0, null], [0, 5], [1, ERROR], [-1, ERROR], [0n, ERROR]].map(
      (it) => but(4, it),
    ),
    ...[[0, ERROR, 0, ERROR], [0.5, ERROR], sparse(HUGE), sparse(2)].map((it) =>
      but(4, it)
    ),
    ...[
      { kind: "error" },
      { ...ERROR, message: textless },
      { ...ERROR, name: textless },
      { ...ERROR, stack: 5n },
      { ...ERROR, class: ["Error"] },
      { ...ERROR, fields: sparse(HUGE) },
      { ...ERROR, fields: [["cause", null, true]] },
      { ...ERROR, fields: [["cause", ERROR]] },
      { ...ERROR, fields: [[textless, ERROR, true]] },
      { ...ERROR, fields: new Map() },
      {
        ...ERROR,
        fields: [["errors", { kind: "value", value: sparse(HUGE) }, false]],
      },
    ].map((error) => but(4, [0, error])),
    but(4, { length: 2 }),
  ],
  "has times": [[1, 2], [], [2, 1], [NaN, NaN], sparse(HUGE), 5, [1n, 2n]].map(
    (it) => but(5, it),
  ),
  "says something else": [
    null,
    undefined,
    5,
    "done",
    {},
    new Map([[0, "done"]]),
    [],
    sparse(HUGE),
    ["done"],
    ["nonsense"],
    [["done"]],
    ["up"],
    ["ready"],
    ["loaded"],
    ["unfit", ERROR],
    ["entered", 0, 1],
    ["entered", 0n, 1],
    ["entered", 2 ** 40, 1],
    ["revoked", 0, [1]],
    ["revoked", 0, sparse(HUGE)],
    ["revoked", 0n, []],
    ["closing", { ...ERROR, message: textless }, undefined],
    ["closing", undefined, "nothing", 5n],
    // Nobody listens.
    ["report", 0, 0, 5, false],
    ["reporting", true],
    ["reporting", false],
  ].map((message) => () => [message]),
};

/** What is no report of the call that runs, said before its outcome. */
const FALSE_REPORTS: Lie[] = [
  ...[-1, 0.5, NaN, 2 ** 53, 1n, "1", undefined, null, {}].flatMap((it) => [
    ["report", it, 0, "forged", false],
    ["report", 0, it, "forged", false],
    ["report", 0, 0, "forged", it],
    ["reporting", it],
  ]),
  ["report"],
  ["report", 0, 0, "forged"],
  ["report", 0, 0, "forged", false, 1],
  ["report", 2 ** 40, 0, "forged", false],
  ["reporting", false],
].map((message) => (honest: Report) => [message, honest]);
FALSE_REPORTS.push(
  ...[[0, 0], [1, 0], [-1, 1], [-2, 0]].map(([to, call]): Lie => (honest) => [
    ["report", honest[1] + to!, call, "forged", false],
    honest,
  ]),
  // It was not announced; and it comes after the outcome.
  (honest) => [["report", honest[1] - 1, 0, "forged", true], honest],
  (honest) => [["report", honest[1], 0, "forged", false]],
);

for (const [transport, open] of Object.entries(TRANSPORTS)) {
  watched(
    `${transport} that reports what it cannot costs its own call alone`,
    async (executors) => {
      const heard: unknown[] = [];
      const onReport = (value: unknown) => heard.push(value);
      await assertContained(open, FALSE_REPORTS, executors, { onReport });
      assertEquals(heard, []);
    },
    60_000,
  );
}

for (const [transport, open] of Object.entries(TRANSPORTS)) {
  for (const [what, lies] of Object.entries(LIES)) {
    watched(
      `${transport} that ${what} costs its own call alone`,
      (executors) => assertContained(open, lies, executors),
      60_000,
    );
  }
}

async function assertContained(
  open: OpenChannel,
  lies: readonly Lie[],
  executors: { push(executor: LyingExecutor): void },
  options: SubmitOptions = {},
): Promise<void> {
  const executor = new LyingExecutor(open, lies, { maxWorkers: 2 });
  executors.push(executor);
  for (const i of lies.keys()) {
    await executor.start();
    const liar = executor.submitWith(options, lie, i);
    const waiting = executor.submitWith(options, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "waited";
    });
    const error = await liar.exception();
    assertInstanceOf(error, WorkerCrashedError, `${i}: ${error}`);
    const { cause } = error;
    assertInstanceOf(cause, RangeError);
    assert(cause.message.startsWith("A worker said "), cause.message);
    assertEquals(await waiting, "waited");
    const calls: Future<number>[] = [];
    for (let n = 0; n < 100; n++) {
      calls.push(executor.submitWith(options, (n: number) => n + 1, n));
    }
    for (const [n, call] of calls.entries()) assertEquals(await call, n + 1);
  }
  await executor.shutdown();
}

for (const [transport, open] of Object.entries(TRANSPORTS)) {
  watched(
    `${transport} that reports a call twice gives its outcome to no other`,
    async (executors) => {
      const lies: Lie[] = [
        (honest) => [honest, honest],
        (honest) => [["unreadable"], honest],
        (honest) => [honest, ["unreadable"]],
        (honest) => [honest, honest.with(1, honest[1] + 1)],
      ];
      for (const i of lies.keys()) {
        const executor = new LyingExecutor(open, lies, { maxWorkers: 1 });
        executors.push(executor);
        const task = (n: number, i: number) => n === 25 ? { lie: i } : n;
        const calls: Future<unknown>[] = [];
        // Quick ones are sent ahead, many at a time.
        for (let n = 0; n < 20; n++) await executor.submit(task, n, i);
        for (let n = 20; n < 70; n++) calls.push(executor.submit(task, n, i));
        for (const [at, call] of calls.entries()) {
          const n = at + 20;
          const outcome = await outcomeOf(call);
          const value = n === 25 ? { lie: i } : n;
          if ("value" in outcome) assertEquals(outcome.value, value);
          else {
            const { name } = outcome.error as Error;
            assert(["WorkerCrashedError", "DataCloneError"].includes(name));
          }
        }
        assertEquals(await executor.submit(() => 1), 1);
        await executor.shutdown();
      }
    },
  );

  watched(
    `${transport} whose clock is no number leaves the costs of the pool as they are`,
    async (executors) => {
      const lies: Lie[] = [NaN, Infinity, -5].map((ms) => but(2, ms));
      const executor = new LyingExecutor(open, lies, { maxWorkers: 2 });
      executors.push(executor);
      const task = (n: number) => n < 3 ? { lie: n } : n;
      const calls: Future<unknown>[] = [];
      for (let n = 0; n < 4; n++) calls.push(executor.submit(task, n));
      for (const call of calls) await outcomeOf(call);
      for (let n = 4; n < 3004; n++) calls.push(executor.submit(task, n));
      for (const [n, call] of calls.entries()) {
        if (n >= 4) assertEquals(await call, n);
      }
      await executor.terminate();
    },
  );

  watched(
    `${transport} that is not believed can be terminated`,
    async (executors) => {
      const lies: Lie[] = [() => [["nonsense"]]];
      const executor = new LyingExecutor(open, lies, { maxWorkers: 1 });
      executors.push(executor);
      const calls = Array.from({ length: 20 }, () => executor.submit(lie, 0));
      const outcomes = calls.map(outcomeOf);
      await outcomes[0];
      await executor.terminate();
      for (const outcome of outcomes) assert("error" in await outcome);
    },
  );
}

/** How a process is started that runs this text. */
function program(text: string): ProcessSettings {
  const module = `data:text/javascript,${encodeURIComponent(text)}`;
  return {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-config", module],
    main: undefined,
    env: {},
    revoke: [],
  };
}

/** A program that writes packets which begin with the mark that it is told. */
function liar(body: string): string {
  return `
    const digits = new Uint8Array(30);
    for (let at = 0; at < 30;) at += await Deno.stdin.read(digits.subarray(at));
    const hex = new TextDecoder().decode(digits);
    const packet = (writer, left, body) => {
      const bytes = new Uint8Array(20 + body.length);
      for (let i = 0; i < 15; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
      bytes[15] = writer;
      new DataView(bytes.buffer).setUint32(16, left);
      bytes.set(body, 20);
      Deno.stderr.writeSync(bytes);
    };
    ${body}
    // Until it is killed.
    setInterval(() => {}, 1000);
  `;
}

const PACKETS: Record<string, string> = {
  "of no writer": "packet(2, 1, [0]);",
  "of nothing": "packet(0, 0, []);",
  "that is no message": "packet(0, 3, [7, 7, 7]);",
  "with half an announcement": "packet(0, 9, [1, 0, 0, 0, 0, 0, 0, 0, 0]);",
  "with an announcement that is no number":
    "packet(0, 13, [1, 127, 248, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);",
  "with too little of an announcement": "packet(0, 5, [1, 0, 0, 0, 0]);",
  "that does not follow from the one before":
    "const body = new Uint8Array(4076); packet(0, 2 ** 32 - 1, body); packet(0, 5, [1, 2, 3, 4, 5]);",
};

for (const [what, body] of Object.entries(PACKETS)) {
  watched(
    `A process that writes a packet ${what} is ended`,
    async (executors) => {
      const open: OpenChannel = (name, listener) =>
        name !== "worker-1"
          ? TRANSPORTS["A process"]!(name, listener)
          : openProcess(name, listener, program(liar(body)));
      const executor = new LyingExecutor(open, [], { maxWorkers: 1 });
      executors.push(executor);
      const calls = Array.from(
        { length: 10 },
        (_, n) => executor.submit((n: number) => n + 1, n),
      );
      for (const [n, call] of calls.entries()) assertEquals(await call, n + 1);
      await executor.shutdown();
    },
  );
}

watched(
  "A packet that says that it is long sets no memory aside",
  async (executors) => {
    const before = Deno.memoryUsage().external;
    const open: OpenChannel = (name, listener) =>
      openProcess(
        name,
        listener,
        program(
          liar("packet(0, 2 ** 32 - 1, new Uint8Array(4076)); Deno.exit(1);"),
        ),
      );
    const executor = new LyingExecutor(open, [], { maxWorkers: 1 });
    executors.push(executor);
    assert("error" in await outcomeOf(executor.submit(() => 1)));
    assert(Deno.memoryUsage().external - before < 2 ** 28);
  },
);

watched(
  "A process that does not say what it gives back is ended, and its calls run elsewhere",
  async (executors) => {
    const pool = new URL("../../executors/pool/process/", import.meta.url).href;
    const silent = `
      import { FrameReader } from "${pool}frames.ts";
      import { PacketWriter } from "${pool}packets.ts";
      const mark = new Uint8Array(30);
      for (let at = 0; at < 30;) at += await Deno.stdin.read(mark.subarray(at));
      const packets = new PacketWriter(new TextDecoder().decode(mark), "task");
      const frames = new FrameReader();
      let calls = 0;
      for await (const bytes of Deno.stdin.readable) {
        for (const [type, segments] of frames.push(bytes)) {
          if (type === "initialize") packets.write(["ready"]);
          if (type !== "run" || calls >= 30) continue;
          const values = segments.flatMap(([, , args]) => args.map((n) => n + 1));
          const before = calls;
          calls += values.length;
          packets.write(["done", calls, 0.001, values, undefined, undefined, before]);
        }
      }
    `;
    const open: OpenChannel = (name, listener) =>
      name !== "worker-1"
        ? TRANSPORTS["A process"]!(name, listener)
        : openProcess(name, listener, program(silent));
    const executor = new LyingExecutor(open, [], { maxWorkers: 2 });
    executors.push(executor);
    await executor.start();
    const increment = (n: number) => n + 1;
    for (let n = 0; n < 30; n++) {
      assertEquals(await executor.submit(increment, n), n + 1);
    }
    const calls = Array.from(
      { length: 1000 },
      (_, n) => executor.submit(increment, n),
    );
    for (const [n, call] of calls.entries()) {
      const outcome = await outcomeOf(call);
      // It may be taken for the one that runs.
      if ("error" in outcome) {
        assertInstanceOf(outcome.error, WorkerCrashedError);
      } else assertEquals(outcome.value, n + 1);
    }
    await executor.shutdown();
  },
  60_000,
);
