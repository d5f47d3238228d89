/**
 * The data and the task of the scientist benchmark, and nothing else, as workers
 * load this module.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { task } from "../../mod.ts";

/** One record, which nobody changes, so that everybody may read it at the same time. */
export interface Scientist {
  readonly name: string;
  readonly field: "math" | "physics" | "chemistry" | "astronomy";
  readonly born: number;
  readonly nobel: boolean;
}

/** The result of {@linkcode transform} for a record. */
export interface Aged {
  readonly name: string;
  readonly age: number;
}

/** The kind of work on a record, on which the choice of the executor depends. */
export type WorkKind = "wait" | "compute";

/** Options of {@linkcode transform}. */
export interface TransformOptions {
  /**
   * Whether a record waits or keeps a core busy.
   *
   * @default {"wait"}
   */
  kind?: WorkKind;
  /**
   * How long a record waits, in milliseconds.
   *
   * @default {1000}
   */
  delayMs?: number;
  /**
   * How many multiplications a record takes.
   *
   * @default {800_000_000}
   */
  work?: number;
  /**
   * The year in which the ages are told.
   *
   * @default {2017}
   */
  year?: number;
  /**
   * Whether to say nothing.
   *
   * @default {false}
   */
  quiet?: boolean;
  /**
   * Whether a worker is called by its process.
   *
   * @default {false}
   */
  inProcess?: boolean;
  /**
   * The beginning of each line that is said.
   *
   * @default {""}
   */
  lineStart?: string;
}

/** How long a record waits by default, in milliseconds. */
export const DEFAULT_DELAY_MS = 1000;

/**
 * How many multiplications a record takes by default: about a second of a core,
 * since each has to wait four cycles for the one before.
 */
export const DEFAULT_WORK = 800_000_000;

/** A year that has passed, so that the results are the same for ever. */
export const DEFAULT_YEAR = 2017;

/** The records. */
export const SCIENTISTS: readonly Scientist[] = Object.freeze([
  scientist("Ada Lovelace", "math", 1815, false),
  scientist("Emmy Noether", "math", 1882, false),
  scientist("Marie Curie", "physics", 1867, true),
  scientist("Tu Youyou", "chemistry", 1930, true),
  scientist("Ada Yonath", "chemistry", 1939, true),
  scientist("Vera Rubin", "astronomy", 1928, false),
  scientist("Sally Ride", "physics", 1951, false),
]);

/**
 * Makes as many records as wanted: beyond the seven they come again, with a
 * number behind the name.
 *
 * @param count How many.
 * @returns The records, frozen like {@linkcode SCIENTISTS}.
 */
export function takeScientists(count: number): readonly Scientist[] {
  const records: Scientist[] = [];
  for (let round = 1; records.length < count; round++) {
    for (const record of SCIENTISTS.slice(0, count - records.length)) {
      const name = round === 1 ? record.name : `${record.name} ${round}`;
      records.push(Object.freeze({ ...record, name }));
    }
  }
  return Object.freeze(records);
}

/**
 * The function that is mapped over the records: says which worker works on which
 * record, works, says that the record is done. Speaks on the standard error
 * stream, so that the standard output has the report alone.
 */
export const transform: (
  scientist: Scientist,
  options?: TransformOptions,
) => Aged | Promise<Aged> = task(
  import.meta,
  function transform(
    { name, born }: Scientist,
    {
      kind = "wait",
      delayMs = DEFAULT_DELAY_MS,
      work = DEFAULT_WORK,
      year = DEFAULT_YEAR,
      quiet = false,
      lineStart = "",
      inProcess = false,
    }: TransformOptions = {},
  ): Aged | Promise<Aged> {
    const who = inProcess ? `Process ${Deno.pid}` : self.name || "main";
    say("works on");
    if (kind === "wait") return delay(delayMs).then(finish);
    compute(work);
    return finish();

    function finish(): Aged {
      say("is done with");
      return { name, age: year - born };
    }

    function say(what: string) {
      if (!quiet) console.error(`${lineStart}${who} ${what} ${name}`);
    }
  },
);

function scientist(
  name: string,
  field: Scientist["field"],
  born: number,
  nobel: boolean,
): Scientist {
  return Object.freeze({ name, field, born, nobel });
}

/**
 * Keeps a core busy: e as the limit of compound interest, one multiplication
 * after the other.
 *
 * The work is a count of operations and not a time, so that every executor has
 * the same to do. A chain in which each step needs the one before takes equally
 * long on two threads of one core, is compiled within milliseconds in a fresh
 * worker, and cannot be shortened by a compiler, as the result is looked at.
 */
function compute(steps: number): void {
  const factor = 1 + 1 / steps;
  let product = 1;
  for (let step = 0; step < steps; step++) product *= factor;
  // After so many steps, e / 2 / steps is missing to the limit; the rest is for rounding.
  const tolerance = 2 / steps + 3 * steps * Number.EPSILON;
  if (Math.abs(product - Math.E) > tolerance) {
    throw new Error(`Cannot compute e in ${steps} steps: received ${product}`);
  }
}
