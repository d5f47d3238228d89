/**
 * The text of `--help` and `futures help`, made from the tables that the
 * arguments are read by.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { type Command, command, CommandError } from "./command.ts";
import { COMMON_OPTIONS, type OptionTable } from "./options.ts";
import { wrap } from "./text.ts";

/** The column of what options and commands mean; their names stand left of it. */
const INDENT = " ".repeat(21);

/** `futures help` */
export const HELP: Command = command({
  name: "help",
  operands: "[COMMAND]",
  choices: (commands) => commands.map(({ name }) => name),
  summary: "tell what a command does and what options it has",
  description: ["Tells what a command does and what options it has."],
  options: {},
  run({ operands, commands }) {
    const [name = commands[0]!.name, extra] = operands;
    const found = commands.find((command) => command.name === name);
    if (found === undefined || extra !== undefined) {
      const names = commands.map(({ name }) => name).join(", ");
      throw new CommandError(
        `help takes one of ${names}: received "${operands.join(" ")}"`,
      );
    }
    console.log(formatHelp(found, commands));
    return Promise.resolve(0);
  },
});

/**
 * Says what a command does; for the one that runs if none is named, also which
 * others there are.
 *
 * @param command The command.
 * @param commands All commands.
 * @returns Lines of text.
 */
export function formatHelp(
  command: Command,
  commands: readonly Command[],
): string {
  const { name, operands, description } = command;
  const isDefault = command === commands[0];
  const others = commands.filter((it) => it !== command);
  const usage = ["futures", isDefault ? `[${name}]` : name, "[OPTIONS]"];
  return [
    `futures ${config.version}: Python's concurrent.futures for Deno`,
    "",
    `Usage: ${[...usage, operands ?? []].flat().join(" ")}`,
    ...description.flatMap((text) => ["", fill(text)]),
    "",
    "Options:",
    ...formatOptions({ ...command.options, ...COMMON_OPTIONS }),
    ...isDefault
      ? [
        "",
        "Other commands:",
        ...others.map(({ name, summary }) => formatEntry(name, summary)),
      ]
      : [],
  ].join("\n");
}

function formatOptions(options: OptionTable): string[] {
  return Object.entries(options).map(
    ([name, { letter, placeholder, help, defaultText }]) => {
      const short = letter ? `-${letter}, ` : "";
      return formatEntry(
        `${short}--${name} ${placeholder ?? ""}`,
        defaultText ? `${help} (default: ${defaultText})` : help,
      );
    },
  );
}

function formatEntry(term: string, text: string): string {
  return `  ${term}`.padEnd(INDENT.length) + fill(text, INDENT).trimStart();
}

function fill(text: string, indent = ""): string {
  return wrap(text.split(" "), indent);
}
