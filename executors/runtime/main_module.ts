/**
 * Tells where this code runs: whether in a worker, and of which program. Deno does
 * not tell workers the main module.
 *
 * @module
 */

import { shared } from "./shared.ts";

/** Whether this isolate is a worker, of this package or of another. */
export const isWorker: boolean = "WorkerGlobalScope" in globalThis;

/** What a worker of this package was told. */
const told = shared<{ main?: string | undefined }>(
  "main-module/1",
  () => ({}),
);

/** Sets the main module in a worker of this package. */
export function setMainModule(url: string | undefined): void {
  told.main = url;
}

/**
 * The URL of the main module; in a worker that is not of this package, that of
 * the worker's own module.
 */
export function mainModule(): string | undefined {
  return told.main ?? (Deno.mainModule as string | undefined) ?? workerModule();
}

function workerModule(): string | undefined {
  const { location } = globalThis as { location?: { href: string } };
  return location?.href;
}
