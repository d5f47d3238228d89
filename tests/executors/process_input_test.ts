// The standard input of a worker process, and of what its tasks start: at its
// end, and never where messages are.
// @group processes

import { assert, assertEquals } from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD, runMain } from "./helpers/worker_harness.ts";

/** Registers a test with an executor of one worker, which has to be alive and well afterwards. */
function inputTest(
  name: string,
  run: (executor: ProcessPoolExecutor) => Promise<void>,
): void {
  watched(`ProcessPoolExecutor ${name}`, async (executors) => {
    const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
    executors.push(executor);
    await executor.start();
    const worker = executor.stats().workers[0]!.pid;
    await run(executor);
    assertEquals(await executor.submit((n: number) => n + 1, 41), 42);
    assertEquals(executor.stats().workers[0]!.pid, worker);
  });
}

inputTest(
  "answers while a program that reads its input to the end was left running",
  async (executor) => {
    const leave = () => {
      new Deno.Command("cat", { stdout: "null" }).spawn().unref();
    };
    await executor.submit(leave);
    const inputs = Array.from({ length: 200 }, (_, n) => "x".repeat(1000) + n);
    const echoed = await executor.map((text: string) => text, inputs);
    assertEquals(echoed, inputs);
  },
);

/** How a program that reads some of its standard input can be started. */
const STARTS: Record<string, (...command: string[]) => unknown> = {
  "Deno.Command.spawn()": async (command, ...args) => {
    const child = new Deno.Command(command!, { args, stdout: "piped" }).spawn();
    return new TextDecoder().decode((await child.output()).stdout);
  },
  "Deno.Command.output()": async (command, ...args) => {
    const options = { args, stdin: "inherit" } as Deno.CommandOptions;
    const { stdout } = await new Deno.Command(command!, options).output();
    return new TextDecoder().decode(stdout);
  },
  "Deno.Command.outputSync()": (command, ...args) => {
    const options = { args, stdin: "inherit" } as Deno.CommandOptions;
    const { stdout } = new Deno.Command(command!, options).outputSync();
    return new TextDecoder().decode(stdout);
  },
  "node:child_process spawn()": async (command, ...args) => {
    const { spawn } = await import("node:child_process");
    const child = spawn(command!, args, {
      stdio: ["inherit", "pipe", "inherit"],
    });
    let text = "";
    for await (const piece of child.stdout!) text += piece;
    return text;
  },
  "node:child_process spawnSync()": async (command, ...args) => {
    const { spawnSync } = await import("node:child_process");
    const options = { stdio: ["inherit", "pipe", "inherit"] } as const;
    return `${spawnSync(command!, args, options as never).stdout}`;
  },
};

for (const [what, start] of Object.entries(STARTS)) {
  inputTest(
    `gives a program that ${what} starts an input at its end`,
    async (executor) => {
      const head = executor.submit(start, "head", "-c", "10");
      // What would be read instead.
      const others = executor.map((n: number) => n, [1, 2, 3]);
      assertEquals(await head, "");
      assertEquals(await others, [1, 2, 3]);
    },
  );
}

/** How a task can read the standard input itself. */
const READS: Record<string, () => unknown> = {
  "Deno.stdin.read()": () => Deno.stdin.read(new Uint8Array(1)),
  "Deno.stdin.readSync()": () => Deno.stdin.readSync(new Uint8Array(1)),
  "Deno.stdin.readable": async () => {
    for await (const piece of Deno.stdin.readable) return piece;
    return null;
  },
  "process.stdin": async () => {
    const { stdin } = (await import("node:process")).default;
    for await (const piece of stdin) return piece;
    return null;
  },
  "readFileSync(0)": async () => {
    const { readFileSync } = await import("node:fs");
    return readFileSync(0, "utf8") || null;
  },
  "/dev/stdin": () => Deno.readTextFileSync("/dev/stdin") || null,
};

for (const [what, read] of Object.entries(READS)) {
  inputTest(`lets a task read the end from ${what}`, async (executor) => {
    assertEquals(await executor.submit(read), null);
  });
}

