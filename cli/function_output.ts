/**
 * What a function says while `futures map` writes results: it goes to the
 * standard error stream, whichever way it is said, as a line of it between the
 * results would be taken for one.
 *
 * What goes past Deno's own stream and commands still gets between them:
 * `writeSync(1, …)` of `node:fs`, children that `node:child_process` starts with
 * the streams of this program, whoever opens the file /dev/stdout, a Web Worker
 * that the function has of its own, and native code. To turn Node's, each worker
 * would have to load its modules first, which takes a tenth of a second.
 *
 * @module
 */

import { replaceCommand } from "../executors/pool/process/child_commands.ts";
import {
  waitForRoom,
  writeStandardError,
} from "../executors/pool/process/standard_error.ts";

/** What goes to the standard error stream anyway; not `trace`, which would show this file. */
const ERRORS = ["error", "warn", "assert"] as const;

/** What Deno has no text for that could be written elsewhere. */
const FORMATTED = [
  "dir",
  "table",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const;

/** Has all that is said in this isolate from now on on the standard error stream. */
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
  // It would move the cursor of who looks at the results.
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
 * A full pipe that does not wait refuses the whole of a text which is no longer
 * than 4 KiB; of a longer one, what there was room for is there twice.
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

/** Only when it is needed: to load it takes as long as many a function. */
function openConsole(): Console {
  const { process } = globalThis as unknown as {
    process: typeof import("node:process");
  };
  const { Console } = process.getBuiltinModule("node:console");
  return new Console(process.stderr);
}

/** `process.stdout` writes by the same methods. */
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
    // One for each who asks: calls that overlap do not wait for one another, and
    // none closes the standard error stream.
    writable: {
      get: () =>
        new WritableStream<Uint8Array>({
          write: (bytes) => writeStandardError(bytes),
        }),
    },
  });
}

/** Children inherit a descriptor, so they get a pipe, and what comes out of it is passed on. */
function turnChildren(): void {
  replaceCommand((Command) =>
    class extends Command {
      /** The same, with its text in a pipe. */
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
