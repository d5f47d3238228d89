/**
 * The command line: arguments in, calls to the library, text out.
 *
 * @module
 */

import { readArguments } from "./cli/arguments.ts";
import { CommandError, FAILED_STATUS, leave, say } from "./cli/command.ts";
import { COMMANDS } from "./cli/commands.ts";
import { formatHelp } from "./cli/help.ts";
import { describe } from "./cli/map_block.ts";
import config from "./deno.json" with { type: "json" };

if (import.meta.main) {
  addEventListener("error", (event) => {
    event.preventDefault();
    leave(fail(event.error));
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    leave(fail(event.reason));
  });
  // What still runs, or still waits for the standard input, would keep the
  // program alive when nobody waits for it any more. No `await`: if nothing is
  // left that could end it, Deno would tell where in this file it waits.
  main(Deno.args).then(leave);
}

/** Runs what the arguments ask for, and tells the exit status. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const { command, ...call } = readArguments(args, COMMANDS);
    const { help, version } = call.values;
    if (help) console.log(formatHelp(command, COMMANDS));
    else if (version) console.log(`futures ${config.version}`);
    else return await command.run(call);
    return 0;
  } catch (error) {
    return fail(error);
  }
}

/** Says why it cannot go on, and tells the exit status. */
function fail(error: unknown): number {
  // Who reads the output has seen enough, as in `futures | head`.
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  if (error instanceof CommandError) {
    say(error.message);
    return error.status;
  }
  // Where in this program it was found is of no use to who runs it.
  const { name, message } = describe(error);
  say(`${name}: ${message}`);
  return FAILED_STATUS;
}
