/**
 * How a pool grows with its nodes: calls that wait, so that the cores of one
 * machine are enough for many nodes, and what is measured is what is between
 * client and nodes.
 *
 * @module
 */

import { WorkerPoolExecutor } from "../../mod.ts";
import { median } from "../peers/report.ts";
import { THIS } from "./contestants.ts";
import { isThere, runContestant } from "./run.ts";

/** How long calls wait, in milliseconds. */
const WAITS = [10, 50];

/** How long each worker has something to do, in milliseconds. */
const RUN_MS = 5000;
const QUICK_RUN_MS = 500;

/**
 * Measures pools of as many nodes as said, of one worker each.
 *
 * @param sizes How many nodes.
 * @param rounds How often each is started; the median counts.
 * @param quick Whether a few calls are enough.
 * @returns A table: tasks a second, and which part that is of what as many
 * workers would do if nothing took any time but the calls. Its first row is one
 * worker of this program.
 */
export async function measureGrowth(
  sizes: readonly number[],
  rounds: number,
  quick: boolean,
): Promise<string> {
  if (!isThere(THIS)) Deno.exit(1);
  const runMs = quick ? QUICK_RUN_MS : RUN_MS;
  console.error("No node");
  const here: number[] = [];
  for (const ms of WAITS) here.push(await measureHere(ms, runMs / ms));
  const rows = [[
    "none",
    ...here.flatMap((rate, i) => cells(rate, WAITS[i]!, 1)),
  ]];
  for (const nodes of sizes) {
    const counts = Object.fromEntries(
      WAITS.map((ms) => [`wait-${ms}`, nodes * runMs / ms]),
    );
    const figures: Record<string, number | string>[] = [];
    for (let round = 1; round <= rounds; round++) {
      console.error(`${nodes} nodes, round ${round} of ${rounds}`);
      figures.push(await runContestant(THIS, counts, nodes));
    }
    rows.push([
      `${nodes}`,
      ...WAITS.flatMap((ms) => {
        const measured = figures.map((all) => all[`wait-${ms}`])
          .filter((figure) => typeof figure === "number");
        if (measured.length === 0) return ["ended before", ""];
        return cells(median(measured), ms, nodes);
      }),
    ]);
  }
  const heading = [
    "nodes",
    ...WAITS.flatMap((ms) => [`${ms} ms: tasks/s`, "efficiency"]),
  ];
  return [heading, heading.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** How many calls one worker of this program makes in a second. */
async function measureHere(ms: number, count: number): Promise<number> {
  const sleep = (ms: number) =>
    new Promise((resolve) => setTimeout(resolve, ms));
  await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
  await pool.submit(sleep, ms);
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: count }, () => pool.submit(sleep, ms)),
  );
  return count / (performance.now() - begun) * 1000;
}

function cells(rate: number, ms: number, workers: number): string[] {
  return [rate.toFixed(0), (rate * ms / 1000 / workers).toFixed(2)];
}
