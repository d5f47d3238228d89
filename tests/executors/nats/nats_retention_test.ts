// What a pool over NATS has handed out, or has sent, can be collected as soon as
// nobody else keeps it, while the pool lives on.

import { assertEquals } from "@std/assert";
import { PromisePoolExecutor } from "../../../mod.ts";
import { runCommand } from "../../helpers/run_command.ts";
import { NatsServer, natsTest } from "./nats_server.ts";
import { serve } from "./test_node.ts";

/** A program that takes longer hangs. */
const PROGRAM_MS = 60_000;

const PROGRAM = `
  import { NatsPoolExecutor } from "./executors/nats/mod.ts";

  async function isCollected(ref) {
    for (let round = 0; round < 200 && ref.deref(); round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      gc();
    }
    return ref.deref() === undefined;
  }

  /** The function shares its variables with another, as functions of one scope do. */
  function submit(pool) {
    const argument = { large: true };
    const scope = { large: true };
    globalThis.other = () => scope;
    const future = pool.submit((argument) => [argument], argument);
    delete globalThis.other;
    return [future, new WeakRef(argument), new WeakRef(scope)];
  }

  async function use(pool) {
    const [future, ...refs] = submit(pool);
    return [new WeakRef(await future), new WeakRef(future), ...refs];
  }

  await using pool = new NatsPoolExecutor({ servers: Deno.args[0] });
  const refs = await use(pool);
  console.log(await Promise.all(refs.map(isCollected)));
`;

natsTest(
  "NatsPoolExecutor keeps no future, no value, no argument and no scope of a function",
  async () => {
    await using server = await NatsServer.start();
    await using executor = new PromisePoolExecutor({ maxWorkers: 1 });
    await using _node = await serve(server, executor);
    const { stdout } = await runCommand(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--v8-flags=--expose-gc",
        "-",
        server.url,
      ],
      cwd: new URL("../../../", import.meta.url),
      env: Deno.env.toObject(),
      stdin: PROGRAM,
      timeout: PROGRAM_MS,
    });
    assertEquals(stdout, "[ true, true, true, true ]\n");
  },
);
