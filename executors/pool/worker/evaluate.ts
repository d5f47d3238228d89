/**
 * Making a function again of its source, so that it finds its arguments and
 * globals, and nothing else: neither this library's modules nor the functions
 * that the text is wrapped in.
 *
 * @module
 */

import type { AnyFunction } from "../../task.ts";
import { nameOf } from "../../text.ts";
import { replaceText, sliceText } from "../../runtime/builtins.ts";
import type { EncodedError } from "../wire/codec.ts";

/**
 * The module in which text is evaluated, and so what its `import()` starts
 * from. A data: address has no folder, so a relative address leads nowhere;
 * from a module of this library it would lead into the library. Tasks may put
 * something else in the place of `eval`, so it is looked up once.
 */
const NOWHERE =
  "data:text/javascript,const run = eval; export default (text) => run(text)";

/** Only to see whether text parses, wherever it stood: such functions are made, and never called. */
const Parser = async function* () {}.constructor as FunctionConstructor;

/** White space and comments. */
const TRIVIA = /(?:\s|\/\*[^]*?\*\/|\/\/[^\n\r\u2028\u2029]*)+/y;

/** The name of a method, unless it is computed; or what stands before it. */
const NAME = /[^\s/([*"'`]+|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;

/** What stands before the name of a method, if it is not the name. */
const MODIFIERS: ReadonlySet<string> = new Set(["async", "get", "set"]);

/**
 * How long the computed name of a method may be. Each place where it could end
 * is tried by parsing all that stands before, which is quadratic; this many
 * characters take some tens of milliseconds at worst, and few names have more.
 */
const MAX_COMPUTED_NAME = 2048;

/** What V8 says where an arrow function uses the `this` that {@linkcode evaluate} keeps from it. */
const NO_THIS = "Must call super constructor in derived class";

/** How Deno ends what it says of an address that leads nowhere, if there is an import map. */
const FROM_NOWHERE = ` from "${NOWHERE}"`;

/**
 * The rest of that; 2.4 begins with "Relative". If it is the import of a module
 * that the function imports, more follows.
 */
const NO_ADDRESS =
  /^(?:Import|Relative import path) ".*" not (?:(?! from ").)*$|^invalid URL: relative URL .*$/;

let evaluator: Promise<(text: string) => unknown> | undefined;

/** A worker asks for it as it starts, so that its first function need not wait. */
export function loadEvaluator(): Promise<(text: string) => unknown> {
  return evaluator ??= import(NOWHERE).then((module) => module.default);
}

/**
 * The function with this source.
 *
 * @throws {SyntaxError} If its text needs what was around it: `super`,
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
    // Outside of any function, there is no `new.target` or `super`; and in the
    // field of a class no `arguments`, which scripts look for among globals.
    run(`"use strict"; (${expression})`);
    run(`() => class { field = (${expression}) }`);
    // An arrow function finds `this` here, but a constructor that has not called
    // super() may not touch it. All of a class is strict, as modules are.
    const Place = run(
      `(class extends null { constructor() { return (${expression}) } })\n` +
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
 * The text of a method, a getter or a setter as that of a function without a
 * name; any other text as it is. The name is not evaluated: it may be any
 * expression, with names from outside.
 */
function asFunction(source: string): string {
  let prefix = "";
  let star = "";
  let word = "";
  let at = 0;
  do {
    // A name follows, so this is none.
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

/** Where the parameters begin behind a computed name; the end of the text if that is not found. */
function endOfComputedName(source: string, start: number): number {
  const text = source.slice(start, start + MAX_COMPUTED_NAME);
  for (
    let at = text.indexOf("]");
    at >= 0;
    at = text.indexOf("]", at + 1)
  ) {
    const end = endOf(TRIVIA, text, at + 1);
    // What ends in the middle of a string or a comment would swallow the parameters.
    if (text[end] === "(" && parses(`({${text.slice(0, end)}() {}})`)) {
      return start + end;
    }
  }
  return source.length;
}

/** Where that ends which begins there and is matched by a sticky pattern; there if nothing is. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : start;
}

/** A name that ends neither the comment nor the address that it is put into. */
function addressable(name: string): string {
  return replaceText(sliceText(name, 0, 100), /[^\p{L}\p{N}$_.-]/gu, "_") ||
    "(anonymous)";
}

/** Says why a function that was sent by its source may not find something. */
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
    // Not of a name of its own that it uses too early.
    if (message.endsWith(" is not defined")) return message;
    if (message.startsWith(NO_THIS) && /\bthis\b/.test(source)) {
      // Or a class of its own may be meant.
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

/** What there is to say if a function that was sent by its source misses something. */
function onlyText(name: string): string {
  return `task ${
    nameOf({ name })
  } was sent as text and has only its arguments and globals; ` +
    "export it from a module as task(import.meta, …) to use imports and other names around it";
}
