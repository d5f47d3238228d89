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
  // Leaves although functions may still run, or read the standard input: nobody
  // waits for them any more. No `await`: if nothing were left that could end the
  // wait, Deno would tell where in this file it is.
  main(Deno.args).then(leave);
}

/** Runs the command that the arguments name; resolves to the exit status. */
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

/** Says why the program cannot go on; returns the exit status. */
function fail(error: unknown): number {
  // The reader of the output has seen enough, as in `futures | head`.
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  if (error instanceof CommandError) {
    say(error.message);
    return error.status;
  }
  // A stack of this program is of no use to its user.
  const { name, message } = describe(error);
  say(`${name}: ${message}`);
  return FAILED_STATUS;
}
