/**
 * The ways in which Deno starts programs, for whoever has to see to it that what
 * a task starts does not get the streams of its worker.
 *
 * @module
 */

/** The functions that are short for a command and one of its methods. */
const SHORT_FOR = {
  spawn: "spawn",
  spawnAndWait: "output",
  spawnAndWaitSync: "outputSync",
} as const;

/**
 * Puts a class in the place of `Deno.Command`, and behind the functions that
 * start programs without it.
 *
 * @param extend Makes the class from the one before.
 */
export function replaceCommand(
  extend: (command: typeof Deno.Command) => typeof Deno.Command,
): void {
  const Command = extend(Deno.Command);
  Deno.Command = Command;
  for (const [name, method] of Object.entries(SHORT_FOR)) {
    // Not every version of Deno that this runs on has them.
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
