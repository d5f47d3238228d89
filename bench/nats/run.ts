/**
 * Runs one contestant: server, nodes and client are started anew each time.
 *
 * @module
 */

import type { Contestant } from "./contestants.ts";
import { Processes } from "./processes.ts";

/** So long all workloads of a contestant may take. */
const LIMIT_MS = 600_000;

/** Whether a contestant is installed; if not, says what to type. */
export function isThere({ name, probe, install }: Contestant): boolean {
  const [program, ...args] = probe as [string, ...string[]];
  try {
    const command = new Deno.Command(program, {
      args,
      stdout: "null",
      stderr: "null",
    });
    if (command.outputSync().success) return true;
  } catch {
    // There is no such program.
  }
  console.error(`${name} is skipped, as it is not there: ${install}`);
  return false;
}

/**
 * Runs workloads once.
 *
 * @param contestant Who is measured.
 * @param counts The workloads by their names, and how many calls each has.
 * @param nodes How many nodes of one worker there are.
 * @returns The figures that there are.
 */
export async function runContestant(
  contestant: Contestant,
  counts: Record<string, number>,
  nodes: number,
): Promise<Record<string, number | string>> {
  const folder = await Deno.makeTempDir();
  try {
    await using processes = new Processes();
    const [program, ...args] = await contestant.start(processes, {
      port: freePort(),
      folder,
      nodes,
    });
    const { stdout } = await new Deno.Command(program!, {
      args: [...args, folder, JSON.stringify(counts)],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return Object.fromEntries(
      lines.filter(Boolean).map((line) => JSON.parse(line)),
    );
  } catch (error) {
    console.error(`${contestant.name}: ${error}`);
    return {};
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
