// A node of one worker, for `deno task bench:nats`.

import { WorkerPoolExecutor } from "../../mod.ts";
import { servePool } from "../../executors/nats/mod.ts";

const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
const node = await servePool({ servers: Deno.args[0]!, executor });
console.log("serves");
await node.finished;
