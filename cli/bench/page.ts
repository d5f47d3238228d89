/**
 * The report as a page: a picture, which tells of the bar that is pointed at, and
 * the same as tables. The page is one file that needs nothing else.
 *
 * @module
 */

import type { Report, RunReport, WorkloadReport } from "./benchmark.ts";
import { formatHeading, formatLesson } from "./report.ts";
import { drawSvg, escape, formatSpeedup } from "./svg.ts";

const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 880px;
  margin: 2rem auto; padding: 0 1rem }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { text-align: left; padding: .2rem 1rem .2rem 0;
  border-bottom: 1px solid GrayText }
td:not(:first-child) { font-variant-numeric: tabular-nums }
#details { position: fixed; pointer-events: none; max-width: 20rem;
  padding: .3rem .6rem; border: 1px solid GrayText; border-radius: 4px;
  background: Canvas; color: CanvasText; font-size: 14px }`;

/**
 * Shows the title of a bar beside the pointer at once, and for the keyboard too;
 * without this script, browsers show the title after a while.
 */
const SCRIPT = `
const details = document.getElementById("details");
for (const bar of document.querySelectorAll(".bar")) {
  const title = bar.querySelector("title");
  const text = title.textContent;
  title.remove();
  bar.setAttribute("tabindex", "0");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", text);
  const show = (x, y) => {
    details.textContent = text;
    details.hidden = false;
    const { width, height } = details.getBoundingClientRect();
    details.style.left = Math.min(x + 12, innerWidth - width - 8) + "px";
    details.style.top = Math.min(y + 12, innerHeight - height - 8) + "px";
  };
  const hide = () => details.hidden = true;
  bar.addEventListener("pointermove", (event) =>
    show(event.clientX, event.clientY));
  bar.addEventListener("focus", () => {
    const { left, bottom } = bar.getBoundingClientRect();
    show(left, bottom);
  });
  bar.addEventListener("pointerleave", hide);
  bar.addEventListener("blur", hide);
}`;

/**
 * Makes a page of a report.
 *
 * @param report The report.
 * @returns The text of an HTML file.
 */
export function formatPage(report: Report): string {
  const { version, deno, cores, workload } = report;
  // A group, as each bar has a title, which a reader of the screen would not read in an image.
  const picture = drawSvg(workload).replace('role="img"', 'role="group"');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>futures ${version}: who worked when</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>Who worked when</h1>
<p>futures ${escape(version)} on Deno ${
    escape(deno)
  }, ${cores} cores. Each bar is a record: point at it for details.</p>
${picture}<div id="details" role="status" hidden></div>
${workload.map(formatWorkload).join("\n")}
<script>${SCRIPT}
</script>
</body>
</html>
`;
}

function formatWorkload(workload: WorkloadReport): string {
  return `<h2>${escape(formatHeading(workload))}</h2>
<table>
<tr><th scope="col">executor<th scope="col">workers<th scope="col">wall time
${workload.runs.map(formatRow).join("\n")}
</table>
<p>${escape(formatLesson(workload).replaceAll(/\s+/g, " ").trim())}</p>`;
}

function formatRow(run: RunReport): string {
  return `<tr><td>${run.executor}<td>${run.workers}<td>${
    escape(formatSpeedup(run))
  }`;
}
