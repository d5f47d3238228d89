/**
 * Shows values and functions in messages: short, on one line, and never throwing
 * when a value throws as it is looked at.
 *
 * @module
 */

/** A value as messages show it. */
export function show(value: unknown): string {
  try {
    if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
    if (typeof value === "function") {
      return `function ${printable(functionName(value)) || "(anonymous)"}`;
    }
    return Deno.inspect(value, { depth: 0 }).slice(0, 80);
  } catch {
    return typeof value;
  }
}

/** How many characters of a name a message shows at most. */
const MAX_SHOWN_NAME = 100;

/** The name of a function; empty if its `name` is no text, or a getter that throws. */
export function functionName(fn: { readonly name: unknown }): string {
  try {
    const { name } = fn;
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

/** A name as messages show it: short, on one line, and without characters that a terminal obeys. */
export function printable(name: string): string {
  return name.slice(0, MAX_SHOWN_NAME).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** How many characters of the message of its cause another message repeats at most. */
const MAX_REPEATED = 10_000;

/** The end of a message of an error that has another as its cause. */
export function because(cause: unknown): string {
  if (!(cause instanceof Error) || typeof cause.message !== "string") return "";
  return `: ${cause.message.slice(0, MAX_REPEATED)}`;
}

/** The name of a function as messages show it, in quotes. */
export function nameOf(fn: { readonly name: unknown }): string {
  const name = functionName(fn);
  return name === "" ? "(anonymous)" : `'${printable(name)}'`;
}
