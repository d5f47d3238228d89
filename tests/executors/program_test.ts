// Programs that end by themselves, and lose no work, whatever they forget.

import { assertEquals } from "@std/assert";
import { KINDS, runProgram } from "./helpers/harness.ts";

/** What `executor`, a variable of the program, is used for, and what has to be written. */
const PROGRAMS: Record<string, { source: string; output: string }> = {
  "never uses its executor": {
    source: "",
    output: "",
  },
  "never shuts its executor down": {
    source: `
      for (const n of [1, 2, 3]) executor.submit(later, n).addDoneCallback(print);`,
    output: "1\n2\n3\n",
  },
  "does not wait for the shutdown": {
    source: `
      for (const n of [1, 2, 3]) executor.submit(later, n).addDoneCallback(print);
      executor.shutdown();`,
    output: "1\n2\n3\n",
  },
  "shuts down without waiting": {
    source: `
      for (const n of [1, 2, 3]) executor.submit(later, n).addDoneCallback(print);
      await executor.shutdown({ wait: false });`,
    output: "1\n2\n3\n",
  },
  "shuts down without waiting and cancels": {
    source: `
      const all = [1, 2, 3].map((n) => executor.submit(later, n));
      await executor.shutdown({ wait: false, cancelFutures: true });
      console.log(...all.map((future) => future.state));`,
    output: "cancelled cancelled cancelled\n",
  },
  "leaves results unread": {
    source: `
      executor.map(later, [1, 2, 3], { timeout: 3_600_000 });
      executor.map(later, endless(), { bufferSize: 2 });
      futures.asCompleted([executor.submit(later, 1)], { timeout: 3_600_000 });`,
    output: "",
  },
  "leaves a loop early": {
    source: `
      for await (const n of executor.map(later, endless(), { timeout: 3_600_000 })) {
        console.log(n);
        if (n === 3) break;
      }`,
    output: "1\n2\n3\n",
  },
  "has long time-outs that were not needed": {
    source: `
      const future = executor.submitWith({ timeout: 3_600_000 }, later, 1);
      console.log(await future.result({ timeout: 3_600_000 }));
      const { done } = await futures.wait([future], { timeout: 3_600_000 });
      const results = await executor.map(later, [1], { timeout: 3_600_000 });
      console.log(done.size, ...results);`,
    output: "1\n1 1\n",
  },
  "ends in the middle of await using": {
    source: `
      try {
        await using again = executor;
        again.submit(later, 1).addDoneCallback(print);
        throw new Error("Body failed");
      } catch (error) {
        console.log(error.message);
      }`,
    output: "1\nBody failed\n",
  },
};

for (const { name } of KINDS) {
  for (const [what, { source, output }] of Object.entries(PROGRAMS)) {
    Deno.test(`${name} lets a program end that ${what}`, async () => {
      const written = await runProgram(`
        const executor = new futures.${name}({ maxWorkers: 1 });
        async function later(n) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return n;
        }
        const print = (future) => future.then(console.log);
        function* endless() { for (let n = 1; true; n++) yield n; }
        ${source}
      `);
      assertEquals(written, output);
    });
  }
}
