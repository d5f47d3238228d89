// A program whose threads may do little, on a terminal.

import { assertEquals } from "@std/assert";
import { watched } from "./helpers/harness.ts";
import { onTerminal, REFUSED, type Seen } from "./helpers/terminal.ts";

/** Ways to start a program, and what is then seen of threads. */
const STARTS: [flags: string[], env: Record<string, string>, seen: Seen][] = [
  [["-A"], {}, { task: ["true", "true"], asked: 2, warned: 1 }],
  [["--allow-read"], {}, { task: ["true", "true"], asked: 2, warned: 1 }],
  [["-A", "--no-prompt"], {}, { task: REFUSED, asked: 0, warned: 0 }],
  [["-A"], { DENO_NO_PROMPT: "1" }, { task: REFUSED, asked: 0, warned: 0 }],
  [["--allow-read", "--allow-env"], { DENO_NO_PROMPT: "1" }, {
    task: REFUSED,
    asked: 0,
    warned: 0,
  }],
];

// Elsewhere nothing tells with which flags Deno was started.
const starts = Deno.build.os === "linux" ? STARTS : [];

for (const [flags, env, seen] of starts) {
  const how = [...flags, ...Object.keys(env)].join(" ");
  watched(
    `WorkerPoolExecutor ${
      seen.warned > 0 ? "warns that tasks can ask" : "knows that no task asks"
    } at a terminal, started with ${how}`,
    async () => {
      assertEquals(await onTerminal("WorkerPoolExecutor", flags, env), seen);
    },
  );
}
