/**
 * Option `retry`: how often a call that has failed is tried again, and when. The
 * names, and what they mean, are those of `retry()` in `@std/async`; only that
 * nothing is waited for unless asked.
 *
 * @module
 */

import {
  checkCount,
  checkDuration,
  checkFunction,
  checkNumber,
  checkOptions,
} from "../arguments.ts";
import { show } from "../text.ts";

/** How a task is tried again: option `retry` of {@linkcode Executor.submitWith} and {@linkcode Executor.map}. */
export interface RetryOptions {
  /**
   * How often the task is tried at most, an integer of at least 1, or `Infinity`.
   *
   * @default {3}
   */
  maxAttempts?: number;
  /**
   * How long to wait before the second attempt, in milliseconds.
   *
   * @default {0}
   */
  minTimeout?: number;
  /**
   * How long to wait before an attempt at most, in milliseconds.
   *
   * @default {60_000}
   */
  maxTimeout?: number;
  /**
   * How many times as long each wait is as the one before, at least 1.
   *
   * @default {2}
   */
  multiplier?: number;
  /**
   * The part of each wait that is left to chance, from 0 to 1: with 1, a wait is
   * anything from nothing to the whole.
   *
   * @default {0}
   */
  jitter?: number;
  /**
   * Whether the task is to be tried again after an error; not asked after the
   * last attempt. What it throws becomes the error of the task.
   *
   * @default {() => true}
   */
  isRetriable?: (error: unknown) => boolean;
}

/** {@linkcode RetryOptions}, checked. */
export type Retry =
  & Required<Omit<RetryOptions, "isRetriable">>
  & Pick<RetryOptions, "isRetriable">;

/**
 * Checks the option.
 *
 * @param retry What the user gave: options, or a number of attempts.
 * @returns The options, with defaults; `undefined` for one attempt.
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkRetry(
  retry: RetryOptions | number | undefined,
): Retry | undefined {
  if (retry === undefined) return undefined;
  if (
    typeof retry !== "number" && (retry === null || typeof retry !== "object")
  ) {
    throw new TypeError(
      `'retry' must be options or a number of attempts: received ${
        show(retry)
      }`,
    );
  }
  const options = typeof retry === "number" ? { maxAttempts: retry } : retry;
  const { maxAttempts, minTimeout, maxTimeout, multiplier, jitter } =
    checkOptions(options);
  const { isRetriable } = options as RetryOptions;
  const checked = {
    maxAttempts: checkCount(
      typeof retry === "number" ? "retry" : "retry.maxAttempts",
      maxAttempts,
      3,
      { unbounded: true },
    ),
    minTimeout: checkDuration("retry.minTimeout", minTimeout, 0),
    maxTimeout: checkDuration("retry.maxTimeout", maxTimeout, 60_000),
    multiplier: checkBetween("retry.multiplier", multiplier, 1, Infinity, 2),
    jitter: checkBetween("retry.jitter", jitter, 0, 1, 0),
  };
  if (checked.minTimeout > checked.maxTimeout) {
    throw new RangeError(
      `'retry.minTimeout' must be at most 'retry.maxTimeout', ${checked.maxTimeout}: received ${checked.minTimeout}`,
    );
  }
  if (isRetriable === undefined) return checked;
  checkFunction("retry.isRetriable", isRetriable);
  return { ...checked, isRetriable };
}

function checkBetween(
  name: string,
  value: number | undefined,
  least: number,
  most: number,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  const wanted = most === Infinity
    ? `at least ${least}`
    : `from ${least} to ${most}`;
  checkNumber(name, value, `a number ${wanted}`);
  if (value >= least && value <= most) return value;
  throw new RangeError(`'${name}' must be ${wanted}: received ${value}`);
}

/**
 * How long to wait before the next attempt, in milliseconds.
 *
 * @param retry The options.
 * @param attempt The number of the attempt that has failed, from 1 on.
 */
export function waitAfter(
  { minTimeout, maxTimeout, multiplier, jitter }: Retry,
  attempt: number,
): number {
  // What is 0 stays so, however often; zero times infinity would be none.
  if (minTimeout === 0) return 0;
  const wait = Math.min(maxTimeout, minTimeout * multiplier ** (attempt - 1));
  return wait * (1 - jitter * Math.random());
}
