/**
 * The entry module of a worker process. It is small, so that the process hears
 * early that Ctrl-C is not for it: a terminal sends that to all processes of the
 * program, and one that does not listen yet dies of it.
 *
 * @module
 */

/** Where this module is, for whoever starts a process. */
export const url: string = import.meta.url;

if (import.meta.main) {
  // For the host to decide about: if it ends, so does this.
  Deno.addSignalListener("SIGINT", () => {});
  const { serve } = await import("./main.ts");
  await serve(Deno.args);
}
