/**
 * A pool on two nodes of one worker each, beside those of others: for
 * `deno task bench:nats`.
 *
 * Server, nodes and client of one contestant are started anew for each round,
 * and the contestants take turns, as in peers.ts. All is on one machine, so
 * this measures what is between the machines, and no network.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { CONTESTANTS } from "./nats/contestants.ts";
import { measureGrowth } from "./nats/growth.ts";
import { isThere, runContestant } from "./nats/run.ts";
import { type Workload, WORKLOADS } from "./nats/workloads.ts";
import { median } from "./peers/report.ts";

const HELP = `Compares NatsPoolExecutor with other pools on many machines.

Usage: deno task bench:nats [options]

  --workload NAME   only this one; may be repeated:
                    ${WORKLOADS.map(({ id }) => id).join(", ")}
  --rounds N        how often each contestant is started (default: 3)
  --quick           a few tasks, one round: whether it runs at all
  --json FILE       write the figures to FILE too
  --nodes LIST      instead of all that, how this package grows with its nodes,
                    such as 1,2,4,8, by calls that wait
  --help            this text`;

/** How many nodes contestants have. */
const NODES = 2;

/** The figures of one contestant by workload, or why there is none. */
type Figures = Record<string, (number | string)[]>;

if (import.meta.main) {
  const flags = parseArgs(Deno.args, {
    boolean: ["quick", "help"],
    string: ["workload", "rounds", "json", "nodes"],
    collect: ["workload"],
  });
  const quick = flags.quick === true;
  const rounds = Number(flags.rounds ?? (quick ? 1 : 3));
  if (flags.help) console.log(HELP);
  else if (flags.nodes) {
    console.log(
      await measureGrowth(flags.nodes.split(",").map(Number), rounds, quick),
    );
  } else {
    const chosen = flags.workload as string[];
    const workloads = WORKLOADS.filter(({ id }) =>
      chosen.length === 0 || chosen.includes(id)
    );
    const figures = await measure(workloads, rounds, quick);
    console.log(table(workloads, figures));
    if (quick) console.log("A few tasks in one round: no figure counts");
    if (flags.json) {
      const json = JSON.stringify(Object.fromEntries(figures), null, 2);
      await Deno.writeTextFile(flags.json, json);
    }
  }
}

/** Starts all contestants that are there, in turns. */
async function measure(
  workloads: readonly Workload[],
  rounds: number,
  quick: boolean,
): Promise<Map<string, Figures>> {
  const contestants = CONTESTANTS.filter(isThere);
  const figures = new Map<string, Figures>();
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of contestants) {
      const { name, isThis } = contestant;
      console.error(`Round ${round} of ${rounds}: ${name}`);
      const counts = Object.fromEntries(
        workloads.map(({ id, count, quick: few, many }) => {
          const all = quick ? few : count;
          return [id, many && !isThis ? all / 10 : all];
        }),
      );
      const measured = await runContestant(contestant, counts, NODES);
      const all = figures.get(name) ?? {};
      figures.set(name, all);
      for (const { id } of workloads) {
        (all[id] ??= []).push(measured[id] ?? "ended before");
      }
    }
  }
  return figures;
}

/** Medians: a line for each workload, a column for each contestant. */
function table(
  workloads: readonly Workload[],
  figures: ReadonlyMap<string, Figures>,
): string {
  const names = [...figures.keys()];
  const rows = workloads.map(({ id, title, unit }) => [
    `${title} (${unit})`,
    ...names.map((name) => cell(figures.get(name)![id]!)),
  ]);
  const lines = [["", ...names], ["", ...names].map(() => "---"), ...rows];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cell(values: readonly (number | string)[]): string {
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length === 0) return `${values[0]}`;
  return median(numbers).toLocaleString("en", { maximumSignificantDigits: 3 });
}
