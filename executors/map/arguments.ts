/**
 * The arguments of `map()` and `forEach()`: inputs, and then options, if the last
 * is no input.
 *
 * @module
 */

import { show } from "../text.ts";
import { howToIterate, type Source, sourceOf } from "./inputs.ts";
import {
  checkForEachOptions,
  checkMapOptions,
  type MapOptions,
  type MapSettings,
} from "./options.ts";

/** What is checked of them. */
export interface MapArguments {
  readonly inputs: Source[];
  readonly settings: MapSettings;
}

/**
 * Checks the arguments behind the function.
 *
 * @param method Which method they are of.
 * @param rest The arguments.
 * @throws {TypeError} If an argument or an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkMapArguments(
  method: "map" | "forEach",
  rest: unknown[],
): MapArguments {
  const sources = rest.map(sourceOf);
  const options = areOptions(rest, sources.at(-1))
    ? rest.pop() as MapOptions | undefined
    : undefined;
  const settings = method === "map"
    ? checkMapOptions(options)
    : checkForEachOptions(options);
  const inputs = rest.map((input, i) => {
    const source = sources[i];
    if (source !== undefined) return source;
    const hint = howToIterate(input);
    throw new TypeError(
      `Input ${i + 1} of ${method}() must be iterable: received ${show(input)}${
        hint === undefined ? "" : `; ${hint}`
      }`,
    );
  });
  return { inputs, settings };
}

/** Whether the last of the arguments holds options. */
function areOptions(rest: unknown[], source: Source | undefined): boolean {
  const last = rest.at(-1);
  // map(fn, undefined) is a missing input rather than missing options.
  if (last === undefined) return rest.length > 1;
  // A promise, an iterator or an array-like is an input that was meant.
  return typeof last === "object" && last !== null && source === undefined &&
    howToIterate(last) === undefined;
}
