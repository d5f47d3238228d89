// The wording that the stand-ins for @std/assert share: how a value is shown,
// how two of them differ, and where the caller's own words go.

/** How a message ends: with the caller's own words, if there are any. */
export function ending(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

/** The whole of a value as text, one property a line. */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    compact: false,
    depth: Infinity,
    getters: true,
    iterableLimit: Infinity,
    sorted: true,
    strAbbreviateSize: Infinity,
    trailingComma: true,
  });
}

/** How many equal lines are shown around those that differ. */
const CONTEXT = 3;

/**
 * The lines in which two values differ, between those in which they do not:
 * what is there is marked `-`, what should be there `+`.
 */
export function difference(actual: unknown, expected: unknown): string {
  const isText = typeof actual === "string" && typeof expected === "string";
  const there = (isText ? actual : format(actual)).split("\n");
  const wanted = (isText ? expected : format(expected)).split("\n");

  const head = there.findIndex((line, index) => line !== wanted[index]);
  const start = head < 0 ? there.length : head;
  let tail = 0;
  while (
    tail < Math.min(there.length, wanted.length) - start &&
    there.at(-1 - tail) === wanted.at(-1 - tail)
  ) tail++;

  return [
    "[Diff] - Actual / + Expected",
    "",
    ...(start > CONTEXT ? ["  ..."] : []),
    ...there.slice(Math.max(0, start - CONTEXT), start).map((it) => `  ${it}`),
    ...differentLines(
      there.slice(start, there.length - tail),
      wanted.slice(start, wanted.length - tail),
    ),
    ...there.slice(there.length - tail).slice(0, CONTEXT).map((it) =>
      `  ${it}`
    ),
    ...(tail > CONTEXT ? ["  ..."] : []),
  ].join("\n");
}

/** Pairs the lines of values of the same shape, as most of them are. */
function differentLines(there: string[], wanted: string[]): string[] {
  if (there.length !== wanted.length) {
    return [
      ...there.map((it) => `- ${it}`),
      ...wanted.map((it) => `+ ${it}`),
    ];
  }
  return there.flatMap((line, index) =>
    line === wanted[index] ? [`  ${line}`] : [`- ${line}`, `+ ${wanted[index]}`]
  );
}
