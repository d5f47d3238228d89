// What the type checker has to infer, to accept and to refuse. Nothing here
// does anything when it runs: that it compiles is the test.

import {
  asCompleted,
  currentTask,
  Executor,
  FIRST_COMPLETED,
  Future,
  type FutureIterator,
  type FutureState,
  type MapOptions,
  type MapResult,
  PromisePoolExecutor,
  task,
  transfer,
  wait,
  type WaitResult,
  WorkerPoolExecutor,
} from "../../mod.ts";

declare const executor: Executor;

const add = (a: number, b: number) => a + b;
const lengthOf = async (text: string) => await Promise.resolve(text.length);
const describe = task(
  import.meta,
  function describe(born: number, name?: string): { text: string } {
    return { text: `${name} ${born}` };
  },
);

/** A test that is over as soon as it has been compiled. */
function compiles(what: string, _body: () => unknown): void {
  Deno.test(`types: ${what}`, () => {});
}

/** `inferred(value).is<T>()` compiles only if `T` is exactly the type of the value. */
declare function inferred<V>(
  value: V,
): {
  is<T>(...differs: Same<T, V> extends true ? [] : ["is another type"]): void;
};
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends
  (<X>() => X extends B ? 1 : 2) ? true : false;

compiles("submit() infers what the function returns, awaited", () => {
  inferred(executor.submit(add, 1, 2)).is<Future<number>>();
  inferred(executor.submit(lengthOf, "text")).is<Future<number>>();
  inferred(executor.submit(() => {})).is<Future<void>>();
  inferred(executor.submit(() => "text")).is<Future<string>>();
  const nested = () => executor.submit(lengthOf, "text");
  inferred(executor.submit(nested)).is<Future<number>>();
});

compiles("submit() refuses arguments that the function does not take", () => {
  // @ts-expect-error: the second has the wrong type
  executor.submit(add, 1, "2");
  // @ts-expect-error: the second is missing
  executor.submit(add, 1);
  // @ts-expect-error: there is no third
  executor.submit(add, 1, 2, 3);
  // @ts-expect-error: not a function
  executor.submit("add", 1, 2);
  // @ts-expect-error: keyword arguments are Python
  executor.submit({ fn: add, args: [1, 2] });
});

compiles("submitWith() infers and refuses as submit() does", () => {
  const { signal } = new AbortController();
  const options = { signal, timeout: 5 };
  inferred(executor.submitWith(options, lengthOf, "a")).is<Future<number>>();
  inferred(executor.submitWith({}, add, 1, 2)).is<Future<number>>();
  // @ts-expect-error: the argument has the wrong type
  executor.submitWith(options, lengthOf, 5);
  // @ts-expect-error: a duration is a number
  executor.submitWith({ timeout: "5" }, lengthOf, "text");
  // @ts-expect-error: a controller is no signal
  executor.submitWith({ signal: new AbortController() }, lengthOf, "text");
});

compiles("task() keeps the type of its function", () => {
  inferred(describe).is<(born: number, name?: string) => { text: string }>();
  const arrow = task(import.meta, "arrow", (n: number) => `${n}`);
  inferred(arrow).is<(n: number) => string>();
  inferred(executor.submit(describe, 1815)).is<Future<{ text: string }>>();
  inferred(executor.submit(describe, 1815, "Ada")).is<
    Future<{ text: string }>
  >();
  // @ts-expect-error: the name has the wrong type
  executor.submit(describe, 1815, 5);
  // @ts-expect-error: a name is missing
  task(import.meta, 5, add);
  // @ts-expect-error: no function
  task(import.meta, "add");
});

compiles("transfer() has the type of its value", () => {
  const buffer = new ArrayBuffer(8);
  inferred(transfer(buffer, [buffer])).is<ArrayBuffer>();
  const size = (buffer: ArrayBuffer) => buffer.byteLength;
  executor.submit(size, transfer(buffer, [buffer]));
  // @ts-expect-error: still no number
  executor.submit(add, transfer(buffer, [buffer]), 2);
  // @ts-expect-error: a list of what is to be moved
  transfer(buffer, buffer);
});

compiles("map() awaits inputs that are promises", () => {
  const lengths = executor.map(lengthOf, [Promise.resolve("a"), "b"]);
  inferred(lengths).is<MapResult<number>>();
  const sums = executor.map(add, [1], [Promise.resolve(2)]);
  inferred(sums).is<MapResult<number>>();
  const next = executor.map((n) => n + 1, [Promise.resolve(1)]);
  inferred(next).is<MapResult<number>>();
  // @ts-expect-error: texts are wanted
  executor.map(lengthOf, [Promise.resolve(1)]);
});

