// What workers may do: `permissions`, which needs a flag of Deno.
// @group workers

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { WorkerPoolExecutor } from "../../mod.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { attempts, MOD, runMain } from "./helpers/worker_harness.ts";

const FLAG = "--unstable-worker-options";

/** A module with a task. */
const TASKS = `
  import { task } from "${MOD}";
  export const square = task(import.meta, "square", (n: number) => n * n);
`;

/** Options to be wrong with. */
interface Wrong {
  permissions: unknown;
  error: typeof TypeError | typeof RangeError;
  received: string;
}

const WRONG: Wrong[] = [
  { permissions: null, error: TypeError, received: "received null" },
  { permissions: 5, error: TypeError, received: "received 5" },
  { permissions: true, error: TypeError, received: "received true" },
  { permissions: "all", error: RangeError, received: 'received "all"' },
];

for (const { permissions, error, received } of WRONG) {
  Deno.test(`permissions are checked at the call: ${received}`, () => {
    const options = { permissions: permissions as Deno.PermissionOptions };
    const thrown = assertThrows(() => new WorkerPoolExecutor(options), error);
    assertStringIncludes(thrown.message, "'permissions'");
    assertStringIncludes(thrown.message, received);
  });
}

watched(
  'permissions: "none" lets a plain function compute, and nothing else',
  async () => {
    const { source, lines } = attempts("WorkerPoolExecutor");
    const { stdout } = await runMain({ "main.ts": source }, {
      flags: ["-A", FLAG],
    });
    assertEquals(stdout.trim().split("\n"), lines);
  },
);

watched(
  "permissions may be given one by one",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const permissions = { read: [new URL(".", import.meta.url)], env: ["GREETING"] };
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions });
        Deno.env.set("GREETING", "hello");
        Deno.env.set("SECRET", "secret");
        console.log((await pool.submit((url) => Deno.readTextFile(new URL(url)), import.meta.url)).length > 0);
        console.log(await pool.submit((key) => Deno.env.get(key), "GREETING"));
        console.log((await pool.submit((key) => Deno.env.get(key), "SECRET").exception()).name);
        console.log((await pool.submit(() => Deno.hostname()).exception()).name);
      `,
    }, { flags: ["-A", FLAG] });
    assertEquals(stdout.trim().split("\n"), [
      "true",
      "hello",
      "NotCapable",
      "NotCapable",
    ]);
  },
);

watched("permissions leave the program's own alone", async () => {
  const { stdout } = await runMain({
    "main.ts": `
      import { WorkerPoolExecutor } from "${MOD}";
      {
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions: "none" });
        await pool.submit(async () => {
          await Deno.permissions.revoke({ name: "read" });
        });
      }
      console.log((await Deno.readTextFile("main.ts")).length > 0);
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      console.log(await pool.submit(() => Deno.hostname().length > 0));
    `,
  }, { flags: ["-A", FLAG] });
  assertEquals(stdout, "true\ntrue\n");
});

watched(
  "permissions that the program has not break the executor, with the cause",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        await using pool = new WorkerPoolExecutor({
          maxWorkers: 1,
          permissions: { net: true },
        });
        const futures = [pool.submit(() => 1), pool.submit(() => 2)];
        for (const future of futures) {
          const error = await future.exception();
          console.log(error.name, error.cause.name);
        }
        try {
          pool.submit(() => 1);
        } catch (error) {
          console.log(error.name);
        }
      `,
    }, { flags: ["--allow-read", FLAG] });
    assertEquals(stdout.trim().split("\n"), [
      "BrokenExecutorError NotCapable",
      "BrokenExecutorError NotCapable",
      "BrokenExecutorError",
    ]);
  },
);

watched(
  "permissions have to let a worker read the module of a task()",
  async () => {
    const { stdout } = await runMain({
      "tasks.ts": TASKS,
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        import { square } from "./tasks.ts";
        const folders = [".", "${new URL("../../", import.meta.url)}"];
        const read = folders.map((folder) => new URL(folder, import.meta.url));
        for (const permissions of [{ read }, "none"]) {
          await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions });
          console.log(await pool.submit(square, 3).catch((error) => error.name));
        }
      `,
    }, { flags: ["-A", FLAG] });
    assertEquals(stdout, "9\nTaskNotFoundError\n");
  },
);

watched(
  "permissions without the flag are an error that names it, and the program goes on",
  async () => {
    const { stdout, stderr } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        try {
          await using pool = new WorkerPoolExecutor({ permissions: "none" });
          await pool.submit(() => 1);
        } catch (error) {
          console.log(error instanceof Error, error.message);
        }
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.submit(() => "goes on"));
      `,
    });
    assertStringIncludes(stdout, "true ");
    assertStringIncludes(stdout, FLAG);
    assertStringIncludes(stdout, "goes on");
    assertEquals(stderr, "");
  },
);

watched(
  "permissions are given, or refused, wherever in a program an executor is made",
  async () => {
    await using folder = await makeTempFolder({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const tell = async (mod) => {
          const { WorkerPoolExecutor } = await import(mod);
          try {
            await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions: "none" });
            return await pool.submit(() => 42);
          } catch (error) {
            return error.name;
          }
        };
        console.log(await tell("${MOD}"));
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.submit(tell, "${MOD}"));
      `,
      "config.json": `{ "unstable": ["worker-options"] }`,
    });
    const flagged = [["--no-config", FLAG], ["--config", "config.json"]];
    for (const flags of [...flagged, ["--no-config"]]) {
      const { stdout } = await runCommand(Deno.execPath(), {
        args: ["run", "-A", "--no-check", ...flags, "main.ts"],
        cwd: folder.url,
        env: Deno.env.toObject(),
        timeout: 20_000,
      });
      const told = flagged.includes(flags) ? "42" : "NotSupported";
      assertEquals(stdout, `${told}\n${told}\n`);
    }
  },
);

watched(
  'permissions: "inherit" is the default, and needs no flag',
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1, permissions: "inherit" });
        console.log(await pool.submit(() => Deno.hostname().length > 0));
      `,
    });
    assertEquals(stdout, "true\n");
  },
);

watched(
  "a program that may read its modules, and nothing else, can compute in workers",
  async () => {
    const { stdout } = await runMain({
      "tasks.ts": TASKS,
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        import { square } from "./tasks.ts";
        await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
        console.log(await pool.map((n) => n * n, [1, 2, 3]));
        console.log(await pool.map(square, [1, 2, 3]));
      `,
    }, { flags: ["--allow-read"] });
    assertEquals(stdout, "[ 1, 4, 9 ]\n[ 1, 4, 9 ]\n");
  },
);
