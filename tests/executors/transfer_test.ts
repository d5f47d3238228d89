// transfer(), and memory that is shared.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { task, transfer, WorkerPoolExecutor } from "../../mod.ts";
import { settle, until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { MOD, workerBehaviour } from "./helpers/worker_harness.ts";
import {
  lengthLeft,
  moveBuffer,
  moveBufferLater,
  moveTwice,
  moveUncloneable,
} from "./helpers/worker_tasks.ts";

const sum = (numbers: Uint8Array) => numbers.reduce((a, b) => a + b, 0);

/** Bytes that are this many ones. */
function ones(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(1);
}

workerBehaviour("transfer() moves an argument", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const bytes = ones(1000);
  const future = executor.submit(sum, transfer(bytes, [bytes.buffer]));
  assertEquals(await future, 1000);
  assertEquals(bytes.length, 0);
});

workerBehaviour("transfer() copies what is not in its list", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const [moved, copied] = [ones(10), ones(20)];
  const lengths = (all: Uint8Array[]) => all.map(({ length }) => length);
  const both = transfer([moved, copied], [moved.buffer]);
  assertEquals(await executor.submit(lengths, both), [10, 20]);
  assertEquals([moved.length, copied.length], [0, 20]);
});

workerBehaviour("transfer() may be around several arguments", async (make) => {
  const executor = make({ maxWorkers: 1 });
  const [a, b, c] = [ones(1), ones(2), ones(3)];
  const lengths = (...all: Uint8Array[]) => all.map(({ length }) => length);
  const future = executor.submit(
    lengths,
    transfer(a, [a.buffer]),
    b,
    transfer(c, [c.buffer]),
  );
  assertEquals(await future, [1, 2, 3]);
  assertEquals([a.length, b.length, c.length], [0, 2, 0]);
});

workerBehaviour("transfer() moves a result", async (make) => {
  const executor = make({ maxWorkers: 1 });
  assertEquals(sum(await executor.submit(moveBuffer, 1000)), 1000);
  assertEquals(await executor.submit(lengthLeft), 0);
  assertEquals(sum(await executor.submit(moveBufferLater, 2000)), 2000);
  assertEquals(await executor.submit(lengthLeft), 0);
});

workerBehaviour("transfer() moves the inputs of a map()", async (make) => {
  const executor = make({ maxWorkers: 2 });
  const sent: Uint8Array[] = [];
  function* inputs() {
    for (let length = 0; length < 20; length++) {
      const bytes = ones(length);
      sent.push(bytes);
      yield transfer(bytes, [bytes.buffer]);
    }
  }
  const sums = await executor.map(sum, inputs());
  assertEquals(sums, Array.from({ length: 20 }, (_, length) => length));
  assertEquals(sent.map(({ length }) => length), new Array(20).fill(0));
});

workerBehaviour(
  "transfer() moves one of several inputs of a map()",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const all = [ones(1), ones(2), ones(3)];
    const add = (bytes: Uint8Array, n: number) => bytes.length + n;
    const moved = all.map((bytes) => transfer(bytes, [bytes.buffer]));
    assertEquals(await executor.map(add, moved, [10, 20, 30]), [11, 22, 33]);
    assertEquals(all.map(({ length }) => length), [0, 0, 0]);
  },
);

watched("WorkerPoolExecutor moves message ports", async (executors) => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  executors.push(executor);
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  const greet = (port: MessagePort) => port.postMessage("hello from there");
  await executor.submit(greet, transfer(port2, [port2]));
  assertEquals(await answer, "hello from there");
  port1.close();
  await settle();
});

workerBehaviour(
  "transfer() moves nothing before its task is sent",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const gate = new Gate();
    const running = executor.submit(passGate, gate.cells, 0);
    await until(() => gate.reached === 1);
    const bytes = ones(10);
    const future = executor.submit(sum, transfer(bytes, [bytes.buffer]));
    assertEquals(bytes.length, 10);
    assert(future.cancel());
    gate.open();
    await running;
    assertEquals(bytes.length, 10);
  },
);

