// The benchmark's picture and its page, made from figures that are known.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type {
  Report,
  RunReport,
  WorkloadReport,
} from "../../../cli/bench/benchmark.ts";
import { formatPage } from "../../../cli/bench/page.ts";
import { drawSvg, formatSpeedup } from "../../../cli/bench/svg.ts";
import { futures } from "../../helpers/futures_command.ts";
import { runCommand } from "../../helpers/run_command.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";

/** Where browsers are that can be asked for the page as they understand it. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

const BROWSER = BROWSERS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

const WORKLOADS: WorkloadReport[] = [
  {
    kind: "wait",
    records: 2,
    delayMs: 1000,
    runs: [
      run("serial", 2000, 1, [["main", 0, 1000], ["main", 1000, 2000]]),
      run("PromisePoolExecutor", 1000, 2, [
        ["main", 0, 1000],
        ["main", 0, 1000],
      ]),
    ],
  },
  {
    kind: "compute",
    records: 2,
    work: 1000,
    runs: [
      run("WorkerPoolExecutor", 4000, null, [
        ["worker-2", 0, 4000],
        ["worker-10", 100, 200],
      ]),
    ],
  },
];

const REPORT: Report = {
  version: "0.1.0",
  deno: "2.9.6",
  cores: 2,
  workload: WORKLOADS,
};

function run(
  executor: RunReport["executor"],
  wallMs: number,
  speedup: number | null,
  tasks: [worker: string, startMs: number, endMs: number][],
): RunReport {
  return {
    executor,
    workers: tasks.length,
    wallMs,
    speedup,
    results: [],
    tasks: tasks.map(([worker, startMs, endMs], i) => ({
      record: `<Record> & "${i + 1}"`,
      worker,
      startMs,
      endMs,
    })),
  };
}

/** The bars of a picture by what they say, with their places. */
function barsOf(svg: string): { text: string; x: number; width: number }[] {
  const bar =
    /<g class="bar \w+"><title>(.*?)<\/title>\n?<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g;
  return [...svg.matchAll(bar)].map(([, text, x, width]) => ({
    text: text!,
    x: Number(x),
    width: Number(width),
  }));
}

/** Throws unless each element is closed by its own end. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  for (
    const [, end, name, empty] of xml.matchAll(
      /<(\/?)([\w]+)(?:\s[\w:-]+="[^"<]*")*\s*(\/?)>/g,
    )
  ) {
    if (end) assertEquals(open.pop(), name);
    else if (!empty) open.push(name!);
  }
  assertEquals(open, []);
  // What is left of it has no other mark-up.
  assertEquals(xml.replaceAll(/<[^<>]*>/g, "").match(/[<>]|&(?!#\d+;)/g), null);
}

Deno.test("drawSvg() has one bar per record, all on one time scale", () => {
  const bars = barsOf(drawSvg(WORKLOADS));
  assertEquals(bars.length, 6);
  const [first, second, third, fourth, fifth, sixth] = bars;
  assertEquals(first!.x, third!.x);
  assertEquals(third!.x, fourth!.x);
  assertEquals(second!.x - first!.x, first!.width + 1);
  assertEquals(fifth!.width + 1, 4 * (first!.width + 1));
  assertEquals(sixth!.width + 1, (first!.width + 1) / 10);
});

Deno.test("drawSvg() says of each bar what it is", () => {
  const [, second, , , , sixth] = barsOf(drawSvg(WORKLOADS));
  assertEquals(
    second!.text,
    "2 &#60;Record&#62; &#38; &#34;2&#34;: waits for 1.00 s, from 1.00 s to 2.00 s, in main of serial",
  );
  assertStringIncludes(
    sixth!.text,
    "computes for 100.0 ms, from 100.0 ms to 200.0 ms, in worker-10 of Worker",
  );
});

Deno.test("drawSvg() describes in words what it shows", () => {
  const svg = drawSvg(WORKLOADS);
  assertStringIncludes(
    svg,
    '<desc id="description">wait: each record waits 1000 ms, as for an answer ' +
      "from the network. serial, one thread, one record at a time: 2.00 s. " +
      "PromisePoolExecutor, one thread, which waits for up to 2 records at a " +
      "time: 1.00 s, 2.00 times as fast as serial. compute: ",
  );
  assertStringIncludes(svg, 'role="img" aria-labelledby="title description"');
});

Deno.test("drawSvg() is XML, with colours for light and dark", () => {
  const svg = drawSvg(WORKLOADS);
  assertWellFormed(svg);
  assertStringIncludes(svg, "@media (prefers-color-scheme: dark)");
  assertEquals(svg.match(/https?:[^"]*/g), ["http://www.w3.org/2000/svg"]);
});

