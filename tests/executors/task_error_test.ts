// What tasks throw comes back as what it was.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { commonBehaviour as behaviour } from "./helpers/harness.ts";

behaviour(
  "submit() brings built-in errors back as what they were",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const fail = () => {
      throw new RangeError("Too large", { cause: { limit: 5 } });
    };
    const error = await assertRejects(
      () => executor.submit(fail).result(),
      RangeError,
    );
    assertEquals([error.name, error.message], ["RangeError", "Too large"]);
    assertEquals(error.cause, { limit: 5 });
    assert(error.stack?.includes("Too large"));
  },
);

behaviour(
  "submit() brings an async function's error back",
  async ({ make }) => {
    const fail = async () => {
      await Promise.resolve();
      throw new TypeError("Not a scientist");
    };
    await assertRejects(
      () => make().submit(fail).result(),
      TypeError,
      "Not a scientist",
    );
  },
);

behaviour(
  "submit() brings an error's name and own fields back",
  async ({ make }) => {
    const fail = () => {
      throw Object.assign(new Error("Not there"), { name: "NoEntry", code: 2 });
    };
    const error = await assertRejects(
      () => make().submit(fail).result(),
      Error,
    );
    assertEquals([error.name, error.message], ["NoEntry", "Not there"]);
    assertEquals((error as Error & { code: number }).code, 2);
  },
);

behaviour(
  "submit() brings the errors of an AggregateError back",
  async ({ make }) => {
    const fail = () => {
      throw new AggregateError([new TypeError("One"), 2], "Several");
    };
    const error = await assertRejects(
      () => make().submit(fail).result(),
      AggregateError,
      "Several",
    );
    assertInstanceOf(error.errors[0], TypeError);
    assertEquals(error.errors[0].message, "One");
    assertEquals(error.errors[1], 2);
  },
);

behaviour("submit() brings a DOMException back", async ({ make }) => {
  const fail = () => {
    throw new DOMException("Not now", "NotSupportedError");
  };
  const error = await assertRejects(
    () => make().submit(fail).result(),
    DOMException,
    "Not now",
  );
  assertEquals(error.name, "NotSupportedError");
});

behaviour(
  "submit() brings thrown values that are no errors back",
  async ({ make }) => {
    const executor = make({ maxWorkers: 1 });
    const fail = (value: unknown) => {
      throw value;
    };
    for (const value of [undefined, null, 0, "", false, NaN, "text", [1]]) {
      const future = executor.submit(fail, value);
      const thrown = await future.then(() => "value", (error) => [error]);
      assertEquals(thrown, [value]);
      assertEquals(await future.exception(), value);
      assertEquals(future.state, "finished");
    }
  },
);
