// Names that a server takes for what they are, and for no more.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PROTOCOL, Subjects } from "../../../executors/nats/subjects.ts";

const BAD = ["", "a.b", "*", ">", "a b", "ä", "$JS", "a\n", "a".repeat(65)];

Deno.test("Subjects are of the pool, and of nobody else", () => {
  const subjects = new Subjects("a-pool");
  const { tasks, results, parts } = subjects;
  assertEquals([tasks, results, parts], [
    `FUT_TASKS${PROTOCOL}_a-pool`,
    "FUT_RESULTS_a-pool",
    "FUT_PARTS_a-pool",
  ]);
  // A node of another protocol finds nothing there.
  assertEquals(subjects.task("c", "b"), `fut.a-pool.t${PROTOCOL}.c.b`);
  for (
    const subject of [
      subjects.allTasks,
      subjects.allResults,
      subjects.allParts,
      subjects.task("c", "b"),
      subjects.tasksOf("c"),
      subjects.result("c", "b"),
      subjects.resultsOf("c"),
      subjects.value("c", "b", "v"),
      subjects.partsOfBatch("c", "b"),
      subjects.partsOf("c"),
      subjects.client("c"),
      subjects.node("n"),
      subjects.hello("n"),
      subjects.hellos,
      subjects.who("c"),
      subjects.whos,
      subjects.inbox("client"),
      subjects.inbox("node"),
    ]
  ) assert(subject.startsWith("fut.a-pool."), subject);
});

Deno.test("Subjects of pools whose names look like other things are apart", () => {
  const names = ["a", "TASKS_a", "a_TASKS", "RESULTS_a", "PARTS_TASKS_a"];
  const streams = names.flatMap((name) => {
    const { tasks, results, parts } = new Subjects(name);
    return [tasks, results, parts];
  });
  assertEquals(new Set(streams).size, streams.length);
});

Deno.test("Subjects cannot be made of parts that mean more", () => {
  const subjects = new Subjects("a");
  for (const bad of BAD) {
    for (
      const make of [
        () => new Subjects(bad),
        () => subjects.task(bad, "b"),
        () => subjects.task("c", bad),
        () => subjects.tasksOf(bad),
        () => subjects.result(bad, "b"),
        () => subjects.result("c", bad),
        () => subjects.resultsOf(bad),
        () => subjects.value("c", "b", bad),
        () => subjects.partsOfBatch("c", bad),
        () => subjects.partsOf(bad),
        () => subjects.client(bad),
        () => subjects.node(bad),
        () => subjects.hello(bad),
        () => subjects.who(bad),
      ]
    ) assertThrows(make, RangeError, "A part of a subject must be");
  }
});
