// Stand-in for @std/cli/parse-args, used only where JSR does not answer. It
// reads arguments by the documented rules, the ones of minimist, of which
// node:util's parseArgs() has others: there an option is a flag until it is
// declared, here it takes the next argument. Names with dots stay plain names.

import type { Args, Names, ParseOptions, Values } from "./_types.ts";

export type { Args, ParseOptions } from "./_types.ts";

/** What was parsed so far, by name. */
type Parsed = Record<string, unknown> & { _: (string | number)[] };

/**
 * Parses command line arguments: `--name value`, `--name=value`, `--flag`,
 * `-n value`, `-abc`, and the rest, which is in `_`.
 *
 * @param args The arguments, such as `Deno.args`.
 * @param options Which names there are and how their values are read.
 * @returns The values by name.
 */
export function parseArgs<
  TBooleans extends string = never,
  TStrings extends string = never,
  TCollectable extends string = never,
  TNegatable extends string = never,
  // deno-lint-ignore ban-types
  TDefaults extends Record<string, unknown> = {},
  // deno-lint-ignore ban-types
  const TAliases extends Record<string, Names<string>> = {},
  TDoubleDash extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<
    TBooleans,
    TStrings,
    TCollectable,
    TNegatable,
    TDefaults,
    TAliases,
    TDoubleDash
  > = {},
): Args<
  Values<
    TBooleans,
    TStrings,
    TCollectable,
    TNegatable,
    TDefaults,
    TAliases
  >,
  TDoubleDash
> {
  return new Parser(options as ParseOptions).parse(args) as Args<
    Values<
      TBooleans,
      TStrings,
      TCollectable,
      TNegatable,
      TDefaults,
      TAliases
    >,
    TDoubleDash
  >;
}

class Parser {
  /** Every name that has others, with all names of the same option. */
  #aliases = new Map<string, string[]>();
  #booleans: Set<string>;
  #strings: Set<string>;
  #collectable: Set<string>;
  #negatable: Set<string>;
  #options: ParseOptions;
  #parsed: Parsed = { _: [] };

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const all = [name, ...list(others)];
      for (const it of all) this.#aliases.set(it, all);
    }
    const { boolean } = options;
    this.#booleans = this.#withAliases(
      typeof boolean === "boolean" ? [] : boolean,
    );
    this.#strings = this.#withAliases(options.string);
    this.#collectable = this.#withAliases(options.collect);
    this.#negatable = this.#withAliases(options.negatable);
  }

  parse(args: readonly string[]): Parsed {
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    const queue = args.slice(0, end);
    const rest = args.slice(end + 1);
    for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
      if (/^--./.test(arg)) {
        this.#readLong(arg, queue);
      } else if (/^-./.test(arg)) {
        this.#readShort(arg, queue);
      } else {
        if (this.#options.unknown?.(arg) !== false) {
          this.#parsed._.push(this.#strings.has("_") ? arg : number(arg));
        }
        if (this.#options.stopEarly) this.#parsed._.push(...queue.splice(0));
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.#parsed["--"] = rest;
    else this.#parsed._.push(...rest);
    return this.#parsed;
  }

  /** `--name`, `--name value`, `--name=value`, `--no-name` */
  #readLong(arg: string, queue: string[]): void {
    const [name, value] = split(arg.slice(2));
    if (value !== undefined) {
      this.#set(
        name,
        this.#booleans.has(name) ? value !== "false" : value,
        arg,
      );
    } else if (
      name.startsWith("no-") && this.#negatable.has(name.slice(3))
    ) {
      this.#set(name.slice(3), false, arg, false);
    } else {
      this.#set(name, this.#next(name, arg, queue), arg);
    }
  }

  /** `-n`, `-n value`, `-n5`, `-n=value`, `-abc` */
  #readShort(arg: string, queue: string[]): void {
    for (let index = 1; index < arg.length; index++) {
      const name = arg.charAt(index);
      const rest = arg.slice(index + 1);
      if (rest === "") {
        this.#set(name, this.#next(name, arg, queue), arg);
      } else if (/^\W/.test(rest) || /[a-z]\d+(\.\d*)?$/i.test(name + rest)) {
        this.#set(name, rest.replace(/^=/, ""), arg);
        return;
      } else {
        this.#set(name, this.#strings.has(name) ? "" : true, arg);
      }
    }
  }

  /** The value of an option that has none in its own argument. */
  #next(name: string, arg: string, queue: string[]): string | boolean {
    const isLong = arg.startsWith("--");
    const isFlag = this.#booleans.has(name) ||
      isLong && this.#options.boolean === true;
    const next = queue[0] ?? "";
    if (isFlag && (next === "true" || next === "false")) {
      return queue.shift() === "true";
    }
    // A lone hyphen, which often stands for stdin, is a value of short options.
    if (!isFlag && next && !(isLong ? /^-/ : /^--?[^-]/).test(next)) {
      queue.shift();
      return next;
    }
    return this.#strings.has(name) ? "" : true;
  }

  #set(
    name: string,
    value: string | boolean,
    arg: string,
    isCollected = true,
  ): void {
    const isKnown = [
      this.#booleans,
      this.#strings,
      this.#collectable,
      this.#aliases,
    ].some((names) => names.has(name)) ||
      this.#options.boolean === true && /^--[^=]+$/.test(arg);
    const { unknown } = this.#options;
    if (!isKnown && unknown?.(arg, name, value) === false) return;
    const read = typeof value === "boolean" || this.#strings.has(name)
      ? value
      : number(value);
    for (const it of this.#aliases.get(name) ?? [name]) {
      const before = this.#parsed[it];
      this.#parsed[it] = !isCollected || !this.#collectable.has(it)
        ? read
        : Array.isArray(before)
        ? [...before, read]
        : [read];
    }
  }

  /** What options are that were not given. */
  #fillIn(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (Object.hasOwn(this.#parsed, name)) continue;
      for (const it of this.#aliases.get(name) ?? [name]) {
        this.#parsed[it] = value;
      }
    }
    for (const name of this.#booleans) {
      if (Object.hasOwn(this.#parsed, name)) continue;
      this.#parsed[name] = this.#collectable.has(name) ? [] : false;
    }
    for (const name of this.#strings) {
      if (this.#collectable.has(name)) this.#parsed[name] ??= [];
    }
  }

  #withAliases(names: Names<string> | undefined): Set<string> {
    return new Set(
      list(names ?? []).flatMap((it) => this.#aliases.get(it) ?? [it]),
    );
  }
}

function list(names: Names<string>): readonly string[] {
  return typeof names === "string" ? [names] : names;
}

/** `--name=a=b` is "a=b" for "name". */
function split(text: string): [name: string, value: string | undefined] {
  const index = text.indexOf("=");
  return index < 0
    ? [text, undefined]
    : [text.slice(0, index), text.slice(index + 1)];
}

/** The number that a text looks like, or the text. */
function number(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text))
    ? Number(text)
    : text;
}
