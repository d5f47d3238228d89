// Programs that freeze what the language has built in, as hardened ones do.

import { assertEquals } from "@std/assert";
import { MOD, runMain } from "./helpers/worker_harness.ts";

const FROZEN = ["Error", "Object", "Array", "Function", "Promise", "Map"];
const EXECUTORS = [
  "PromisePoolExecutor",
  "WorkerPoolExecutor",
  "ProcessPoolExecutor",
];

for (const frozen of FROZEN) {
  // Then Deno itself ends a program in which a message port is closed.
  const names = frozen === "Error" ? EXECUTORS.slice(0, 1) : EXECUTORS;
  Deno.test(`mod.ts works when ${frozen}.prototype is frozen`, async () => {
    const { stdout } = await runMain({
      "main.ts": `
        Object.freeze(${frozen}.prototype);
        const futures = await import("${MOD}");
        const fail = (n) => {
          throw Object.assign(new RangeError("Failed"), { n });
        };
        for (const name of ${JSON.stringify(names)}) {
          await using pool = new futures[name]({ maxWorkers: 1 });
          console.log(name, await pool.map((n) => 2 * n, [1, 2]));
          const error = await pool.submit(fail, 5).exception();
          console.log(error instanceof RangeError, error.name, error.n);
          const cancelled = pool.submit(fail, 5);
          cancelled.cancel("reason");
          const { name: type, cause } = await cancelled.result().catch((e) => e);
          console.log(type, cause);
        }
      `,
    });
    const outcome = "[ 2, 4 ]\ntrue RangeError 5\nCancelledError reason\n";
    assertEquals(stdout, names.map((name) => `${name} ${outcome}`).join(""));
  });
}
