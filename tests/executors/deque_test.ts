// The queue behind everything that waits its turn.

import { assertEquals } from "@std/assert";
import { Deque } from "../../executors/runtime/deque.ts";
import { runProgram } from "./helpers/harness.ts";
import { forSeeds } from "./helpers/random.ts";

/** From so many places on, an emptied queue gives them back. */
const LARGE = 4096;

Deno.test("Deque does what an array does, whatever is done to it", async () => {
  await forSeeds(200, ({ below, pick }) => {
    const deque = new Deque<number>();
    const array: number[] = [];
    // Some grow, some shrink, some stay as they are.
    const growth = pick([1, 4, 8]);
    for (let step = 0; step < 3000; step++) {
      switch (below(10 + growth)) {
        case 0:
        case 1:
        case 2:
          assertEquals(deque.shift(), array.shift());
          break;
        case 3:
          assertEquals(deque.peek(), array[0]);
          break;
        case 4:
        case 5:
          deque.unshift(step);
          array.unshift(step);
          break;
        case 6:
          if (below(100) > 0) break;
          deque.clear();
          array.length = 0;
          break;
        case 7:
          if (below(20) === 0) assertEquals([...deque], array);
          break;
        default:
          deque.push(step);
          array.push(step);
      }
      assertEquals(deque.length, array.length);
    }
    while (array.length > 0) assertEquals(deque.shift(), array.shift());
    assertEquals(deque.shift(), undefined);
    assertEquals([deque.peek(), deque.length], [undefined, 0]);
  });
});

Deno.test("Deque keeps the order when it grows with its first element anywhere", () => {
  for (let start = 0; start < 40; start++) {
    const deque = new Deque<number>();
    for (let i = 0; i < start; i++) {
      deque.push(i);
      deque.shift();
    }
    for (let i = 1; i <= 100; i++) {
      deque.push(i);
      deque.unshift(-i);
    }
    const numbers = Array.from({ length: 201 }, (_, i) => i - 100);
    assertEquals([...deque], numbers.filter((i) => i !== 0));
  }
});

Deno.test("Deque is used again after a burst has been emptied", () => {
  const deque = new Deque<number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2 * LARGE; i++) deque.push(i);
    for (let i = 0; i < 2 * LARGE; i++) assertEquals(deque.shift(), i);
    assertEquals([deque.length, [...deque]], [0, []]);
  }
});

Deno.test("Deque holds undefined like any element", () => {
  const deque = new Deque<number | undefined>();
  deque.push(undefined);
  deque.push(1);
  assertEquals([deque.length, [...deque]], [2, [undefined, 1]]);
  assertEquals([deque.shift(), deque.length], [undefined, 1]);
});

Deno.test("Deque shows what is added while it is iterated, and ends with what is left", () => {
  const deque = new Deque<number>();
  for (let i = 0; i < 3; i++) deque.push(i);
  const seen: number[] = [];
  for (const i of deque) {
    seen.push(i);
    // So many that it grows meanwhile.
    if (i < 20) deque.push(i + 3);
  }
  assertEquals(seen, Array.from({ length: 23 }, (_, i) => i));
  for (const _ of deque) deque.clear();
  assertEquals(deque.length, 0);
});

Deno.test("Deque of which another iterates takes elements away without harm", () => {
  const deque = new Deque<number>();
  for (let i = 0; i < 10; i++) deque.push(i);
  const seen: number[] = [];
  for (const i of deque) {
    seen.push(i);
    deque.shift();
  }
  // Each that was taken away moved the others forward by one.
  assertEquals(seen, [0, 2, 4, 6, 8]);
  assertEquals([...deque], [5, 6, 7, 8, 9]);
});

Deno.test("Deque keeps nothing of what was shifted or cleared", async () => {
  const { href } = new URL("../../executors/runtime/deque.ts", import.meta.url);
  const output = await runProgram(
    `
    const { Deque } = await import("${href}");
    const deque = new Deque();
    function fill() {
      const refs = [];
      for (let i = 0; i < 100; i++) {
        const element = { i };
        refs.push(new WeakRef(element));
        if (i % 2 === 0) deque.push(element);
        else deque.unshift(element);
      }
      return refs;
    }
    async function kept(refs, most) {
      const live = () => refs.filter((ref) => ref.deref()).length;
      for (let round = 0; round < 200 && live() > most; round++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
      }
      return live();
    }
    let refs = fill();
    for (let i = 0; i < 99; i++) deque.shift();
    console.log(await kept(refs, 1), deque.length);
    refs = fill();
    deque.clear();
    console.log(await kept(refs, 0), deque.length);
    `,
    ["--v8-flags=--expose-gc"],
  );
  assertEquals(output, "1 1\n0 0\n");
});
