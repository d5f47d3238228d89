/**
 * `futures map`: maps the lines of files by a function, on all cores.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Command, command, CommandError } from "./command.ts";
import {
  BY_STOPPING,
  DEFAULT_WORKERS,
  type ExecutorId,
  EXECUTORS,
} from "./executors.ts";
import { refuseSameFiles, STREAMS } from "./file_identity.ts";
import { FileOutput, outputFiles, PlainOutput } from "./line_output.ts";
import { LineSource } from "./line_source.ts";
import { type MapPlace, openHere } from "./map_place.ts";
import { mapLines, type OnError } from "./map_run.ts";
import { type ModuleAddress, readAddress } from "./module_address.ts";
import { checkOn, chooseServer, CONNECTION, on } from "./nats_options.ts";
import { choice, flag, integer, option, path, type Values } from "./options.ts";

const OPTIONS = {
  executor: option<ExecutorId | undefined>({
    ...choice("NAME", BY_STOPPING),
    default: undefined,
    help:
      "what runs the function: worker for what computes, process for what may have to be killed, promise for what waits",
  }),
  workers: option<number | undefined>({
    ...integer("N", 1),
    help: "how many lines are worked on at a time",
    default: undefined,
    defaultText: DEFAULT_WORKERS,
  }),
  unordered: flag("write results as they come, not in the order of the lines"),
  timeout: option({
    help: "how many milliseconds a line may take",
    placeholder: "MS",
    wanted: "a number of milliseconds, more than 0",
    default: Infinity,
    defaultText: "any time",
    read: (text) =>
      /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined,
  }),
  retries: option({
    ...integer("N", 0),
    help: "how often a line that failed is tried again",
    default: 0,
    defaultText: "0",
  }),
  "on-error": option({
    ...choice<OnError>("HOW", ["stop", "skip", "report"]),
    help:
      'what to do about a line that failed: stop, skip it, or report {"error": {"name", "message"}, "line"} in its place',
  }),
  errors: option({
    ...path("FILE"),
    help: "where reports go, rather than in the place of results",
  }),
  raw: flag("lines are strings, in and out, and no JSON"),
  output: option({
    ...path("FILE"),
    help:
      "where results go, rather than to the standard output: to FILE.partial, which is renamed when it is whole, and which one run at a time writes",
  }),
  resume: flag(
    "go on after the last complete line of FILE.partial, which the same arguments have left",
  ),
  progress: flag(
    "show how far it is, as is done anyway if only the results leave the terminal",
  ),
  quiet: flag("do not show how far it is"),
  on: on("map the lines on the nodes of a NATS pool, rather than here"),
  ...CONNECTION,
};

/** The options that are about workers of this program. */
const HERE = ["executor", "workers"] as const;

/** `futures map` */
export const MAP: Command = command({
  name: "map",
  operands: "MODULE[#EXPORT] [FILE…]",
  summary: "call a function on each line of files, on all cores",
  description: [
    "Calls a function on each line of the files, or of the standard input, and writes a line for each result, in the order of the lines. A line is one JSON value. The function is the export of that name, or the default export, of a module that needs to know nothing of this program.",
    "What JSON cannot say is lost without a word: digits of integers beyond 2^53 and numbers like 1e400 on the way in, NaN, undefined, and a Map inside a result on the way out. With --raw, lines are exact, and the function reads and writes them. A result of which JSON has nothing, such as a Map, a Set or an iterator, is an error, and so is a line that is no UTF-8 or longer than 256 MiB. Empty lines at the end of a file are no values, unless --raw says that they are.",
    "With --on, the module is bundled with all that it imports, as its own project says, and sent to the nodes of a pool, which need nothing else. A compiled program, which cannot bundle, sends one file of JavaScript as it is, to nodes that are futures serve. What the function says stays with its node.",
    "What the function says goes to the standard error stream. With --executor promise it runs in this program, where Deno.exit() ends the whole run, with status 1.",
    "Ctrl-C finishes what runs, once more leaves it. A function whose worker dies may be called again with lines that it had before.",
    "Exit status: 0; 1 if a line failed, and nothing says that others go on; 2 if the arguments, the module or a file make it impossible; 130 after Ctrl-C.",
  ],
  options: OPTIONS,
  run: ({ values, operands }) => map(values, operands),
});

