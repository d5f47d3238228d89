/**
 * Makes lines of results of the function.
 *
 * @module
 */

/**
 * Makes a line of a result. `undefined`, of which JSON has nothing, becomes
 * `null`, as it does in arrays.
 *
 * @param result What the function has returned, or its promise has given.
 * @param raw Whether a string is a line as it is.
 * @returns The line, with its line feed.
 * @throws {TypeError} If nothing would be left of the result.
 */
export function formatResult(result: unknown, raw: boolean): string {
  if (raw && typeof result === "string") return formatText(result);
  const json = JSON.stringify(result);
  if (json === undefined) checkNothing(result);
  if (json === "{}") checkEmpty(result as object);
  return `${json ?? "null"}\n`;
}

function formatText(text: string): string {
  if (text.includes("\n")) {
    throw new TypeError(
      "A result with a line break is no line: write it as JSON, without --raw",
    );
  }
  if (!text.isWellFormed()) {
    throw new TypeError(
      "A result with half a character (a lone surrogate) cannot be written: write it as JSON, without --raw",
    );
  }
  return `${text}\n`;
}

/** Throws if JSON has nothing for a result; `undefined` is a result without a value. */
function checkNothing(result: unknown): void {
  if (typeof result !== "function" && typeof result !== "symbol") return;
  throw new TypeError(
    `The result is a ${typeof result}, of which JSON has nothing: return what is to be written`,
  );
}

/**
 * Throws if JSON finds no fields in an object that keeps its contents elsewhere:
 * in a Map, a generator, an Error, a Response.
 */
function checkEmpty(result: object): void {
  if ("toJSON" in result) return;
  const [, kind = ""] = /^\[object (.*)\]$/.exec(
    Object.prototype.toString.call(result),
  ) ?? [];
  if (isIterator(result)) {
    throw Symbol.asyncIterator in result
      ? emptied(kind, "await Array.fromAsync(it)")
      : emptied(kind, "[...it]");
  }
  if (result instanceof Map) throw emptied(kind, "Object.fromEntries(it)");
  if (result instanceof Set) throw emptied(kind, "[...it]");
  if (kind !== "Object") throw emptied(kind, "what it has");
}

function isIterator(result: object): boolean {
  return "next" in result && typeof result.next === "function" &&
    (Symbol.iterator in result || Symbol.asyncIterator in result);
}

function emptied(kind: string, instead: string): TypeError {
  return new TypeError(
    `The result is {} to JSON, whatever it has, being of the kind ${kind}: return ${instead}`,
  );
}
