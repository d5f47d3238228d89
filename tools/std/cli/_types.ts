// The types of the stand-in for @std/cli/parse-args: from the names in the
// options follow the names and types in the result.

/** One name or several. */
export type Names<T extends string> = T | readonly T[];

/** Options for {@linkcode parseArgs}. */
export interface ParseOptions<
  TBooleans extends string = string,
  TStrings extends string = string,
  TCollectable extends string = string,
  TNegatable extends string = string,
  TDefaults extends Record<string, unknown> = Record<string, unknown>,
  TAliases extends Record<string, Names<string>> = Record<
    string,
    Names<string>
  >,
  TDoubleDash extends boolean = boolean,
> {
  /**
   * Whether what follows `--` goes to `"--"` instead of `_`.
   *
   * @default {false}
   */
  "--"?: TDoubleDash;
  /**
   * Further names of an option.
   *
   * @default {{}}
   */
  alias?: TAliases;
  /**
   * Names of flags, which take no value and are `false` when not given. `true`:
   * every `--name` without `=` is one.
   *
   * @default {false}
   */
  boolean?: boolean | Names<TBooleans>;
  /**
   * Values of options that are not given.
   *
   * @default {{}}
   */
  default?: TDefaults;
  /**
   * Whether everything after the first argument that is no option goes to `_`.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /**
   * Names of options whose values stay text even if they look like numbers.
   *
   * @default {[]}
   */
  string?: Names<TStrings>;
  /**
   * Names of options that can be given several times: their values are a list.
   *
   * @default {[]}
   */
  collect?: Names<TCollectable>;
  /**
   * Names of options that `--no-name` makes `false`.
   *
   * @default {[]}
   */
  negatable?: Names<TNegatable>;
  /**
   * Called with each argument that is not declared: the argument, and of options
   * the name and the value. If it returns `false`, the argument is left out.
   *
   * @default {none}
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns. */
export type Args<
  // deno-lint-ignore no-explicit-any
  TArgs extends Record<string, unknown> = Record<string, any>,
  TDoubleDash extends boolean = boolean,
> =
  & TArgs
  & {
    /** The arguments that are no options. */
    _: (string | number)[];
  }
  & ([TDoubleDash] extends [true] ? { "--": string[] }
    // deno-lint-ignore ban-types
    : [TDoubleDash] extends [false] ? {}
    : { "--"?: string[] });

/** The options by name; anything may be there if no name is declared. */
export type Values<
  TBooleans extends string,
  TStrings extends string,
  TCollectable extends string,
  TNegatable extends string,
  TDefaults extends Record<string, unknown>,
  TAliases extends Record<string, Names<string>>,
> = [TBooleans | TStrings | TCollectable] extends [never]
  // deno-lint-ignore no-explicit-any
  ? Record<string, any>
  :
    & Record<string, unknown>
    & WithAliases<
      & {
        [K in TBooleans | TCollectable | Extract<keyof TDefaults, string>]:
          // What is not declared can be given as anything.
          | Value<K, TBooleans, TStrings, TCollectable, TNegatable>
          | (K extends keyof TDefaults ? TDefaults[K] : never);
      }
      & {
        [
          K in Exclude<
            TStrings,
            TBooleans | TCollectable | keyof TDefaults
          >
        ]?: Value<K, TBooleans, TStrings, TCollectable, TNegatable>;
      },
      TAliases
    >;

/** What an option can be if it is given. */
type Value<
  K extends string,
  TBooleans extends string,
  TStrings extends string,
  TCollectable extends string,
  TNegatable extends string,
> =
  | (K extends TCollectable ? Item<K, TBooleans, TStrings>[]
    : Item<K, TBooleans, TStrings>)
  | (K extends TNegatable ? false : never);

type Item<
  K extends string,
  TBooleans extends string,
  TStrings extends string,
> = K extends TBooleans ? boolean : K extends TStrings ? string : unknown;

type WithAliases<T, TAliases extends Record<string, Names<string>>> = {
  [K in keyof T as K extends keyof TAliases ? K | NameIn<TAliases[K]> : K]:
    T[K];
};

type NameIn<T extends Names<string>> = T extends readonly string[] ? T[number]
  : T;
