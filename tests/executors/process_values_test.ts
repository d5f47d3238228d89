// What only the serializer of processes does not know, and structured clone does.
// @group processes

import { assertEquals, assertInstanceOf } from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { watched } from "./helpers/harness.ts";
import { outcomeOf } from "./helpers/worker_harness.ts";

watched(
  "ProcessPoolExecutor brings an error with a Blob in it back, as text",
  async (executors) => {
    const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    const fail = () => {
      throw Object.assign(new RangeError("Failed"), { blob: new Blob(["a"]) });
    };
    const errors = new Array(20).fill(0).map(() => executor.submit(fail));
    const fine = executor.submit((n) => n, 1);
    for (const future of errors) {
      const error = await future.exception() as Error & { blob: unknown };
      assertInstanceOf(error, RangeError);
      assertEquals([error.message, error.blob], ["Failed", "[object Blob]"]);
    }
    assertEquals(await fine, 1);
    const several = await executor.submit(() => {
      throw new AggregateError([new Blob(["a"]), new Error("b")]);
    }).exception() as AggregateError;
    assertEquals(several.errors[0], "[object Blob]");
    assertEquals(several.errors[1].message, "b");
    assertEquals(
      await outcomeOf(executor.submit(() => {
        throw new Blob(["a"]);
      })),
      { error: "[object Blob]" },
    );
  },
);
