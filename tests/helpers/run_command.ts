// Runs a command to its end, for tests that take the project the way a user
// does: from outside.

/** Options for {@linkcode runCommand}. */
export interface RunCommandOptions {
  /** Its arguments. */
  args: string[];
  /** The folder it runs in. */
  cwd: string | URL;
  /** Its whole environment; nothing of this process' own gets to it. */
  env: Record<string, string>;
  /** What it reads. */
  stdin?: string;
  /** The exit code that is expected. */
  code?: number;
  /** Milliseconds after which it is ended. */
  timeout: number;
}

/** What a command wrote. */
export interface Output {
  stdout: string;
  stderr: string;
}

/**
 * Runs a command and gives what it wrote.
 *
 * @throws {Error} With everything it wrote, if its exit code is another one.
 */
export async function runCommand(
  program: string,
  options: RunCommandOptions,
): Promise<Output> {
  const { args, cwd, env, stdin = "", code = 0, timeout } = options;
  const child = new Deno.Command(program, {
    args,
    cwd,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(timeout),
  }).spawn();
  const input = child.stdin.getWriter();
  // A command that reads nothing may have closed it already.
  input.write(new TextEncoder().encode(stdin)).catch(() => {});
  input.close().catch(() => {});
  const output = await child.output();
  const stdout = new TextDecoder().decode(output.stdout);
  const stderr = new TextDecoder().decode(output.stderr);
  if (output.code !== code) {
    throw new Error(
      `Expected exit code ${code} from "${program} ${args.join(" ")}", got ${
        output.signal ?? output.code
      }\n${stdout}\n${stderr}`,
    );
  }
  return { stdout, stderr };
}
