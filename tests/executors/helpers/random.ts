// Random tests that can be repeated: what a test does follows from its seed.

/** Draws of one seed. */
export interface Random {
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
  /** One of them. */
  pick<T>(choices: readonly T[]): T;
}

/**
 * Runs `run` with the draws of `rounds` seeds. What it throws names the seed,
 * to be given as `first` with one round.
 */
export async function forSeeds(
  rounds: number,
  run: (random: Random) => Promise<void> | void,
  first: number = Math.floor(Math.random() * 2 ** 31),
): Promise<void> {
  for (let seed = first; seed < first + rounds; seed++) {
    try {
      await run(randomOf(seed));
    } catch (cause) {
      throw new Error(`With seed ${seed}: ${cause}`, { cause });
    }
    // V8 keeps what a WeakRef was made of until the event loop turns, which a
    // model of time may never do: thousands of runs would take all memory.
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
}

/** The draws of a seed. Mulberry32: short, and good enough for this. */
export function randomOf(seed: number): Random {
  let state = seed;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) % limit);
  };
  return { below, pick: (choices) => choices[below(choices.length)]! };
}
