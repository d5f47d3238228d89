/**
 * What a function returns, as a line.
 *
 * @module
 */

/**
 * Makes a line of a result. What JSON cannot say at all, such as `undefined`,
 * becomes `null`, as it does in arrays.
 *
 * @param result What the function has returned, or what became of its promise.
 * @param raw Whether a string is a line as it is.
 * @returns The line, with its line feed.
 * @throws {TypeError} If nothing would be left of it.
 */
export function formatResult(result: unknown, raw: boolean): string {
  if (raw && typeof result === "string") return formatText(result);
  if (typeof result === "object" && result !== null) checkObject(result);
  return `${JSON.stringify(result) ?? "null"}\n`;
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

/** To JSON, these are objects with nothing in them. */
function checkObject(result: object): void {
  // Most results.
  if (Array.isArray(result)) return;
  const prototype = Object.getPrototypeOf(result);
  if (prototype === Object.prototype || "toJSON" in result) return;
  if (result instanceof Map) throw emptied("Map", "Object.fromEntries(map)");
  if (result instanceof Set) throw emptied("Set", "[...set]");
  if (isIterator(result)) {
    if (Symbol.asyncIterator in result) {
      throw emptied("async iterator", "await Array.fromAsync(iterator)");
    }
    throw emptied("iterator", "[...iterator]");
  }
}

/** What a generator gives, too. */
function isIterator(result: object): boolean {
  return "next" in result && typeof result.next === "function" &&
    (Symbol.iterator in result || Symbol.asyncIterator in result);
}

function emptied(what: string, instead: string): TypeError {
  return new TypeError(
    `JSON has nothing for the entries of this result (${what}): return ${instead}`,
  );
}
