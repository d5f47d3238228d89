/**
 * Tells of maps that nobody has read: such a map calls its function with as many
 * inputs as there is room for, and with no more, which is easily overlooked.
 *
 * @module
 */

/** What is known of a map that nobody has read; the map itself may be out of memory by now. */
export interface UnreadMap {
  /** What its function is called. */
  readonly name: string;
  /** How many of its calls have ended. */
  readonly counts: { readonly done: number };
  /** How many inputs were pulled. */
  pulled: number;
  /** How many there are, if that is known. */
  readonly total: number | undefined;
}

/** Warns of each map that is not known to have pulled its whole input. */
export function warnOfUnread(maps: Iterable<UnreadMap>): void {
  for (const { name, counts: { done }, pulled, total = Infinity } of maps) {
    if (pulled >= total) continue;
    console.warn(
      `map() of ${name} was not read: ${done} of its calls ran, and no more of its input was pulled; read its results, or use forEach()`,
    );
  }
}
