/**
 * Makes a function again from its source, so that it finds its arguments and
 * globals, and nothing else: neither modules of this library nor the functions
 * that the text is wrapped in.
 *
 * @module
 */

import { replaceText, sliceText } from "../../runtime/builtins.ts";
import type { AnyFunction } from "../../task.ts";
import { nameOf } from "../../text.ts";
import type { EncodedError } from "../wire/codec.ts";

/**
 * The module in which source is evaluated, and to which its `import()` is
 * relative. A data: address has no folder, so a relative address leads nowhere;
 * from a module of this library it would lead into the library. The module looks
 * up `eval` once, as tasks may replace it.
 */
const NOWHERE =
  "data:text/javascript,const run = eval; export default (text) => run(text)";

/** Tells whether text parses, wherever it stood: makes functions that are never called. */
const Parser = async function* () {}.constructor as FunctionConstructor;

/** White space and comments. */
const TRIVIA = /(?:\s|\/\*[^]*?\*\/|\/\/[^\n\r\u2028\u2029]*)+/y;

/** The name of a method, unless the name is computed; or a modifier before it. */
const NAME = /[^\s/([*"'`]+|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;

/** Words that may stand before the name of a method, or be the name. */
const MODIFIERS: ReadonlySet<string> = new Set(["async", "get", "set"]);

/**
 * How many characters the computed name of a method may have. Each place where
 * the name could end is tried by parsing all text before, which is quadratic;
 * so many characters take some tens of milliseconds at worst, and few names have
 * more.
 */
const MAX_COMPUTED_NAME = 2048;

/**
 * The beginning of the error with which {@linkcode evaluate} makes V8 refuse
 * `this` in an arrow function.
 */
const NO_THIS = "Must call super constructor in derived class";

/**
 * What esbuild puts around functions in the source to keep their names, such as
 * in a bundle, and what has to be there for that.
 */
const KEEPS_NAMES = /\b__name\(/;
const KEEP_NAME =
  'const __name = (fn, value) => Object.defineProperty(fn, "name", { value, configurable: true });';

/** The end of Deno's error for an address that leads nowhere, if there is an import map. */
const FROM_NOWHERE = ` from "${NOWHERE}"`;

/**
 * Deno's error for an address that leads nowhere; that of 2.4 begins with
 * "Relative". More text follows if the import is one of a module that the
 * function imports: that is no mistake of the function.
 */
const NO_ADDRESS =
  /^(?:Import|Relative import path) ".*" not (?:(?! from ").)*$|^invalid URL: relative URL .*$/;

let evaluator: Promise<(text: string) => unknown> | undefined;

/**
 * Loads what evaluates source. A worker does so as it starts, so that its first
 * function need not wait.
 */
export function loadEvaluator(): Promise<(text: string) => unknown> {
  return evaluator ??= import(NOWHERE).then((module) => module.default);
}

/**
 * Makes the function with this source.
 *
 * @param source The text of the function.
 * @param name The name of the function, for stack traces and errors.
 * @throws {SyntaxError} If the text needs what was around it: `super`,
 * `import.meta`, private names, and the `arguments` or `new.target` of a
 * function around an arrow function.
 */
export async function evaluate(
  source: string,
  name: string,
): Promise<AnyFunction> {
  const run = await loadEvaluator();
  try {
    const expression = parses(`(${source})`) ? source : asFunction(source);
    // Both of these throw if the text needs what was around it: outside of any
    // function there is no `new.target` or `super`, and in the field of a class
    // no `arguments`, which a script would look for among globals.
    run(`"use strict"; (${expression})`);
    run(`() => class { field = (${expression}) }`);
    // An arrow function takes `this` from here, and fails if it touches that, as
    // in any constructor that has not called super(). All of a class is strict,
    // as modules are.
    const helper = KEEPS_NAMES.test(expression) ? KEEP_NAME : "";
    const Place = run(
      `(class extends null { constructor() { ${helper} return (${expression}) } })\n` +
        `//# sourceURL=task:${addressable(name)}`,
    ) as new () => AnyFunction;
    return new Place();
  } catch (cause) {
    throw new SyntaxError(
      `${(cause as Error).message}: ${onlyText(name)}`,
      { cause },
    );
  }
}

function parses(text: string): boolean {
  try {
    Parser(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Rewrites a method, a getter or a setter as a function without a name; returns
 * any other text as it is. The name is not evaluated: a computed one may be any
 * expression, with names from outside.
 */
function asFunction(source: string): string {
  let prefix = "";
  let star = "";
  let word = "";
  let at = 0;
  do {
    // Another name follows, so this word is a modifier.
    if (word === "async") prefix = "async ";
    if (source[at] === "*") {
      star = "*";
      at = endOf(TRIVIA, source, at + 1);
    }
    if (source[at] === "[") {
      at = endOfComputedName(source, at);
      break;
    }
    const end = endOf(NAME, source, at);
    if (end === at) return source;
    word = source.slice(at, end);
    at = endOf(TRIVIA, source, end);
  } while (source[at] !== "(" && MODIFIERS.has(word));
  if (source[at] !== "(") return source;
  const text = `${prefix}function${star} ${source.slice(at)}`;
  // An arrow function may begin as a method with the name "async" does.
  return prefix === "" && word === "async" && !parses(`(${text})`)
    ? source
    : text;
}

/** Where the parameters begin behind a computed name; the end of the text if they are not found. */
function endOfComputedName(source: string, start: number): number {
  const text = source.slice(start, start + MAX_COMPUTED_NAME);
  for (
    let at = text.indexOf("]");
    at >= 0;
    at = text.indexOf("]", at + 1)
  ) {
    const end = endOf(TRIVIA, text, at + 1);
    // A "]" in a string or a comment of the name is not its end: there the text does not parse.
    if (text[end] === "(" && parses(`({${text.slice(0, end)}() {}})`)) {
      return start + end;
    }
  }
  return source.length;
}

/** Where the match of a sticky pattern ends that begins at `start`; `start` if there is none. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : start;
}

/**
 * The name as it can stand in a `sourceURL` comment, and end neither the
 * comment nor the address.
 */
function addressable(name: string): string {
  return replaceText(sliceText(name, 0, 100), /[^\p{L}\p{N}$_.-]/gu, "_") ||
    "(anonymous)";
}

/**
 * Has an error of a function that travelled as source say so, if the function
 * missed a name, `this` or a module.
 */
export function explain(
  error: EncodedError,
  { source, name }: { readonly source: string; readonly name: string },
): EncodedError {
  if (error.kind !== "error") return error;
  const missing = missingIn(error, source);
  if (missing === undefined) return error;
  return { ...error, message: `${missing}: ${onlyText(name)}` };
}

function missingIn(
  { class: name, message }: Extract<EncodedError, { kind: "error" }>,
  source: string,
): string | undefined {
  if (name === "ReferenceError") {
    // Else the function uses a name of its own too early.
    if (message.endsWith(" is not defined")) return message;
    if (message.startsWith(NO_THIS) && /\bthis\b/.test(source)) {
      // If the function has a class, that may be the one whose constructor is meant.
      return /\bclass\b/.test(source)
        ? message
        : "'this' is not defined in an arrow function";
    }
  }
  if (name === "TypeError") {
    const said = message.endsWith(FROM_NOWHERE)
      ? message.slice(0, -FROM_NOWHERE.length)
      : message;
    if (NO_ADDRESS.test(said)) return said;
  }
}

/** The advice for a function that travelled as source and misses something. */
function onlyText(name: string): string {
  return `task ${
    nameOf({ name })
  } was sent as text and has only its arguments and globals; ` +
    "export it from a module as task(import.meta, …) to use imports and other names around it";
}
