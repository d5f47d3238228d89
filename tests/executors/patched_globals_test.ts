// Tasks that patch what their isolate has built in, as tests with mocked clocks
// and careless libraries do: whatever it is, the other calls of the same worker
// are right or lost with it, everything settles, and the executor ends.

import { assert, assertEquals } from "@std/assert";
import type { Future } from "../../mod.ts";
import { outcomeOf, workerBehaviour } from "./helpers/worker_harness.ts";

/** By what they are about; each is sent by its source. */
const PATCHES: Record<string, () => void> = {
  "performance.now": () => {
    performance.now = () => NaN;
  },
  "performance.now, which goes back": () => {
    let now = 0;
    performance.now = () => now -= 1000;
  },
  "Date": () => {
    Date.now = () => NaN;
    Object.assign(globalThis, { Date: class {} });
  },
  "timers": () => {
    Object.assign(globalThis, {
      setTimeout: () => 0,
      clearTimeout: () => {
        throw new Error("Mocked");
      },
      queueMicrotask: () => {},
    });
  },
  "Promise.prototype.then": () => {
    Promise.prototype.then = function () {
      return this as never;
    };
  },
  "Promise.prototype.then, which throws": () => {
    Promise.prototype.then = () => {
      throw new Error("Patched");
    };
  },
  "Promise.resolve": () => {
    Promise.resolve = (() => 5) as never;
    Promise.prototype.catch = (() => 5) as never;
  },
  "Promise": () => {
    Object.assign(globalThis, { Promise: class {} });
  },
  "Array.prototype.push": () => {
    Array.prototype.push = () => 0;
  },
  "Array.prototype.slice": () => {
    Array.prototype.slice = () => [];
  },
  "Array.prototype.map": () => {
    const empty = () => [];
    Object.assign(Array.prototype, {
      map: empty,
      flatMap: empty,
      filter: empty,
    });
  },
  "Array.prototype.includes": () => {
    Array.prototype.includes = () => true;
    Array.prototype.some = () => true;
    Array.prototype.indexOf = () => 0;
  },
  "the iterator of arrays": () => {
    Array.prototype[Symbol.iterator] = function* () {} as never;
  },
  "the steps of iterators of arrays": () => {
    const { getPrototypeOf } = Object;
    getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true });
  },
  "Object.keys": () => {
    Object.assign(Object, {
      keys: () => [],
      entries: () => [],
      getOwnPropertyDescriptors: () => ({}),
    });
  },
  "Object.getPrototypeOf": () => {
    Object.getPrototypeOf = () => null;
    Object.defineProperty = (() => ({})) as never;
  },
  "Object.prototype.toString": () => {
    Object.prototype.toString = () => "[object Error]";
    Object.prototype.hasOwnProperty = () => false;
  },
  "Array.isArray": () => {
    Array.isArray = (() => false) as never;
  },
  "structuredClone": () => {
    globalThis.structuredClone = (value) => value;
  },
  "Atomics": () => {
    const zero = () => 0;
    Object.assign(Atomics, {
      load: zero,
      store: zero,
      or: zero,
      compareExchange: zero,
      wait: () => "ok",
    });
  },
  "Atomics.compareExchange": () => {
    Atomics.compareExchange =
      ((_: unknown, __: number, expected: number) => expected + 1) as never;
  },
  "MessagePort.prototype.postMessage": () => {
    MessagePort.prototype.postMessage = () => {};
  },
  "the handlers of MessagePort": () => {
    for (const name of ["onmessage", "onmessageerror"]) {
      Object.defineProperty(MessagePort.prototype, name, { set() {} });
    }
    MessagePort.prototype.start = () => {};
  },
  "EventTarget.prototype": () => {
    EventTarget.prototype.dispatchEvent = () => true;
    EventTarget.prototype.addEventListener = () => {};
  },
  "Event.prototype": () => {
    Event.prototype.preventDefault = () => {
      throw new Error("Patched");
    };
  },
  "Deno.stderr.writeSync": () => {
    Deno.stderr.writeSync = () => 0;
  },
  "Deno.stderr.writeSync, which throws": () => {
    Deno.stderr.writeSync = () => {
      throw new Error("Patched");
    };
  },
  "Uint8Array.prototype": () => {
    const prototype = Object.getPrototypeOf(Uint8Array.prototype);
    prototype.set = () => {};
    prototype.subarray = () => new Uint8Array();
    DataView.prototype.setUint32 = () => {};
  },
  "Error": () => {
    class Replaced {}
    Object.assign(globalThis, {
      Error: Replaced,
      TypeError: Replaced,
      RangeError: Replaced,
      DOMException: Replaced,
    });
  },
  "Error.prototype": () => {
    for (const name of ["name", "message", "stack"]) {
      Object.defineProperty(Error.prototype, name, {
        get() {
          throw new Error("Patched");
        },
        set() {
          throw new Error("Patched");
        },
      });
    }
  },
  "Map and Set": () => {
    Map.prototype.get = () => undefined;
    Map.prototype.set = () => {
      throw new Error("Patched");
    };
    Map.prototype.has = Set.prototype.has = WeakMap.prototype.has = () => true;
    WeakMap.prototype.get = () => undefined;
    Object.assign(globalThis, {
      Map: class {},
      Set: class {},
      WeakMap: class {},
    });
  },
  "Math": () => {
    Math.min = Math.max = Math.floor = () => NaN;
  },
  "Function.prototype": () => {
    // Without call(), Deno itself reads no message any more.
    Function.prototype.apply = () => 5;
    Function.prototype.bind = () => () => 5;
    Reflect.apply = () => 5;
  },
  "navigator.locks": () => {
    Object.defineProperty(navigator, "locks", { value: undefined });
  },
  "eval": () => {
    globalThis.eval = () => 5;
  },
  "String.prototype": () => {
    String.prototype.slice = String.prototype.replace = () => "";
    String.prototype.startsWith = String.prototype.endsWith = () => true;
    RegExp.prototype.test = () => true;
    RegExp.prototype.exec = () => null;
  },
  "prototypes with what is enumerable": () => {
    Object.assign(Object.prototype, { polluted: 1 });
    Object.assign(Array.prototype, { polluted: 1 });
  },
  "frozen prototypes": () => {
    for (const type of [Object, Array, Function, Promise, Map, Set, Error]) {
      Object.freeze(type.prototype);
    }
  },
  "deleted globals": () => {
    for (
      const name of [
        ...["Array", "Object", "Promise", "Map", "Set", "Error", "Symbol"],
        ...["Math", "Atomics", "Int32Array", "Uint8Array", "structuredClone"],
        ...["setTimeout", "performance", "MessagePort", "Event", "Deno"],
      ]
    ) delete (globalThis as Record<string, unknown>)[name];
  },
};

