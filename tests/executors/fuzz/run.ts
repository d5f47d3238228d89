/**
 * Has a program bear workers that lie, and watches it: it has to live, to turn
 * its event loop, and to find that its executors have kept what they promise.
 * It is a program of its own, as one that is ended, or hangs, is what is
 * looked for.
 *
 * @module
 */

/** A program that says nothing for so long hangs, or the machine does. */
const SILENCE_MS = 30_000;

/** So much of what it wrote to its error stream is shown. */
const TEXT_CHARACTERS = 1500;

/** Options for {@linkcode runFuzz}. */
export interface FuzzOptions {
  /** The name of the executors' class. */
  name: string;
  seconds: number;
  /** Of the first round; each round has the next one. */
  seed: number;
}

/** What has been borne, without a violation. */
export interface FuzzSummary {
  rounds: number;
  workers: number;
  /** How futures ended. */
  outcomes: Record<string, number>;
  /** How often there was a lie of each kind. */
  lies: Record<string, number>;
  longestRound: { seed: number; ms: number };
  longestTurnMs: number;
  /** What the heap holds, and buffers beside it, in bytes, early on and at the end. */
  memory: [start: number, end: number];
}

/** A line of what the program says. */
export type Said =
  | { alive: true }
  | { round: number }
  | { violation: string }
  | { summary: FuzzSummary };

/**
 * Fuzzes for so long.
 *
 * @throws {Error} At the first violation; its message names the seed that
 * begins with the round in question.
 */
export async function runFuzz(
  { name, seconds, seed }: FuzzOptions,
): Promise<FuzzSummary> {
  const program = new URL("./program.ts", import.meta.url).href;
  const flags = ["-A", "--quiet", "--no-check", "--no-lock"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...flags,
      "--v8-flags=--expose-gc",
      program,
      name,
      `${seconds}`,
      `${seed}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let silence: ReturnType<typeof setTimeout> | undefined;
  let [round, violation] = [seed, "the program ended"];
  let summary: FuzzSummary | undefined;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      violation = "the program's event loop hangs";
      child.kill("SIGKILL");
    }, SILENCE_MS);
  };
  listen();
  const text = tail(child.stderr);
  for await (const line of linesOf(child.stdout)) {
    listen();
    const said = JSON.parse(line) as Said;
    if ("round" in said) round = said.round;
    else if ("violation" in said) violation = said.violation;
    else if ("summary" in said) summary = said.summary;
  }
  clearTimeout(silence);
  const { code, signal } = await child.status;
  const shown = await text;
  if (summary !== undefined && code === 0) return summary;
  throw new Error(
    `Fuzz of ${name} with seed ${round}: ${violation} (${
      signal ?? `exit code ${code}`
    })\n${shown}`,
  );
}

/** For people. */
export function showFuzz(
  summary: FuzzSummary,
): string {
  const { rounds, workers, outcomes, lies, memory } = summary;
  const { longestRound, longestTurnMs } = summary;
  const count = (n: number) => n.toLocaleString("en");
  const counts = (sums: Record<string, number>) =>
    Object.entries(sums).sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${count(n)} ${name}`).join(", ");
  const sum = (sums: Record<string, number>) =>
    count(Object.values(sums).reduce((a, b) => a + b, 0));
  const [start, end] = memory.map((bytes) =>
    `${Math.round(bytes / 2 ** 20)} MiB`
  );
  return [
    `${count(rounds)} executors, ${count(workers)} workers, ${
      sum(outcomes)
    } futures, ${sum(lies)} lies`,
    `  ${counts(outcomes)}`,
    `  ${counts(lies)}`,
    `  longest round ${
      Math.round(longestRound.ms)
    } ms (seed ${longestRound.seed}), longest turn of the event loop ${
      Math.round(longestTurnMs)
    } ms`,
    `  memory in use ${start} early on, ${end} at the end`,
  ].join("\n");
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncIterable<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** The end of a text, once it is there. */
async function tail(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  let end = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    // Bytes that are no messages are taken for text of tasks.
    end = (end + text.replace(/[^\n\x20-\x7e]+/g, "…")).slice(-TEXT_CHARACTERS);
  }
  return end;
}