inputTest(
  "gives programs of programs an input at its end",
  async (executor) => {
    const nested = async () => {
      const text = `
        const options = { stdin: "inherit", stdout: "piped" };
        const { stdout } = new Deno.Command("cat", options).outputSync();
        console.log(stdout.length, await Deno.stdin.read(new Uint8Array(1)));
      `;
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", text],
        stdin: "inherit",
      }).output();
      return new TextDecoder().decode(stdout);
    };
    assertEquals(await executor.submit(nested), "0 null\n");
  },
);

inputTest("leaves programs no descriptor for messages", async (executor) => {
  const listed = async (process: number | string) => {
    const args = ["-l", `/proc/${process}/fd`];
    const options = { args, stdin: "inherit" } as Deno.CommandOptions;
    const { stdout } = await new Deno.Command("ls", options).output();
    return new TextDecoder().decode(stdout);
  };
  const readable = (list: string) =>
    Array.from(list.matchAll(/^lr.* (pipe:.*)$/gm), ([, pipe]) => pipe);
  const worker = executor.stats().workers[0]!.pid!;
  // What this program was started with, every program has.
  const inherited = new Set(readable(await listed(Deno.pid)));
  const own = (list: string) =>
    readable(list).filter((pipe) => !inherited.has(pipe));
  assert(own(await listed(worker)).length > 0);
  assertEquals(own(await executor.submit(listed, "self")), []);
});

for (
  const permissions of [
    "none",
    { read: true },
    { env: true, run: ["cat"], import: ["example.com"] },
  ] as Deno.PermissionOptions[]
) {
  watched(
    `ProcessPoolExecutor keeps its messages off descriptor 0 with permissions ${
      JSON.stringify(permissions)
    }`,
    async (executors) => {
      await using folder = await makeTempFolder({ "libc.so.6": "no library" });
      const before = Deno.cwd();
      const executor = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
      executors.push(executor);
      // Where Deno would look for a library that is on a list.
      Deno.chdir(folder.path);
      try {
        await executor.start();
      } finally {
        Deno.chdir(before);
      }
      const read = executor.submit(READS["readFileSync(0)"]!);
      // What would be read instead.
      const others = executor.map((n: number) => n, [1, 2, 3]);
      assertEquals(await read, null);
      assertEquals(await others, [1, 2, 3]);
      const state = () => Deno.permissions.querySync({ name: "ffi" }).state;
      assertEquals(await executor.submit(state), "prompt");
    },
  );
}

watched(
  "ProcessPoolExecutor gives no more permissions than before for an input of its own",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        const ask = (name) => Deno.permissions.querySync({ name }).state;
        const open = () => Deno.dlopen("libc.so.6", {});
        const cat = () => new Deno.Command("cat", { stdin: "inherit" }).outputSync().stdout.length;
        for (const permissions of ["none", { ffi: false, run: ["cat"] }, { ffi: ["/lib/other.so"], run: ["cat"] }]) {
          await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
          console.log(await pool.submit(ask, "ffi"), await pool.submit(ask, "read"));
          console.log((await pool.submit(open).exception()).name);
          console.log(await pool.submit(cat).catch((error) => error.name));
        }
      `,
    });
    assertEquals(stdout.trim().split("\n"), [
      ...["prompt prompt", "NotCapable", "NotCapable"],
      ...["prompt prompt", "NotCapable", "0"],
      ...["prompt prompt", "NotCapable", "0"],
    ]);
  },
);

watched(
  "WorkerPoolExecutor leaves the standard input of the program to its tasks",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        const program = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", "--no-config", "child.ts"],
          stdin: "piped",
        }).spawn();
        const writer = program.stdin.getWriter();
        await writer.write(new TextEncoder().encode("text"));
        await writer.close();
        await program.status;
      `,
      "child.ts": `
        import { WorkerPoolExecutor } from "${MOD}";
        await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.submit(async () => {
          const bytes = new Uint8Array(10);
          return new TextDecoder().decode(bytes.subarray(0, await Deno.stdin.read(bytes)));
        }));
      `,
    });
    assertEquals(stdout, "text\n");
  },
);
