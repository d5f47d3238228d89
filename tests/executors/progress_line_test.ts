// The line of a bar, from figures and times that are known.

import { assert, assertEquals } from "@std/assert";
import { formatEnd, formatProgress } from "../../executors/progress/format.ts";
import { Pace } from "../../executors/progress/pace.ts";

const progress = (done: number, part?: number) => ({
  done,
  failed: 0,
  total: undefined,
  part,
});

/** A pace that was noted every second. */
function paceOf(parts: readonly number[]): Pace {
  const pace = new Pace(0);
  for (const [second, part] of parts.entries()) {
    pace.note(progress(second, part), 1000 * second);
  }
  return pace;
}

const left = (pace: Pace, seconds: number) =>
  /[^,]* left/.exec(
    formatProgress(progress(1), pace.at(1000 * seconds), Infinity),
  )?.[0].trim();

Deno.test("Pace tells the time that is left from how fast it was of late", () => {
  assertEquals(left(paceOf([0, 0.1, 0.2, 0.3, 0.4, 0.5]), 5), "5.0 s left");
  assertEquals(left(paceOf([0, 0.01]), 1), "1 min 39 s left");
  assertEquals(left(paceOf([0, 0.00001]), 1), "27 h 46 min left");
});

Deno.test("Pace forgets how fast it was long ago", () => {
  const pace = new Pace(0);
  // 1000 in a second, then one in a second.
  for (let s = 0; s <= 10; s++) pace.note(progress(1000 * s), 1000 * s);
  assertEquals(pace.at(10_000).rate, 1000);
  for (let s = 11; s <= 30; s++) pace.note(progress(9990 + s), 1000 * s);
  assertEquals(pace.at(30_000).rate, 1);
});

Deno.test("Pace looks back at some calls, however slow they are", () => {
  const pace = new Pace(0);
  for (let i = 0; i <= 20; i++) pace.note(progress(i, i / 40), 60_000 * i);
  const { rate, left } = pace.at(20 * 60_000);
  assertEquals(rate, 1 / 60);
  assertEquals(Math.round(left!), 20 * 60);
});

Deno.test("Pace gets slower while nothing ends", () => {
  const pace = paceOf([0, 0.1, 0.2]);
  assertEquals(pace.at(2000).rate, 1);
  assertEquals(pace.at(20_000).rate, 0.1);
});

Deno.test("Pace counts nothing that was done before", () => {
  const pace = new Pace(0);
  pace.note(progress(0, 0.5), 3000);
  pace.note(progress(10, 0.75), 13_000);
  assertEquals(left(pace, 13), "10 s left");
  assertEquals(pace.at(13_000).rate, 1);
});

Deno.test("Pace counts the time before the first has ended", () => {
  const pace = new Pace(0);
  for (let ms = 0; ms < 2000; ms += 100) pace.note(progress(0, 0), ms);
  pace.note(progress(1, 0.1), 2000);
  assertEquals(pace.at(2000).rate, 0.5);
  assertEquals(left(pace, 2), "18 s left");
});

Deno.test("Pace says nothing that nobody knows", () => {
  assertEquals(left(new Pace(0), 10), undefined);
  const pace = new Pace(0);
  pace.note(progress(1, 0.5), 500);
  assertEquals(left(pace, 0.5), undefined);
  assertEquals(pace.at(0).rate, 0);
});

const SPEED = { seconds: 75, rate: 1234.5, left: 65 };

Deno.test("formatProgress() leaves out what does not fit, the last words first", () => {
  const half = { done: 1000, failed: 3, total: 2000, part: 0.5 };
  const line = (columns: number) =>
    formatProgress(half, SPEED, columns, { label: "Label" });
  assertEquals(
    line(100),
    "[==========>         ] Label: 1,000 of 2,000 done, 3 failed, 50 %, 1 min 05 s left, 1,235/s",
  );
  assertEquals(
    line(82),
    "[=====>    ] Label: 1,000 of 2,000 done, 3 failed, 50 %, 1 min 05 s left, 1,235/s",
  );
  assertEquals(
    line(70),
    "Label: 1,000 of 2,000 done, 3 failed, 50 %, 1 min 05 s left, 1,235/s",
  );
  assertEquals(
    line(68),
    "Label: 1,000 of 2,000 done, 3 failed, 50 %, 1 min 05 s left",
  );
  assertEquals(line(28), "Label: 1,000 of 2,000 done");
  assertEquals(line(20), "1,000 of 2,000 done");
  assertEquals(line(10), "1,000 of ");
  for (let columns = 1; columns < 120; columns++) {
    assert(line(columns).length < columns);
  }
});

Deno.test("formatProgress() takes characters of two columns for what they are", () => {
  const half = { done: 1, failed: 0, total: 2, part: 0.5 };
  const line = (columns: number) =>
    formatProgress(half, SPEED, columns, { label: "漢字漢字" });
  assertEquals(line(22), "漢字漢字: 1 of 2 done");
  assertEquals(line(21), "1 of 2 done");
});

Deno.test("formatEnd() tells the rate of the whole", () => {
  const end = { done: 150, failed: 0, total: 150, part: 1 };
  assertEquals(
    formatEnd(end, SPEED, Infinity),
    "150 of 150 done, 0 failed, 2/s in 1 min 15 s",
  );
});
