/**
 * The command line: arguments in, calls to the library, text out.
 *
 * @module
 */

import { readArguments } from "./cli/arguments.ts";
import { CommandError } from "./cli/command.ts";
import { COMMANDS } from "./cli/commands.ts";
import { formatHelp } from "./cli/help.ts";
import config from "./deno.json" with { type: "json" };

// What still runs, or still waits for the standard input, would keep the
// program alive when nobody waits for it any more.
if (import.meta.main) Deno.exit(await main(Deno.args));

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
    // Who reads the output has seen enough, as in `futures | head`.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (!(error instanceof CommandError)) throw error;
    console.error(`futures: ${error.message}`);
    return error.status;
  }
}
