/**
 * Processes that a test wants gone, or finds gone.
 *
 * @module
 */

/** Whether there is a process of this number, which has not ended. */
export function isAlive(pid: number): boolean {
  try {
    // A process that nobody has asked how it ended is still listed.
    const status = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) [ZX]/.test(status);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return existsWithoutProc(pid);
    // It is just going.
    return false;
  }
}

function existsWithoutProc(pid: number): boolean {
  if (Deno.build.os === "linux") return false;
  const { code } = new Deno.Command("kill", {
    args: ["-0", `${pid}`],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

/** The processes that a process has started, which have not ended. Linux only. */
export function childrenOf(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`)
      .split(" ").filter((child) => child !== "").map(Number)
  ).filter(isAlive);
}
