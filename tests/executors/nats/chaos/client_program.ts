// A client of the chaos, which does not live to see its results: its arguments
// are the server, a folder for its tasks, and what to draw from.

import { NatsPoolExecutor } from "../../../../executors/nats/mod.ts";
import { randomOf } from "../../helpers/random.ts";
import { LARGE_BYTES, perform, performBundled } from "./tasks.ts";

const [servers, folder, seed] = Deno.args as [string, string, string];
const { pick } = randomOf(Number(seed));
const pool = new NatsPoolExecutor({ servers });
console.log("is there");
for (let place = 0;; place++) {
  const fn = pick([perform, performBundled]);
  const deed = pick([
    "return",
    "return much later",
    "return what is large",
    "return what it got",
    "hang",
  ]);
  const bytes = deed === "return what it got"
    ? new Uint8Array(LARGE_BYTES).fill(place)
    : undefined;
  pool.submit(fn, folder, place, deed, bytes);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
