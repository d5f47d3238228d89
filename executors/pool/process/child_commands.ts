/**
 * Replaces the ways in which Deno starts programs, so that a program which a
 * task starts does not get the streams of its worker.
 *
 * @module
 */

/** The functions that are short for one of the methods of a command. */
const SHORT_FOR = {
  spawn: "spawn",
  spawnAndWait: "output",
  spawnAndWaitSync: "outputSync",
} as const;

/**
 * Replaces `Deno.Command`, and the functions that start programs without it.
 *
 * @param extend Makes the new class from the present one.
 */
export function replaceCommand(
  extend: (command: typeof Deno.Command) => typeof Deno.Command,
): void {
  const Command = extend(Deno.Command);
  Deno.Command = Command;
  for (const [name, method] of Object.entries(SHORT_FOR)) {
    // Not every supported version of Deno has these functions.
    if (!(name in Deno)) continue;
    const start = (
      command: string | URL,
      argsOrOptions?: string[] | Deno.CommandOptions,
      options?: Deno.CommandOptions,
    ) => {
      if (!Array.isArray(argsOrOptions)) {
        return new Command(command, argsOrOptions)[method]();
      }
      if (options?.args !== undefined) {
        throw new TypeError(
          "Cannot start a program as its arguments are given twice: leave out 'args' of the options",
        );
      }
      const given = { ...options, args: argsOrOptions };
      return new Command(command, given)[method]();
    };
    Reflect.set(Deno, name, start);
  }
}
