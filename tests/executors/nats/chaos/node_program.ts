// A node of the chaos: its arguments are the server, how many workers it has,
// and a folder for what it keeps. TERM drains it, and
// USR2 has it say what its workers do.

import { WorkerPoolExecutor } from "../../../../mod.ts";
import { servePool } from "../../../../executors/nats/mod.ts";

const [servers, workers, cache] = Deno.args as [string, string, string];
const executor = new WorkerPoolExecutor({ maxWorkers: Number(workers) });
const node = await servePool({ servers, executor, cache, drainTimeout: 1000 });
Deno.addSignalListener("SIGTERM", () => node.drain());
Deno.addSignalListener("SIGUSR2", () => console.error(Deno.inspect(executor)));
console.log("serves");
await node.finished;
await executor.terminate();
Deno.exit();