compiles("map() with settled gives settled results", () => {
  type Settled<T> = MapResult<PromiseSettledResult<T>>;
  const settled = { settled: true, ordered: false } as const;
  inferred(executor.map(lengthOf, ["a"], { settled: true })).is<
    Settled<number>
  >();
  inferred(executor.map((n) => n + 1, [1], settled)).is<Settled<number>>();
  inferred(executor.map(add, [1], [2], settled)).is<Settled<number>>();
  const sum = (a: number, b: number, c: number) => a + b + c;
  inferred(executor.map(sum, [1], [2], [3], settled)).is<Settled<number>>();
  inferred(executor.map(add, [1], [2], { settled: false })).is<
    MapResult<number>
  >();
  const options: MapOptions = { ordered: false };
  inferred(executor.map(lengthOf, ["a"], options)).is<MapResult<number>>();
  inferred(executor.map((n) => n + 1, [1], options)).is<MapResult<number>>();
  inferred(executor.map(add, [1], [2], options)).is<MapResult<number>>();
  // @ts-expect-error: a boolean
  executor.map(lengthOf, ["a"], { settled: "yes" });
});

compiles("map() tells of its progress", () => {
  executor.map(lengthOf, ["a"], {
    onProgress: ({ done, failed, total }) => {
      inferred(done).is<number>();
      inferred(failed).is<number>();
      inferred(total).is<number | undefined>();
    },
  });
  // @ts-expect-error: a duration is a number
  executor.map(lengthOf, ["a"], { itemTimeout: "5" });
});

compiles("forEach() takes what map() takes, and gives nothing", () => {
  inferred(executor.forEach(lengthOf, ["a"])).is<Promise<void>>();
  inferred(executor.forEach((n) => n + 1, [1, Promise.resolve(2)])).is<
    Promise<void>
  >();
  inferred(executor.forEach(lengthOf, asyncTexts())).is<Promise<void>>();
  executor.forEach(add, [1], [2], { bufferSize: 5, itemTimeout: 5 });
  const sum = (a: number, b: number, c: number) => a + b + c;
  executor.forEach(sum, [1], [2], [3], { timeout: 5 });
  executor.forEach(() => {});
  // @ts-expect-error: texts are wanted
  executor.forEach(lengthOf, [1]);
  // @ts-expect-error: the results have no order, as there are none
  executor.forEach(lengthOf, ["a"], { ordered: false });
});

compiles("map() infers from one input", () => {
  inferred(executor.map(lengthOf, ["a"])).is<MapResult<number>>();
  inferred(executor.map(lengthOf, "text")).is<MapResult<number>>();
  inferred(executor.map(lengthOf, new Set(["a"]))).is<MapResult<number>>();
  inferred(executor.map(lengthOf, asyncTexts())).is<MapResult<number>>();
  inferred(executor.map((n) => n + 1, [1, 2])).is<MapResult<number>>();
  inferred(executor.map(describe, [1815])).is<MapResult<{ text: string }>>();
  inferred(executor.map(lengthOf, ["a"], { bufferSize: 5 })).is<
    MapResult<number>
  >();
  // @ts-expect-error: texts are wanted
  executor.map(lengthOf, [1, 2]);
  // @ts-expect-error: not an iterable
  executor.map(lengthOf, 5);
});

compiles("map() infers from two inputs", () => {
  const repeat = (text: string, times: number) => text.repeat(times);
  inferred(executor.map(repeat, ["a"], [1])).is<MapResult<string>>();
  inferred(executor.map(repeat, asyncTexts(), new Set([1]))).is<
    MapResult<string>
  >();
  inferred(executor.map(repeat, "text", [1], { ordered: false })).is<
    MapResult<string>
  >();
  // @ts-expect-error: the inputs are in the wrong order
  executor.map(repeat, [1], ["a"]);
});

compiles("map() infers from three inputs", () => {
  const join = (a: string, b: number, c: boolean) => [a, b, c] as const;
  type Joined = MapResult<readonly [string, number, boolean]>;
  inferred(executor.map(join, ["a"], [1], [true])).is<Joined>();
  const options = { timeout: 5, chunkSize: 2 };
  inferred(executor.map(join, "ab", [1], [true], options)).is<Joined>();
  // @ts-expect-error: the third has the wrong type
  executor.map(join, ["a"], [1], ["true"]);
});

compiles("map() without inputs has results of the type", () => {
  inferred(executor.map(lengthOf)).is<MapResult<number>>();
  inferred(executor.map(lengthOf, { bufferSize: 5 })).is<MapResult<number>>();
});

compiles("map() refuses options that are none", () => {
  // @ts-expect-error: a number
  executor.map(lengthOf, ["a"], { bufferSize: "5" });
  // @ts-expect-error: a boolean
  executor.map(lengthOf, ["a"], { ordered: 1 });
  // @ts-expect-error: not an option
  executor.map(lengthOf, ["a"], { chunksize: 5 });
});

