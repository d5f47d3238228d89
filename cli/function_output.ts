/**
 * Turns the output of a function to the standard error stream while `futures
 * map` writes results: a line of output between them would be taken for a result.
 *
 * Output that goes past Deno's own stream and commands still gets between the
 * results: by `writeSync(1, …)` of `node:fs`, children that `node:child_process`
 * starts with the streams of this program, whoever opens the file /dev/stdout, a
 * Web Worker that the function has of its own, and native code. To turn the
 * output of Node.js, each worker would have to load its modules first, which
 * takes a tenth of a second.
 *
 * @module
 */

import { replaceCommand } from "../executors/pool/process/child_commands.ts";
import {
  waitForRoom,
  writeStandardError,
} from "../executors/pool/process/standard_error.ts";

/**
 * The methods that write to the standard error stream anyway; not `trace`,
 * which would show this file.
 */
const ERRORS = ["error", "warn", "assert"] as const;

/** The methods whose text Deno does not give away, so that it could be written elsewhere. */
const FORMATTED = [
  "dir",
  "table",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const;

/** Turns all output of this isolate to the standard error stream from now on. */
export function sayOnStderr(): void {
  turnConsole();
  turnStdout();
  turnChildren();
}

function turnConsole(): void {
  for (const name of ERRORS) {
    const write = console[name].bind(console) as (...args: unknown[]) => void;
    console[name] = (...args: unknown[]) => writePatiently(write, args);
  }
  console.log =
    console.info =
    console.debug =
    console.dirxml =
      console.error;
  // To clear would move the cursor of whoever looks at the results.
  console.clear = () => {};
  let other: Console | undefined;
  for (const name of FORMATTED) {
    console[name] = (...args: unknown[]) => {
      other ??= openConsole();
      Reflect.apply(other[name], other, args);
    };
  }
  for (const name of ["group", "groupCollapsed"] as const) {
    const indent = console[name].bind(console);
    console[name] = (...label: unknown[]) => {
      if (label.length > 0) console.error(...label);
      indent();
    };
  }
}

/**
 * Writes again whatever a full, non-blocking pipe refuses. Such a pipe refuses a
 * text of up to 4 KiB as a whole; of a longer text, a part may be written twice.
 */
function writePatiently(
  write: (...args: unknown[]) => void,
  args: unknown[],
): void {
  for (;;) {
    try {
      return write(...args);
    } catch (error) {
      waitForRoom(error);
    }
  }
}

/**
 * Makes a console of Node.js; only when it is needed, as to load it takes as
 * long as many a function.
 */
function openConsole(): Console {
  const { process } = globalThis as unknown as {
    process: typeof import("node:process");
  };
  const { Console } = process.getBuiltinModule("node:console");
  return new Console(process.stderr);
}

/** Turns `Deno.stdout`; `process.stdout` writes by the same methods. */
function turnStdout(): void {
  const writeSync = (bytes: Uint8Array) => {
    writeStandardError(bytes);
    return bytes.length;
  };
  Object.defineProperties(Deno.stdout, {
    write: {
      value: (bytes: Uint8Array) =>
        new Promise<number>((resolve) => resolve(writeSync(bytes))),
    },
    writeSync: { value: writeSync },
    // A new stream for each caller: calls that overlap do not wait for one another,
    // and none closes the standard error stream.
    writable: {
      get: () =>
        new WritableStream<Uint8Array>({
          write: (bytes) => writeStandardError(bytes),
        }),
    },
  });
}

/**
 * Turns the output of children, which inherit a descriptor: they get a pipe,
 * and its output is passed on.
 */
function turnChildren(): void {
  replaceCommand((Command) =>
    class extends Command {
      /** The same command, with its output in a pipe. */
      readonly #piped: Deno.Command;
      readonly #stdout: Deno.CommandOptions["stdout"];

      constructor(command: string | URL, options?: Deno.CommandOptions) {
        super(command, options);
        this.#stdout = options?.stdout;
        this.#piped = new Command(command, { ...options, stdout: "piped" });
      }

      override spawn(): Deno.ChildProcess {
        if ((this.#stdout ?? "inherit") !== "inherit") return super.spawn();
        const child = this.#piped.spawn();
        passOn(child.stdout).catch(() => {});
        return child;
      }

      override async output(): Promise<Deno.CommandOutput> {
        if (this.#stdout !== "inherit") return await super.output();
        const output = await this.#piped.output();
        writeStandardError(output.stdout);
        return output;
      }

      override outputSync(): Deno.CommandOutput {
        if (this.#stdout !== "inherit") return super.outputSync();
        const output = this.#piped.outputSync();
        writeStandardError(output.stdout);
        return output;
      }
    }
  );
}

async function passOn(text: ReadableStream<Uint8Array>): Promise<void> {
  for await (const bytes of text) writeStandardError(bytes);
}
