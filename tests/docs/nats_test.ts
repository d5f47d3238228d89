// What docs/nats.md has people type, against what is there.

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../cli/commands.ts";
import { Subjects } from "../../executors/nats/subjects.ts";

const TEXT = await Deno.readTextFile(
  new URL("../../docs/nats.md", import.meta.url),
);

Deno.test("docs/nats.md calls the streams of a pool what they are called", () => {
  const { tasks, results, parts } = new Subjects("default");
  assertEquals(
    new Set(TEXT.match(/FUT_\w+/g)),
    new Set([tasks, results, parts]),
  );
});

Deno.test("docs/nats.md names commands and options that there are", () => {
  const lines = TEXT.match(/^futures .*$/gm) ?? [];
  assert(lines.length > 4);
  for (const line of lines) {
    const [, name] = line.split(" ");
    const command = COMMANDS.find((command) => command.name === name);
    assert(command !== undefined, line);
    for (const [, option] of line.matchAll(/ --([a-z-]+)/g)) {
      assert(Object.hasOwn(command.options, option!), line);
    }
  }
});
