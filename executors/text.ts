/**
 * Values and functions as messages show them: short, on one line, and without
 * running into what a value throws when it is looked at.
 *
 * @module
 */

/** How a received value is shown in a message: short, and never throwing. */
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

/** The most of a name that a message shows. */
const MAX_SHOWN_NAME = 100;

/** The name of a function: what is there may be no text, or a getter that throws. */
export function functionName(fn: { readonly name: unknown }): string {
  try {
    const { name } = fn;
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

/** A name as messages show it: short, on one line, and with nothing that a terminal obeys. */
export function printable(name: string): string {
  return name.slice(0, MAX_SHOWN_NAME).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** The most of a message that another one repeats. */
const MAX_REPEATED = 10_000;

/** What a message ends with that has another error as its cause. */
export function because(cause: unknown): string {
  if (!(cause instanceof Error) || typeof cause.message !== "string") return "";
  return `: ${cause.message.slice(0, MAX_REPEATED)}`;
}

/** What messages call a function. */
export function nameOf(fn: { readonly name: unknown }): string {
  const name = functionName(fn);
  return name === "" ? "(anonymous)" : `'${printable(name)}'`;
}
