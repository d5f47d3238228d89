// A program whose processes may do nothing, on a terminal.
// @group processes

import { assertEquals } from "@std/assert";
import { watched } from "./helpers/harness.ts";
import { onTerminal, REFUSED } from "./helpers/terminal.ts";

for (
  const flags of [["-A"], ["--allow-read", "--allow-run"], ["--allow-run"]]
) {
  watched(
    `ProcessPoolExecutor has no task ask at a terminal, started with ${
      flags.join(" ")
    }`,
    async () => {
      assertEquals(
        await onTerminal("ProcessPoolExecutor", flags),
        { task: REFUSED, asked: 0, warned: 0 },
      );
    },
  );
}