async function map(
  values: Values<typeof OPTIONS>,
  [module, ...files]: readonly string[],
): Promise<number> {
  if (module === undefined) {
    throw new CommandError(
      "map takes a module: futures map MODULE[#EXPORT] [FILE…]",
    );
  }
  check(values);
  const { unordered, raw, errors, output, resume } = values;
  const isTerminal = Deno.stderr.isTerminal() &&
    (output !== undefined || !Deno.stdout.isTerminal());
  const address = readAddress(module);
  const open = await placeOf(address, values);
  const source = new LineSource(files, { raw });
  checkFiles(address, source, values);
  // Both are opened first: if another run has one of them, neither is emptied.
  const reports = errors === undefined
    ? undefined
    : await PlainOutput.open(errors);
  const file = output === undefined
    ? undefined
    : await FileOutput.open(output, { resume });
  reports?.begin();
  return await mapLines({
    source,
    output: file ?? PlainOutput.standard(),
    open,
    ordered: !unordered,
    timeoutMs: values.timeout,
    retries: values.retries,
    onError: values["on-error"],
    errors: reports,
    namesFiles: files.length > 1,
    raw,
    progress: !values.quiet && (values.progress || isTerminal),
    advice: file === undefined
      ? ""
      : `; ${file.partialPath} has the results so far${
        isResumable(values) ? ", --resume goes on from there" : ""
      }`,
  });
}

/** Checks where lines are to be mapped; gives what opens that. */
async function placeOf(
  address: ModuleAddress,
  values: Values<typeof OPTIONS>,
): Promise<() => MapPlace | Promise<MapPlace>> {
  const { on, executor = BY_STOPPING[0]!, workers } = values;
  if (on === undefined) {
    const choice = EXECUTORS[executor];
    return () => openHere(address, choice, workers ?? choice.workers);
  }
  const { options } = await chooseServer(on, values);
  // Loaded only now, with all that it imports.
  const { openOnNodes } = await import("./map_on_nodes.ts");
  return () => openOnNodes(address, options);
}

/**
 * Throws if a file that is written is also used in another way; no file has
 * been touched by then.
 */
function checkFiles(
  { url, shown }: ModuleAddress,
  { inputs }: LineSource,
  { output, errors }: Values<typeof OPTIONS>,
): void {
  const module = url.startsWith("file:")
    ? [{ name: `the module ${shown}`, path: fileURLToPath(url) }]
    : [];
  const { stdout, stderr } = STREAMS;
  refuseSameFiles(
    [
      ...outputFiles("--output", output),
      ...errors === undefined
        ? []
        : [{ name: `--errors ${errors}`, path: errors }],
    ],
    [...module, ...inputs, stdout, stderr],
  );
  // Like `cat`: the results would be read again, without an end.
  if (output === undefined) refuseSameFiles([stdout], [...module, ...inputs]);
}

/** Throws if options do not go together. */
function check(values: Values<typeof OPTIONS>): void {
  const { errors, output, resume, on } = values;
  checkOn(values);
  const misplaced = HERE.find((name) => values[name] !== undefined);
  if (on !== undefined && misplaced !== undefined) {
    throw new CommandError(
      `--${misplaced} does not go with --on, as nodes have workers of their own`,
    );
  }
  if (errors !== undefined && values["on-error"] !== "report") {
    throw new CommandError("--errors goes with --on-error report");
  }
  if (!resume) return;
  if (output === undefined) throw new CommandError("--resume needs --output");
  if (!isResumable(values)) {
    throw new CommandError(
      "--resume needs a result for every line in the order of the lines: not with --unordered, --on-error skip or --errors",
    );
  }
}

/** Whether the number of results tells how many lines are done. */
function isResumable(values: Values<typeof OPTIONS>): boolean {
  return !values.unordered && values["on-error"] !== "skip" &&
    values.errors === undefined;
}
