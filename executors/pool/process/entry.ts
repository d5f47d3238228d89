/**
 * The entry module of a worker process; small, so that the process listens for
 * SIGINT early. At Ctrl-C, a terminal sends SIGINT to all processes of the
 * program, and a worker that does not listen yet dies of it.
 *
 * @module
 */

if (import.meta.main) {
  // The host decides what Ctrl-C means: if the host ends, so does this process.
  Deno.addSignalListener("SIGINT", () => {});
  const { serve } = await import("./main.ts");
  await serve(Deno.args);
}
