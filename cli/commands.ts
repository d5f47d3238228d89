/**
 * The list of all commands.
 *
 * @module
 */

import { BENCH } from "./bench_command.ts";
import type { Command } from "./command.ts";
import { COMPLETIONS } from "./completions.ts";
import { HELP } from "./help.ts";
import { MAP } from "./map_command.ts";
import { NODES } from "./nodes_command.ts";
import { SERVE } from "./serve_command.ts";

/** All commands; the first one runs if none is named. */
export const COMMANDS: readonly Command[] = [
  BENCH,
  MAP,
  SERVE,
  NODES,
  COMPLETIONS,
  HELP,
];
