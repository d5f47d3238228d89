/**
 * Options of commands: how each is written, what it means, what it takes.
 * Commands have tables of these, from which options are read, checked, explained
 * and completed.
 *
 * @module
 */

/** The values or operands that a shell completes. */
export type Choices = readonly string[] | "files";

/** One option of a command. */
export interface Option<T> {
  readonly help: string;
  /** The short form, if there is one. */
  readonly letter?: string;
  /** The word for the value in the help; flags have no value. */
  readonly placeholder?: string;
  /** The values that the option takes, for its error. */
  readonly wanted?: string;
  /** All values, or "files", for a shell that completes them. */
  readonly choices?: Choices;
  readonly default: T;
  /** The default as the help shows it; left out for flags. */
  readonly defaultText?: string;
  /** Reads a value; `undefined` if the text makes no sense. */
  read(text: string): T | undefined;
}

/** The options of a command by their names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of the options of a table. */
export type Values<T extends OptionTable> = {
  [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

/** The options of every command. */
export const COMMON_OPTIONS = {
  help: { ...flag("print this text"), letter: "h" },
  version: { ...flag("print the version"), letter: "V" },
};

/** Lets the type of an option follow from its default. */
export function option<T>(option: Option<T>): Option<T> {
  return option;
}

/** An option without a value. */
export function flag(help: string): Option<boolean> {
  return { help, default: false, read: () => true };
}

/** The part of an option that reads integers. */
export function integer(placeholder: string, min: number) {
  return {
    placeholder,
    wanted: `an integer of at least ${min}`,
    read(text: string): number | undefined {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      return Number.isSafeInteger(value) && value >= min ? value : undefined;
    },
  };
}

/** The part of an option that is a number unless told otherwise. */
export function byDefault(value: number) {
  return { default: value, defaultText: String(value) };
}

/** The part of an option that is one of some names, the first unless told otherwise. */
export function choice<T extends string>(
  placeholder: string,
  names: readonly T[],
) {
  return {
    placeholder,
    wanted: names.join(", ").replace(/, ([^,]*)$/, " or $1"),
    choices: names,
    default: names[0]!,
    defaultText: names[0]!,
    read: (text: string): T | undefined => names.find((it) => it === text),
  };
}

/** The part of an option that names a file, and none unless told otherwise. */
export function path(placeholder: string) {
  return {
    placeholder,
    wanted: "the name of a file",
    choices: "files" as const,
    default: undefined,
    read: (text: string): string | undefined => text || undefined,
  };
}
