// Worker processes that something comes between: signals, limits of the
// system, what the program itself may not do.
// @group processes

import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { BrokenExecutorError, ProcessPoolExecutor } from "../../mod.ts";
import { until, watched } from "./helpers/harness.ts";
import { Gate, passGate } from "./helpers/tasks.ts";
import { MOD, runMain } from "./helpers/worker_harness.ts";

watched(
  "ProcessPoolExecutor leaves Ctrl-C to the program",
  async (executors) => {
    const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    const gate = new Gate();
    const future = executor.submit(passGate, gate.cells, 42);
    await until(() => gate.reached === 1);
    // A terminal sends it to all processes of the program.
    Deno.kill(executor.stats().workers[0]!.pid!, "SIGINT");
    gate.open();
    assertEquals(await future, 42);
  },
);

watched(
  "ProcessPoolExecutor that cannot start processes is broken",
  async (executors) => {
    // More than any system takes.
    const env = { LONG: "x".repeat(2 ** 24) };
    const executor = new ProcessPoolExecutor({ maxWorkers: 1, env });
    executors.push(executor);
    const futures = [executor.submit(() => 1), executor.submit(() => 2)];
    for (const future of futures) {
      assertInstanceOf(await future.exception(), BrokenExecutorError);
    }
  },
);

watched(
  "ProcessPoolExecutor allows workers no more than the program may",
  async () => {
    const program = `
    import { ProcessPoolExecutor } from "${MOD}";
    const read = (name) => {
      try {
        return String(Deno.env.get(name));
      } catch (error) {
        return error.name;
      }
    };
    for (const permissions of [undefined, { env: ["HOME"] }, { env: true }]) {
      try {
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
        console.log(await pool.submit(read, "SECRET"));
      } catch (error) {
        console.log(error.name, error.message);
      }
    }`;
    const { stdout } = await runMain({
      "main.js": program,
      "main.ts": `import "./main.js";`,
    }, {
      flags: ["-A", "--deny-env=SECRET"],
    });
    const [inherited, listed, all] = stdout.trim().split("\n");
    assertEquals([inherited, listed], ["NotCapable", "NotCapable"]);
    assertStringIncludes(
      all!,
      "NotCapable Workers cannot be allowed what the program is not: env",
    );
  },
);

/** When the working folder is removed, and what that ends as. */
const REMOVALS: Record<string, [first: string, then: string, error: string]> = {
  "before it is made": ["Deno.removeSync(folder);", "", "NotFound"],
  "before its workers start": [
    "",
    "Deno.removeSync(folder);",
    "BrokenExecutorError",
  ],
};

for (const [when, [first, then, name]] of Object.entries(REMOVALS)) {
  watched(
    `ProcessPoolExecutor says that the working folder is gone that was removed ${when}`,
    async () => {
      const { stdout } = await runMain({
        "main.ts": `
          import { ProcessPoolExecutor } from "${MOD}";
          const folder = Deno.makeTempDirSync();
          Deno.chdir(folder);
          ${first}
          try {
            await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
            ${then}
            await pool.submit(() => 1);
          } catch (error) {
            const reason = error.name === "NotFound" ? error : error.cause;
            console.log(error.name, reason.message);
          }
          Deno.chdir("/");
          await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
          console.log(await pool.submit(() => "goes on"));
        `,
      });
      assertStringIncludes(stdout, name);
      assertStringIncludes(stdout, "Deno.chdir()");
      assertStringIncludes(stdout, "goes on");
    },
  );
}

watched(
  "ProcessPoolExecutor brings large results when a program has made the worker's streams non-blocking",
  async (executors) => {
    const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    // As Node.js does.
    const program = `
      const { symbols } = Deno.dlopen("libc.so.6", {
        fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
      });
      const [F_SETFL, O_NONBLOCK] = [4, 0o4000];
      for (const stream of [1, 2]) symbols.fcntl(stream, F_SETFL, O_NONBLOCK);
    `;
    const large = async (program: string, bytes: number) => {
      const { code } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", program],
        stdout: "inherit",
        stderr: "inherit",
      }).spawn().status;
      return [code, new Uint8Array(bytes).fill(7)] as const;
    };
    for (const bytes of [2 ** 24, 10]) {
      const [code, result] = await executor.submit(large, program, bytes);
      assertEquals(code, 0);
      assertEquals(result, new Uint8Array(bytes).fill(7));
    }
  },
);
