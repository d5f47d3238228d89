/**
 * What `futures map` costs per line, beside tools that start a process for each.
 * All of them write the lines that they read.
 *
 * @module
 */

const MANY = 1_000_000;

/** For those that start a process for each line. */
const FEW = 2_000;

const WORKERS = "2";

/** Often enough to see how the memory grows. */
const SAMPLE_MS = 10;

/** One way to write what is read. */
interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
}

/** What it took. */
interface Measurement {
  readonly seconds: number;
  /** The most memory of the program itself; `undefined` where nobody tells. */
  readonly mebibytes: number | undefined;
  /** Whether as much was written as was read; xargs has no order. */
  readonly isSame: boolean;
}

const FUTURES = [
  Deno.execPath(),
  "run",
  "-A",
  "--no-check",
  new URL("../cli.ts", import.meta.url).href,
  "map",
  "--workers",
  WORKERS,
  "data:text/javascript,export default (value) => value;",
];

const PEERS: readonly Contestant[] = [
  { name: "futures map", command: FUTURES },
  { name: "xargs -P2 -n1 echo", command: ["xargs", "-P2", "-n1", "echo"] },
  {
    name: "parallel -j2 -k echo",
    command: ["parallel", "-j2", "-k", "--will-cite", "echo"],
  },
];

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  try {
    await compare(MANY, PEERS.slice(0, 1), folder);
    await compare(FEW, PEERS, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compare(
  lines: number,
  contestants: readonly Contestant[],
  folder: string,
): Promise<void> {
  const input = `${folder}/${lines}`;
  const text = Array.from({ length: lines }, (_, i) => `${i}\n`).join("");
  await Deno.writeTextFile(input, text);
  console.log(`${lines.toLocaleString("en")} lines`);
  for (const { name, command } of contestants) {
    const measured = await measure(command, input, text);
    console.log(`  ${name.padEnd(22)}${format(measured, lines)}`);
  }
}

async function measure(
  [program, ...args]: readonly string[],
  path: string,
  text: string,
): Promise<Measurement | undefined> {
  const begin = performance.now();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  } catch {
    return undefined;
  }
  const input = await Deno.open(path);
  let mebibytes: number | undefined;
  const sampler = setInterval(() => {
    mebibytes = peakOf(child.pid) ?? mebibytes;
  }, SAMPLE_MS);
  const fed = input.readable.pipeTo(child.stdin);
  const output = await new Response(child.stdout).text();
  await Promise.all([fed, child.status]);
  clearInterval(sampler);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, mebibytes, isSame: output.length === text.length };
}

/** Linux keeps the peak itself. */
function peakOf(pid: number): number | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const [, kibibytes] = /^VmHWM:\s+(\d+)/m.exec(status) ?? [];
    return kibibytes && Number(kibibytes) / 1024 || undefined;
  } catch {
    return undefined;
  }
}

function format(measured: Measurement | undefined, lines: number): string {
  if (measured === undefined) return "is not installed";
  const { seconds, mebibytes, isSame } = measured;
  if (!isSame) return "wrote something else than it read";
  const rate = Math.round(lines / seconds).toLocaleString("en");
  const memory = mebibytes === undefined ? "" : `${Math.round(mebibytes)} MiB`;
  return `${seconds.toFixed(2).padStart(8)} s${rate.padStart(12)} lines/s${
    memory.padStart(10)
  }`;
}