/** An outcome that is neither right nor lost with its worker. */
function isWrong(outcome: { value?: unknown; error?: unknown }, n: number) {
  if ("value" in outcome) return outcome.value !== n + 1;
  return (outcome.error as Error)?.name !== "WorkerCrashedError";
}

for (const [name, patch] of Object.entries(PATCHES)) {
  workerBehaviour(
    `a task that patches ${name} spoils no other`,
    async (make) => {
      const executor = make({ maxWorkers: 2 });
      const done = await outcomeOf(executor.submit(patch));
      if ("error" in done) {
        const { name } = done.error as Error;
        assert(name === "WorkerCrashedError", `${Deno.inspect(done.error)}`);
      }
      const calls: [Future<unknown>, number][] = [];
      const submit = (n: number) =>
        calls.push([executor.submit((n: number) => n + 1, n), n]);
      for (let n = 0; n < 4; n++) submit(n);
      for (const [call] of calls) await outcomeOf(call);
      for (let n = 0; n < 3000; n++) submit(n);
      // Of a kind that is awaited, and one with an error.
      const later = executor.submit(async (n: number) => await n + 1, 1);
      calls.push([later, 1]);
      const failed = executor.submit(() => {
        throw new RangeError("Failed", { cause: 5 });
      });
      const wrong: unknown[] = [];
      for (const [call, n] of calls) {
        const outcome = await outcomeOf(call);
        if (isWrong(outcome, n)) wrong.push([n, outcome]);
      }
      assertEquals(wrong.slice(0, 2), [], `${wrong.length} are wrong`);
      assert("error" in await outcomeOf(failed));
      if (name.length % 2 === 0) await executor.terminate();
    },
  );
}

workerBehaviour(
  "what a task puts in the place of a way out of its worker sees nothing of what that says",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const listen = () => {
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      const { postMessage } = MessagePort.prototype;
      MessagePort.prototype.postMessage = function (...args: unknown[]) {
        heard.push(args);
        return postMessage.apply(this, args as never);
      };
      const { writeSync } = Deno.stderr;
      Deno.stderr.writeSync = (bytes) => {
        heard.push(bytes);
        return writeSync.call(Deno.stderr, bytes);
      };
      const { set, subarray } = Uint8Array.prototype;
      Uint8Array.prototype.set = function (...args) {
        heard.push(args);
        return set.apply(this, args);
      };
      Uint8Array.prototype.subarray = function (...args) {
        heard.push(args);
        return subarray.apply(this, args) as never;
      };
      for (const name of ["load", "or", "store", "compareExchange"] as const) {
        const method = Atomics[name] as (...args: unknown[]) => unknown;
        Object.assign(Atomics, {
          [name]: (...args: unknown[]) => {
            heard.push(args);
            return method(...args);
          },
        });
      }
    };
    await executor.submit(listen);
    // What is plain, what travels alone, what is awaited, and an error.
    assertEquals(await executor.submit((n: number) => n, 1), 1);
    assertEquals(
      await executor.submit(() => new Map([[1, 2]])),
      new Map([[1, 2]]),
    );
    assertEquals(await executor.submit(async () => await 3), 3);
    const failed = executor.submit(() => {
      throw new RangeError("Failed");
    });
    assertEquals(((await failed.exception()) as Error).message, "Failed");
    const heard = () => (globalThis as { heard?: unknown[] }).heard!.length;
    assertEquals(await executor.submit(heard), 0);
  },
);
