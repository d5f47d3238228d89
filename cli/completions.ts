/**
 * `futures completions`: scripts that let a shell complete commands, options
 * and values, made from the tables that the arguments are read by.
 *
 * @module
 */

import { type Command, command, CommandError } from "./command.ts";
import { COMMON_OPTIONS, type Option } from "./options.ts";

/** Makes the script for a shell. */
type ScriptWriter = (commands: readonly Command[]) => string;

const SHELLS: ReadonlyMap<string, ScriptWriter> = new Map([
  ["bash", writeBash],
  ["zsh", writeZsh],
  ["fish", writeFish],
]);

/** `futures completions` */
export const COMPLETIONS: Command = command({
  name: "completions",
  operands: "SHELL",
  choices: () => [...SHELLS.keys()],
  summary: "write a script by which bash, zsh or fish completes all this",
  description: [
    "Writes a script by which a shell completes commands, options and values.",
    "bash, in ~/.bashrc: source <(futures completions bash)",
    "zsh, before compinit: futures completions zsh > ~/.zfunc/_futures",
    "fish: futures completions fish > ~/.config/fish/completions/futures.fish",
  ],
  options: {},
  run({ operands, commands }) {
    const [shell = "", extra] = operands;
    const write = SHELLS.get(shell);
    if (write === undefined || extra !== undefined) {
      const shells = [...SHELLS.keys()].join(", ");
      throw new CommandError(
        `completions takes one of ${shells}: received "${operands.join(" ")}"`,
      );
    }
    console.log(write(commands));
    return Promise.resolve(0);
  },
});

function writeBash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const values = commands.flatMap((command) =>
    optionsOf(command).flatMap(([name, { placeholder, choices }]) =>
      placeholder === undefined
        ? []
        : `    "${command.name} --${name}") ${
          choices === undefined || choices === "files"
            ? "return"
            : `words="${choices.join(" ")}"`
        } ;;`
    )
  );
  const options = commands.map((command) =>
    `        ${command.name}) words="${
      optionsOf(command).map(([name]) => `--${name}`).join(" ")
    }" ;;`
  );
  const operands = commands.flatMap((command) => {
    const choices = command.choices?.(commands);
    return choices === undefined
      ? []
      : `        ${command.name}) words="${choices.join(" ")}" ;;`;
  });
  return `\
# Where this knows nothing, bash completes the names of files by itself.
_futures() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}"
  local word command="" words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    if [[ " ${names} " == *" $word "* ]]; then command="$word" && break; fi
  done
  # To bash, --name=value is three words.
  if [[ "$cur" == "=" ]]; then
    cur=""
  elif [[ "$prev" == "=" ]]; then
    prev="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  case "\${command:-${commands[0]!.name}} $prev" in
${values.join("\n")}
    *) if [[ "$cur" == -* ]]; then
      case "\${command:-${commands[0]!.name}}" in
${options.join("\n")}
      esac
    elif [[ -z "$command" ]]; then
      words="${names}"
    else
      case "$command" in
${operands.join("\n")}
      esac
    fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _futures futures`;
}

function writeZsh(commands: readonly Command[]): string {
  const describe = ({ name, summary }: Command) =>
    `    ${quote(`${name}:${summary}`)}`;
  const cases = commands.map((command) => {
    const options = optionsOf(command).map(writeZshOption);
    const choices = command.choices?.(commands);
    const operand = command.operands === undefined || choices?.length === 0
      ? []
      : choices === undefined
      ? ["'*:file:_files'"]
      : [quote(`1:${command.name}:(${choices.join(" ")})`)];
    return [
      `    ${command.name}) _arguments \\`,
      ...[...options, ...operand].map(
        (spec) => `      ${spec} \\`,
      ),
    ].join("\n").slice(0, -2) + " ;;";
  });
  return `\
#compdef futures
_futures() {
  local -a commands=(
${commands.map(describe).join("\n")}
  )
  local command=${commands[0]!.name}
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  elif [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${cases.join("\n")}
  esac
}
compdef _futures futures
# Where it is found by its name, this is its first call.
[[ $funcstack[1] == _futures ]] && _futures "$@"`;
}

function writeZshOption([name, option]: [string, Option<unknown>]): string {
  const { letter, placeholder, choices } = option;
  const help = `[${option.help.replaceAll(/[\\[\]:]/g, "\\$&")}]`;
  if (placeholder === undefined) {
    return letter === undefined
      ? quote(`--${name}${help}`)
      : `'(-${letter} --${name})'{-${letter},--${name}}${quote(help)}`;
  }
  const action = choices === "files"
    ? "_files"
    : choices === undefined
    ? " "
    : `(${choices.join(" ")})`;
  return quote(`--${name}=${help}:${placeholder}:${action}`);
}

function writeFish(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const lines = commands.flatMap((command) => {
    const when = quote(`test (__futures_command) = ${command.name}`);
    const complete = `complete -c futures -n ${when}`;
    const options = optionsOf(command).map(([name, option]) => {
      const { help, letter, placeholder, choices } = option;
      const short = letter === undefined ? "" : ` -s ${letter}`;
      const value = placeholder === undefined
        ? ""
        : choices === "files"
        ? " -r -F"
        : ` -x${
          choices === undefined ? "" : ` -a ${quote(choices.join(" "))}`
        }`;
      return `${complete}${short} -l ${name}${value} -d ${quote(help)}`;
    });
    const choices = command.choices?.(commands);
    const operand = command.operands === undefined || choices?.length === 0
      ? []
      : choices === undefined
      ? [`${complete} -F`]
      : [`${complete} -a ${quote(choices.join(" "))}`];
    return [...options, ...operand];
  });
  return `\
function __futures_command
  for word in (commandline -opc)
    if contains -- $word ${names.join(" ")}
      echo $word
      return
    end
  end
  echo ${names[0]}
end
complete -c futures -f
${
    commands.map(({ name, summary }) =>
      `complete -c futures -n __fish_is_first_token -a ${name} -d ${
        quote(summary)
      }`
    ).join("\n")
  }
${lines.join("\n")}`;
}

function optionsOf({ options }: Command): [string, Option<unknown>][] {
  return Object.entries({ ...options, ...COMMON_OPTIONS });
}

/** As one word of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