workerBehaviour(
  "what cannot be moved fails alone, with an error that names the argument",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const gone = ones(10);
    structuredClone(gone, { transfer: [gone.buffer] });
    const twice = ones(10);
    const ignore = (..._: unknown[]) => "entered";
    const futures = [
      executor.submit(ignore, 1, transfer(gone, [gone.buffer])),
      executor.submit(ignore, 1, transfer({}, [{} as ArrayBuffer])),
      executor.submit(ignore, 1, transfer(twice, [twice.buffer, twice.buffer])),
      executor.submit(ignore, 1, transfer(() => {}, [])),
    ];
    const fine = executor.submit(ignore);
    for (const [i, future] of futures.entries()) {
      const error = await future.exception();
      assert(error instanceof Error, `${i}`);
      assertStringIncludes(error.message, "argument 2", `${i}`);
    }
    assertEquals(await fine, "entered");
  },
);

workerBehaviour(
  "transfer() still moves what was submitted together with something uncloneable",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    await executor.start();
    const all = Array.from({ length: 10 }, () => ones(5));
    const futures = all.flatMap((bytes) => [
      executor.submit(sum, transfer(bytes, [bytes.buffer])),
      executor.submit(sum, Symbol() as never),
    ]);
    for (const [i, future] of futures.entries()) {
      if (i % 2 === 0) assertEquals(await future, 5);
      else assertInstanceOf(await future.exception(), DOMException);
    }
  },
);

workerBehaviour(
  "a result that cannot be moved fails alone, with an error that names the result",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const failing = [
      executor.submit(moveTwice),
      executor.submit(moveUncloneable),
    ];
    const fine = Array.from({ length: 10 }, () => executor.submit(() => 1));
    assertEquals(await Promise.all(fine), new Array(10).fill(1));
    for (const future of failing) {
      const error = await future.exception();
      assert(error instanceof Error);
      assertStringIncludes(error.message, "result");
    }
  },
);

watched("WorkerPoolExecutor shares a SharedArrayBuffer", async (executors) => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  executors.push(executor);
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const add = (cells: Int32Array, n: number) => Atomics.add(cells, 0, n);
  const futures = Array.from(
    { length: 100 },
    (_, n) => executor.submit(add, cells, n),
  );
  await Promise.all(futures);
  assertEquals(cells[0], 4950);
  // And the other way.
  const made = await executor.submit(() =>
    new Int32Array(new SharedArrayBuffer(8))
  );
  await executor.submit(add, made, 7);
  assertEquals(made[0], 7);
});

Deno.test("transfer() refuses a list that is none", () => {
  for (const list of [undefined, null, new ArrayBuffer(1), 5]) {
    assertThrows(() => transfer({}, list as never), TypeError, "array");
  }
});

workerBehaviour(
  "transfer() moves an argument to a worker that is slow to load the task's module",
  async (make) => {
    const text = `
      import { task } from "${MOD}";
      await new Promise((resolve) => setTimeout(resolve, 50));
      export const size = task(import.meta, "size", (bytes) => bytes.length);
    `;
    const url = `data:text/javascript,${encodeURIComponent(text)}`;
    const size = task({ url }, "size", (bytes: Uint8Array) => bytes.length);
    const executor = make({ maxWorkers: 2, idleTimeout: Infinity });
    await executor.start();
    const gates = [new Gate(), new Gate()] as const;
    const held = executor.submit(passGate, gates[0].cells, 0);
    await until(() => gates[0].reached === 1);
    // Quick so far, in the other worker, so that many of them travel together.
    await executor.map(size, new Array(1000).fill(ones(1)));
    const other = executor.submit(passGate, gates[1].cells, 0);
    await until(() => gates[1].reached === 1);
    gates[0].open();
    await held;
    const bytes = ones(10);
    const futures = [
      executor.submit(size, transfer(bytes, [bytes.buffer])),
      ...[1, 2, 3].map((length) => executor.submit(size, ones(length))),
    ];
    assertEquals(await Promise.all(futures), [10, 1, 2, 3]);
    gates[1].open();
    await other;
  },
);
