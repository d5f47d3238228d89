/**
 * The way into a worker process. Messages arrive at its standard input, which
 * every program that a task starts would inherit, and read them; so the messages
 * get a descriptor that nobody inherits, and the null device takes their place.
 * For a task and its programs, the standard input is at its end, as in Python.
 *
 * ```text
 *         before                      after
 * 0 ◄──── messages            0 ◄──── null device      (inherited)
 *                             n ◄──── messages         (closed in programs)
 * ```
 *
 * Deno has nothing that does this, so functions of the system are called.
 *
 * @module
 */

import { replaceCommand } from "./child_commands.ts";

/** The input from which a worker process reads messages. */
export interface MessageInput {
  /** Reads what there is into the buffer; resolves to the number of bytes, 0 at the end. */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number>;
  /**
   * Whether all threads find the standard input at its end; else each has to
   * call {@linkcode hideInput}.
   */
  readonly moved: boolean;
}

/** The library with the functions of the system. */
const INPUT_LIBRARY: string = libraryOf(Deno.build.os);

function libraryOf(system: typeof Deno.build.os): string {
  switch (system) {
    case "windows":
      return "kernel32.dll";
    case "darwin":
      return "/usr/lib/libSystem.B.dylib";
    default:
      return "libc.so.6";
  }
}

/** The request of ioctl() after which programs do not inherit a descriptor. */
const FIOCLEX = Deno.build.os === "darwin" ? 0x20006601 : 0x5451;

const STD_INPUT_HANDLE = -10;
const HANDLE_FLAG_INHERIT = 1;
const GENERIC_READ = 0x80000000;
const FILE_SHARE_READ_AND_WRITE = 3;
const OPEN_EXISTING = 3;

/**
 * Takes the messages off the standard input. They stay there where that is not
 * possible, such as in a compiled program without `--allow-ffi`.
 */
export function takeInput(): MessageInput {
  try {
    return Deno.build.os === "windows" ? takeHandle() : takeDescriptor();
  } catch {
    return { read: readStandardInput, moved: false };
  }
}

async function readStandardInput(buffer: Uint8Array): Promise<number> {
  return await Deno.stdin.read(buffer) ?? 0;
}

function takeDescriptor(): MessageInput {
  const { symbols: system } = Deno.dlopen(INPUT_LIBRARY, {
    dup: { parameters: ["i32"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    // Both have "…" in C: no argument is given for it, as not every system
    // passes those like the others.
    open: { parameters: ["buffer", "i32"], result: "i32" },
    ioctl: { parameters: ["i32", "usize"], result: "i32" },
    read: {
      parameters: ["i32", "buffer", "usize"],
      result: "isize",
      nonblocking: true,
    },
  });
  const none = system.open(new TextEncoder().encode("/dev/null\0"), 0);
  const messages = system.dup(0);
  const done = none >= 0 && messages >= 0 &&
    system.ioctl(messages, BigInt(FIOCLEX)) === 0 && system.dup2(none, 0) === 0;
  if (none >= 0) system.close(none);
  if (!done) {
    if (messages >= 0) system.close(messages);
    throw new Error("The standard input cannot be moved");
  }
  return {
    async read(buffer) {
      const length = await system.read(messages, buffer, BigInt(buffer.length));
      return Number(length);
    },
    moved: true,
  };
}

/**
 * Replaces the handle of the standard input, which programs inherit. Deno itself
 * goes on reading from the handle that it began with: in this thread, and, in
 * some versions, in all others.
 */
function takeHandle(): MessageInput {
  const { symbols: system } = Deno.dlopen(INPUT_LIBRARY, {
    GetStdHandle: { parameters: ["i32"], result: "pointer" },
    SetStdHandle: { parameters: ["i32", "pointer"], result: "i32" },
    SetHandleInformation: {
      parameters: ["pointer", "u32", "u32"],
      result: "i32",
    },
    CreateFileA: {
      parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "pointer"],
      result: "pointer",
    },
  });
  const messages = system.GetStdHandle(STD_INPUT_HANDLE);
  const none = system.CreateFileA(
    new TextEncoder().encode("NUL\0"),
    GENERIC_READ,
    FILE_SHARE_READ_AND_WRITE,
    null,
    OPEN_EXISTING,
    0,
    null,
  );
  const done = system.SetStdHandle(STD_INPUT_HANDLE, none) !== 0 &&
    system.SetHandleInformation(messages, HANDLE_FLAG_INHERIT, 0) !== 0;
  if (!done) throw new Error("The standard input cannot be moved");
  return { read: readStandardInput, moved: false };
}

/**
 * Keeps the calling thread from messages that are still at the standard input,
 * and the programs that it starts by Deno. A program that `node:child_process`
 * starts with `stdio: "inherit"` still finds them.
 */
export function hideInput(): void {
  Deno.stdin.close();
  Deno.stdin.read = () => Promise.resolve(null);
  Deno.stdin.readSync = () => null;
  replaceCommand((Command) =>
    class extends Command {
      constructor(command: string | URL, options?: Deno.CommandOptions) {
        const stdin = options?.stdin === "piped" ? "piped" : "null";
        super(command, { ...options, stdin });
      }
    }
  );
}
