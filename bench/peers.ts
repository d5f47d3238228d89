/**
 * The same workloads over this package, other pools, and the limits: for
 * `deno task bench:peers`.
 *
 * Machines are noisy and processes remember, so every run is a process of its
 * own, and the contestants of a workload take turns, several rounds of it:
 * what disturbs one disturbs all. Only ratios within one table mean anything.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { pathOf } from "../executors/runtime/file_path.ts";
import type { Contestant, Runtime } from "./peers/contestants.ts";
import { installPeers, type PeerFolders, VERSIONS } from "./peers/install.ts";
import {
  formatWorkload,
  median,
  type Outcome,
  reportWorkload,
  type WorkloadReport,
} from "./peers/report.ts";
import { type Workload, WORKLOADS } from "./peers/workloads.ts";

const HELP = `Compares @concurrent/futures with other pools, side by side.

Usage: deno task bench:peers [options]

  --workload NAME   only this one; may be repeated:
                    ${WORKLOADS.map(({ id }) => id).join(", ")}
  --rounds N        processes per contestant and workload (default: 3)
  --quick           a tenth of the tasks, one round: whether it runs at all
  --json FILE       write the figures to FILE too
  --help            this text`;

/** What `--quick` leaves of the number of tasks. */
const QUICK_SCALE = 0.1;

interface Settings {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly scale: number;
  readonly json: string | undefined;
}

/** The machine and the versions, without which figures mean little. */
interface Environment {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  /** `null` for what is not there. */
  readonly runtimes: Readonly<Record<Runtime, string | null>>;
  readonly peers: Readonly<Record<string, string>>;
}

if (import.meta.main) {
  const settings = parseSettings(Deno.args);
  const folders = await installPeers();
  const environment = await describeEnvironment();
  console.log(formatEnvironment(environment, settings));
  const reports: WorkloadReport[] = [];
  for (const workload of settings.workloads) {
    const outcomes = await runWorkload(
      workload,
      settings,
      environment,
      folders,
    );
    const report = reportWorkload(workload, outcomes);
    reports.push(report);
    console.log(`\n${formatWorkload(report)}`);
    if (settings.json !== undefined) {
      const { rounds, scale } = settings;
      await Deno.writeTextFile(
        settings.json,
        JSON.stringify(
          { environment, rounds, scale, workloads: reports },
          null,
          2,
        ) + "\n",
      );
    }
  }
}

function parseSettings(args: string[]): Settings {
  const { workload, rounds, quick, json, help, _ } = parseArgs(args, {
    string: ["workload", "rounds", "json"],
    boolean: ["quick", "help"],
    collect: ["workload"],
    unknown: (name) => exit(`Unknown argument "${name}"`),
  });
  if (help) {
    console.log(HELP);
    Deno.exit(0);
  }
  const names = workload as string[];
  for (const name of names) {
    if (!WORKLOADS.some(({ id }) => id === name)) {
      exit(`No workload "${name}"`);
    }
  }
  const count = Number(rounds ?? (quick ? 1 : 3));
  if (!Number.isSafeInteger(count) || count < 1) {
    exit(`--rounds must be an integer of at least 1: received "${rounds}"`);
  }
  return {
    workloads: WORKLOADS.filter(({ id }) =>
      names.length === 0 || names.includes(id)
    ),
    rounds: count,
    scale: quick ? QUICK_SCALE : 1,
    json,
  };
}

function exit(message: string): never {
  console.error(`${message}; see --help`);
  Deno.exit(2);
}

/** Rounds of one process for each contestant; each round begins with another one. */
async function runWorkload(
  workload: Workload,
  { rounds, scale }: Settings,
  { runtimes }: Environment,
  folders: PeerFolders,
): Promise<Outcome[]> {
  const { contestants } = workload;
  const outcomes = contestants.map((contestant) => ({
    contestant,
    rounds: [] as number[],
    failure: runtimes[contestant.runtime] === null
      ? `${contestant.runtime} is not there`
      : undefined as string | undefined,
  }));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const outcome = outcomes[(turn + round) % contestants.length]!;
      // What fails once need not be waited for again.
      if (outcome.failure !== undefined) continue;
      const { name } = outcome.contestant;
      progress(`${workload.id}, round ${round + 1} of ${rounds}: ${name}`);
      try {
        const samples = await run(outcome.contestant, workload, scale, folders);
        outcome.rounds.push(median(samples));
      } catch (error) {
        outcome.failure = error instanceof Error
          ? error.message
          : String(error);
      }
    }
  }
  progress("");
  return outcomes.map(({ failure, ...rest }) =>
    failure === undefined ? rest : { ...rest, failure }
  );
}

/** One run, in a process of its own. */
async function run(
  { runtime, module, options }: Contestant,
  { id, timeoutMs = 20_000 }: Workload,
  scale: number,
  folders: PeerFolders,
): Promise<number[]> {
  const [program, ...args] = commandOf(runtime, folders);
  const folder = folders.programs;
  const order = { module, workload: id, scale, folder, options };
  const child = new Deno.Command(program!, {
    args: [...args, JSON.stringify(order)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (late) throw new Error(`no result after ${timeoutMs / 1_000} s`);
  const decoder = new TextDecoder();
  const line = decoder.decode(stdout).trimEnd().split("\n").at(-1);
  if (code !== 0 || !line) {
    throw new Error(
      reasonIn(decoder.decode(stderr)) ?? `exit code ${code}, and not a word`,
    );
  }
  return JSON.parse(line).samples;
}

function commandOf(runtime: Runtime, { config }: PeerFolders): string[] {
  const program = (name: string) =>
    pathOf(new URL(`peers/${name}`, import.meta.url));
  switch (runtime) {
    case "deno":
      return [
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        `--config=${pathOf(config)}`,
        program("run.mjs"),
      ];
    case "node":
      return ["node", program("run.mjs")];
    case "python":
      return ["python3", program("python.py")];
  }
}

/** The line that names the error, out of all that a program says when it ends. */
function reasonIn(stderr: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const lines = stderr.replaceAll(/\x1b\[[\d;]+m/g, "").trim().split("\n");
  const reason = lines.find((line) => /Error\b/.test(line)) ?? lines.at(-1);
  const text = reason?.trim();
  if (!text) return undefined;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

async function describeEnvironment(): Promise<Environment> {
  const [node, python] = await Promise.all([
    versionOf("node"),
    versionOf("python3"),
  ]);
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: await cpuName(),
    cores: navigator.hardwareConcurrency,
    os: `${Deno.build.os} ${Deno.osRelease()}`,
    runtimes: { deno: Deno.version.deno, node, python },
    peers: VERSIONS,
  };
}

async function versionOf(program: string): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: ["--version"],
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    return success ? /\d[\w.]*/.exec(text)?.[0] ?? null : null;
  } catch {
    return null;
  }
}

/** As Linux says it; other systems do not say it in a file. */
async function cpuName(): Promise<string> {
  try {
    const info = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}

function formatEnvironment(
  { date, cpu, cores, os, runtimes, peers }: Environment,
  { rounds, scale }: Settings,
): string {
  const versions = Object.entries(runtimes).map(([name, version]) =>
    `${name} ${version ?? "not there"}`
  );
  return [
    `${cpu}, ${cores} cores, ${os}; ${versions.join(", ")}; ${date}`,
    Object.entries(peers).map((peer) => peer.join(" ")).join(", "),
    `Medians of ${rounds} rounds, a fresh process each, taking turns${
      scale === 1 ? "" : `; ${scale} of the tasks, so no figure counts`
    }`,
  ].join("\n");
}

/** On a terminal, one line that is written anew. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
