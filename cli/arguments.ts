/**
 * Reads arguments: gives a command and the values of its options.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Command, type CommandCall, CommandError } from "./command.ts";
import { COMMON_OPTIONS, type Option, type OptionTable } from "./options.ts";

/** The command that arguments name, and what they give it. */
export interface ParsedArguments extends CommandCall<OptionTable> {
  readonly command: Command;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments.
 * @param commands All commands; the first one is meant if none is named.
 * @returns The command, its operands, and a value for each of its options.
 * @throws {CommandError} If the arguments make no sense; the message says why.
 */
export function readArguments(
  args: readonly string[],
  commands: readonly Command[],
): ParsedArguments {
  const [first = ""] = args;
  const isNamed = first !== "" && !first.startsWith("-");
  const command = isNamed ? find(first, commands) : commands[0]!;
  const { values, operands } = parse(isNamed ? args.slice(1) : args, command);
  // The name may come behind options, as in `futures --json bench`.
  if (!isNamed && operands[0] !== undefined) {
    const named = find(operands.shift()!, commands);
    if (named !== command) {
      throw new CommandError(
        `the command comes first: futures ${named.name} …`,
      );
    }
  }
  if (command.operands === undefined && operands[0] !== undefined) {
    throw new CommandError(
      `unexpected argument "${
        operands[0]
      }"; ${command.name} takes nothing but options`,
    );
  }
  return { command, values, operands, commands };
}

function find(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = commands.map((command) => command.name).join(", ");
  throw new CommandError(`unknown command "${name}"; there is ${names}`);
}

function parse(
  args: readonly string[],
  command: Command,
): { values: Record<string, unknown>; operands: string[] } {
  const options: OptionTable = { ...command.options, ...COMMON_OPTIONS };
  const table = Object.entries(options);
  const names = table.map(([name]) => name);
  const takesValue = (name: string) => options[name]?.placeholder !== undefined;
  const unknown: string[] = [];
  const parsed = parseArgs(joinNegatives(args, takesValue), {
    // An operand stays what it is, even if it looks like a number.
    string: ["_", ...names.filter(takesValue)],
    boolean: names.filter((name) => !takesValue(name)),
    alias: Object.fromEntries(
      table.flatMap(([name, { letter }]) => letter ? [[name, letter]] : []),
    ),
    unknown(arg, name) {
      // An argument without a name is an operand.
      if (name !== undefined) unknown.push(arg);
    },
  });
  if (unknown.length > 0) {
    const known = names.map((name) => `--${name}`).join(" ");
    throw new CommandError(`unknown option ${unknown[0]}; there are ${known}`);
  }
  const given: Readonly<Record<string, unknown>> = parsed;
  const values = table.map(([name, option]) => [
    name,
    readOption(name, option, given[name]),
  ]);
  return {
    values: Object.fromEntries(values),
    operands: parsed._.map(String),
  };
}

function readOption(
  name: string,
  option: Option<unknown>,
  given: unknown,
): unknown {
  if (given === undefined) return option.default;
  if (typeof given === "boolean") return given;
  const text = String(given);
  const value = option.read(text);
  if (value === undefined) {
    const received = text === "" ? "nothing" : `"${text}"`;
    throw new CommandError(
      `--${name} takes ${option.wanted}: received ${received}`,
    );
  }
  return value;
}

/** Makes `--year=-3` of `--year -3`, as parseArgs() takes `-3` for an option. */
function joinNegatives(
  args: readonly string[],
  takesValue: (name: string) => boolean,
): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1) ?? "";
    const isNegative = /^-\d/.test(arg) && last.startsWith("--") &&
      takesValue(last.slice(2));
    if (isNegative) joined.pop();
    joined.push(isNegative ? `${last}=${arg}` : arg);
  }
  return joined;
}