compiles("map() can be awaited and iterated", async () => {
  inferred(await executor.map(lengthOf, ["a"])).is<number[]>();
  for await (const length of executor.map(lengthOf, ["a"])) {
    inferred(length).is<number>();
  }
  const { next, return: end } = executor.map(lengthOf, ["a"]);
  inferred(await next()).is<IteratorResult<number>>();
  inferred(await end()).is<IteratorResult<number>>();
  inferred(executor.map(lengthOf, ["a"]).then((all) => all.length)).is<
    Promise<number>
  >();
});

compiles("Future members have the types of their names", async () => {
  const { future, start, resolve, reject } = Future.withResolvers<number>();
  inferred(future).is<Future<number>>();
  inferred(future.state).is<FutureState>();
  inferred(future.cancel("reason")).is<boolean>();
  inferred(future.result({ timeout: 5 })).is<Promise<number>>();
  inferred(future.exception()).is<Promise<unknown>>();
  inferred(await future).is<number>();
  inferred(future.then((n) => `${n}`)).is<Promise<string>>();
  inferred(future.then((n) => n, () => "none")).is<Promise<number | string>>();
  inferred(future.catch(() => null)).is<Promise<number | null>>();
  inferred(future.catch((error: Error) => error.name)).is<
    Promise<number | string>
  >();
  const nameOf = (error: Error) => error.name;
  inferred(future.then(String, nameOf)).is<Promise<string>>();
  inferred(future.finally(() => {})).is<Promise<number>>();
  future.addDoneCallback((done) => inferred(done).is<Future<number>>());
  inferred(start()).is<boolean>();
  reject("any value");
  resolve(5);
  // @ts-expect-error: a number is wanted
  resolve("5");
  // @ts-expect-error: whoever only consumes a future cannot settle it
  future.resolve(5);
});

compiles("a Future is a promise for whoever takes one", () => {
  const promise: PromiseLike<number> = executor.submit(add, 1, 2);
  inferred(Promise.all([executor.submit(add, 1, 2), "text"])).is<
    Promise<[number, string]>
  >();
  return promise;
});

compiles("asCompleted() yields futures", async () => {
  const futures = [executor.submit(add, 1, 2)];
  inferred(asCompleted(futures)).is<FutureIterator<number>>();
  for await (const future of asCompleted(futures, { timeout: 5 })) {
    inferred(future).is<Future<number>>();
    inferred(await future).is<number>();
  }
  // The type checker is tempted to await them the second time.
  for await (const future of asCompleted(futures)) {
    inferred(future).is<Future<number>>();
  }
  const next = asCompleted(new Set(futures)).next();
  inferred(next).is<Promise<IteratorResult<Future<number>, undefined>>>();
  // @ts-expect-error: no futures
  asCompleted([5]);
});

compiles("wait() gives sets of futures", async () => {
  const futures = [executor.submit(add, 1, 2)];
  const options = { returnWhen: FIRST_COMPLETED, timeout: 5 };
  inferred(wait(futures, options)).is<Promise<WaitResult<number>>>();
  inferred((await wait(futures)).notDone).is<Set<Future<number>>>();
  // @ts-expect-error: not a constant
  wait(futures, { returnWhen: "SOON" });
  // @ts-expect-error: no futures
  wait([Promise.resolve(5)]);
});

compiles("wait() and asCompleted() take futures of different types", () => {
  const futures = [executor.submit(add, 1, 2), executor.submit(() => "text")];
  inferred(wait(futures)).is<Promise<WaitResult<number | string>>>();
  inferred(asCompleted(futures)).is<FutureIterator<number | string>>();
});

compiles("executors have options and a common type", async () => {
  const initializer = (name: string) => name.length;
  const common = { maxWorkers: 2, initializer, initArgs: ["name"] };
  const executors: Executor[] = [
    new PromisePoolExecutor(common),
    new WorkerPoolExecutor({ ...common, name: "pool", idleTimeout: 5 }),
  ];
  await using executor: AsyncDisposable = executors[0]!;
  inferred(executors[0]!.shutdown({ wait: false })).is<Promise<void>>();
  // @ts-expect-error: a number
  new PromisePoolExecutor({ maxWorkers: "2" });
  // @ts-expect-error: there is nothing that could be idle
  new PromisePoolExecutor({ idleTimeout: 5 });
  // @ts-expect-error: only its kinds can be made
  new Executor();
  return executor;
});

compiles("currentTask() may be undefined", () => {
  inferred(currentTask()?.signal).is<AbortSignal | undefined>();
  inferred(currentTask()?.cancelled).is<boolean | undefined>();
  // @ts-expect-error: outside a task there is none
  currentTask().throwIfCancelled();
});

async function* asyncTexts(): AsyncGenerator<string> {
  yield await Promise.resolve("text");
}