Deno.test("drawSvg() draws what took no time, and no more lanes than fit a screen", () => {
  const tasks = Array.from({ length: 500 }, (): [string, number, number] => [
    "main",
    0,
    0.5,
  ]);
  const svg = drawSvg([{
    kind: "wait",
    records: 500,
    delayMs: 0,
    runs: [run("PromisePoolExecutor", 0, null, tasks)],
  }]);
  assertEquals(barsOf(svg).length, 16);
  assertStringIncludes(svg, "… and 484 more lanes");
  assert(!svg.includes("NaN") && !svg.includes("Infinity"));
});

Deno.test("drawSvg() has room for names of nodes, and shows the ends of long ones", () => {
  const svg = drawSvg([{
    kind: "wait",
    records: 2,
    delayMs: 1000,
    runs: [
      run("NatsPoolExecutor", 1000, null, [
        ["ada/worker-1", 0, 1000],
        [`${"long".repeat(10)}/worker-2`, 0, 1000],
      ]),
    ],
  }]);
  assertWellFormed(svg);
  const names = [...svg.matchAll(/<text x="(\d+)" [^>]*>([^<]*worker-\d)</g)];
  assertEquals(names.map(([, , name]) => name), [
    "ada/worker-1",
    `…${"long".repeat(5)}/worker-2`,
  ]);
  for (const [, x] of names) assert(Number(x) > 30 * 7, x);
  for (const { x } of barsOf(svg)) assert(x > Number(names[0]![1]));
});

Deno.test("formatSpeedup() compares to the plain loop, if that ran", () => {
  const of = (executor: RunReport["executor"], speedup: number | null) =>
    formatSpeedup(run(executor, 500, speedup, []));
  assertEquals(of("serial", 1), "500.0 ms");
  assertEquals(of("WorkerPoolExecutor", null), "500.0 ms");
  assertEquals(of("WorkerPoolExecutor", 0.99), "500.0 ms, as fast as serial");
  assertEquals(
    of("WorkerPoolExecutor", 1.7),
    "500.0 ms, 1.70 times as fast as serial",
  );
});

Deno.test("formatPage() needs nothing from elsewhere", () => {
  const page = formatPage(REPORT);
  assertMatch(page, /^<!DOCTYPE html>\n<html lang="en">/);
  assertEquals(page.match(/\b(src|href|url|import)\b/g), null);
  assertStringIncludes(page, "<td>1.00 s, 2.00 times as fast as serial");
});

Deno.test({
  name: "formatPage() shows details of a bar in a browser",
  ignore: BROWSER === undefined,
  fn: async () => {
    await using folder = await makeTempFolder({
      // What a hand would do with the mouse.
      "page.html": formatPage(REPORT) +
        `<script>document.querySelectorAll(".bar")[1].dispatchEvent(
          new PointerEvent("pointermove", { clientX: 9, clientY: 9 }));
        </script>`,
    });
    const { stdout } = await runCommand(BROWSER!, {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu"],
        ...[`--user-data-dir=${folder.path}/profile`, "--dump-dom"],
        new URL("page.html", folder.url).href,
      ],
      cwd: folder.path,
      env: { HOME: folder.path, PATH: Deno.env.get("PATH")! },
      timeout: 60_000,
    });
    assertMatch(
      stdout,
      /<div id="details" role="status" style="[^"]*">2 &lt;Record&gt; &amp; "2": waits for 1.00 s, from/,
    );
  },
});

Deno.test("futures bench --svg --html writes both, beside its text", async () => {
  await using folder = await makeTempFolder();
  const { stdout } = await futures([
    ...["bench", "--delay=20", "--work=100000", "--workers=2", "--quiet"],
    ...["--svg=out.svg", "--html=out.html"],
  ], { cwd: folder.path });
  assertStringIncludes(stdout, "speed-up");
  const svg = await Deno.readTextFile(`${folder.path}/out.svg`);
  assertWellFormed(svg);
  assertEquals(barsOf(svg).length, 2 * 4 * 7);
  const page = await Deno.readTextFile(`${folder.path}/out.html`);
  assertEquals(barsOf(page).length, 2 * 4 * 7);
});

Deno.test("futures bench --svg is refused before anything runs if it cannot be written", async () => {
  const { stdout, stderr } = await futures(
    ["bench", "--quiet", "--svg=nowhere/out.svg"],
    { code: 2 },
  );
  assertEquals(stdout, "");
  assertStringIncludes(
    stderr,
    "futures: cannot write nowhere/out.svg: No such",
  );
});
