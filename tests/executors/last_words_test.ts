// What a worker has said before its end counts, however late the host hears of it.
// @group workers

import { MOD, runMain } from "./helpers/worker_harness.ts";
import { watched } from "./helpers/harness.ts";
import { assertEquals } from "@std/assert";

/** Delays each message of a port, as an event loop would that has much else to do. */
const SLOW_PORTS = `
  const { prototype } = MessagePort;
  const { set } = Object.getOwnPropertyDescriptor(prototype, "onmessage");
  Object.defineProperty(prototype, "onmessage", {
    set(listener) {
      set.call(this, (event) => setTimeout(() => listener(event), 50));
    },
  });
`;

for (const end of ["Deno.exit()", "self.close()", "Promise.reject(1)"]) {
  watched(
    `WorkerPoolExecutor hears of results that come after the end by ${end}`,
    async () => {
      const main = `
      ${SLOW_PORTS}
      const { WorkerPoolExecutor } = await import("${MOD}");
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      await pool.start();
      const futures = [0, 1, 2, 3].map((n) => pool.submit((n) => {
        if (n < 3) return n;
        ${end};
        return new Promise(() => {});
      }, n));
      for (const future of futures) {
        const error = await future.exception();
        console.log(error === undefined ? await future : error.name);
      }
    `;
      const { stdout } = await runMain({ "main.ts": main });
      assertEquals(stdout, "0\n1\n2\nWorkerCrashedError\n");
    },
  );
}
