/**
 * The program of one run: one workload over one contestant, in a process of its
 * own. Its last line is what it measured, as JSON.
 *
 * @module
 */

import process from "node:process";
import { WORKLOADS } from "./measure.mjs";

const { module, workload, scale, folder, options } = JSON.parse(
  process.argv[2],
);
const { open } = await import(new URL(module, import.meta.url).href);
// Some contestants let a process end while it waits for them.
setInterval(() => {}, 1_000_000);
const samples = await WORKLOADS[workload]({
  scale,
  open: (given) => open({ ...given, ...options, folder }),
});
console.log(JSON.stringify({ samples }));
// Some contestants leave threads behind.
process.exit(0);
