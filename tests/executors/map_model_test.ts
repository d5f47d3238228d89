// map() does what a loop does, whatever its options and inputs are.

import { assert, assertEquals } from "@std/assert";
import { behaviour, settle } from "./helpers/harness.ts";
import { NotedAsyncInput, NotedInput } from "./helpers/noted_input.ts";
import { forSeeds } from "./helpers/random.ts";

/** Fails for one number, and takes its time for some. */
const work = (n: number, failAt: number) => {
  if (n === failAt) throw new RangeError(`${n}`);
  return n % 5 === 0
    ? new Promise<number>((resolve) => setTimeout(() => resolve(-n), 0))
    : -n;
};

function* repeat(value: number): Generator<number> {
  while (true) yield value;
}

behaviour(
  "map() agrees with a loop over random inputs, options and readers",
  async ({ make }) => {
    const executor = make({ maxWorkers: 2 });
    await forSeeds(60, async (random) => {
      const length = random.below(60);
      const fails = random.below(3) === 0;
      const failAt = fails ? random.below(60) : -1;
      const inputFailsAt = random.below(4) === 0 ? random.below(60) : undefined;
      const Input = random.pick([NotedInput, NotedAsyncInput]);
      const bufferSize = random.pick([1, 2, 10, 1000, Infinity]);
      const options = {
        bufferSize,
        ordered: random.below(3) > 0,
        ...(random.below(2) === 0 && { chunkSize: 1 + random.below(20) }),
      };
      const input = new Input(length, inputFailsAt);
      const notes = input instanceof NotedInput ? input : input.sync;
      const results = executor.map(work, input, repeat(failAt), options);

      // What a loop would give, and where it would end with an error.
      const errorAt = Math.min(
        length,
        failAt >= 0 ? failAt : Infinity,
        inputFailsAt ?? Infinity,
      );
      const expected = Array.from({ length: errorAt }, (_, n) => -n);
      const throws = errorAt < length;

      const read: number[] = [];
      let mostUnread = 0;
      let error: unknown;
      try {
        for (let reads = random.below(20); reads > 0; reads--) {
          const { done, value } = await results.next();
          if (done) break;
          read.push(value);
          mostUnread = Math.max(mostUnread, notes.pulled - read.length);
        }
        read.push(...await results);
      } catch (thrown) {
        error = thrown;
      }
      assertEquals(await results.next(), { done: true, value: undefined });
      assert(mostUnread <= bufferSize, `${mostUnread} were unread`);
      const endsAsExpected = throws
        ? error instanceof RangeError
        : error === undefined;
      assert(endsAsExpected, `It ended with ${error}`);
      if (options.ordered) {
        // An array that rejects keeps what it had collected to itself.
        assertEquals(read, throws ? expected.slice(0, read.length) : expected);
      } else if (!throws) {
        assertEquals(read.toSorted((a, b) => b - a), expected);
      }
    });
    // An async input that was left behind may still have to answer.
    await settle();
  },
);
