/**
 * Projects of clients, with tasks for nodes, and the way of a task from there to
 * a node without a server between.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { AnyFunction } from "../../../executors/task.ts";
import { task } from "../../../mod.ts";
import {
  CodeSource,
  type Described,
} from "../../../executors/nats/code/describe.ts";
import {
  CodeStore,
  type CodeStoreOptions,
} from "../../../executors/nats/code/store.ts";
import type { Code } from "../../../executors/nats/messages.ts";
import { makeTempFolder, type TempFolder } from "../../helpers/temp_folder.ts";
import { MOD } from "../helpers/worker_harness.ts";

/** A bundle, as a client describes it. */
export type DescribedBundle = Extract<Described, { hash: string }>;

/** Makes a folder with a project in it, in which `@concurrent/futures` is this package. */
export function makeProject(
  files: Record<string, string>,
): Promise<TempFolder> {
  const config = {
    imports: { "@concurrent/futures": MOD, "numbers": "./lib/numbers.ts" },
  };
  return makeTempFolder({ "deno.json": JSON.stringify(config), ...files });
}

/** A task as a client has it whose program has loaded the module, without loading it. */
export function taskIn(
  folder: TempFolder,
  module: string,
  name: string,
): AnyFunction {
  return task({ url: new URL(module, folder.url).href }, name, () => {});
}

/** What a client says of a task that has to be bundled. */
export async function describeBundle(
  fn: AnyFunction,
): Promise<DescribedBundle> {
  const described = await new CodeSource().describe(fn);
  assert("hash" in described);
  return described;
}

/** A bundle of one task, which need not come from a bundler. */
export async function bundleOf(body: string): Promise<DescribedBundle> {
  const text = `
    function fn(n) { ${body} }
    Object.defineProperty(fn, Symbol.for("@concurrent/futures/task"), {
      value: { kind: "export", module: import.meta.url, name: "fn" },
    });
    export { fn };
  `;
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digits = Array.from(
    digest,
    (byte) => byte.toString(16).padStart(2, "0"),
  );
  return { hash: digits.join(""), name: "fn", bytes };
}

/** What a node is told of a bundle, of which the parts are somewhere. */
export function codeOf(
  { hash, name, bytes }: DescribedBundle,
): Extract<Code, { kind: "bundle" }> {
  const large = { name: hash, size: bytes.length, partSize: 900_000 };
  return { kind: "bundle", hash, name, large };
}

/** A store with a cache of its own, both of which go with the test. */
export async function makeStore(
  options: CodeStoreOptions = {},
): Promise<AsyncDisposable & { store: CodeStore; cache: string }> {
  const folder = await makeTempFolder();
  const cache = `${folder.path}/cache`;
  const store = new CodeStore({ cache, ...options });
  return {
    store,
    cache,
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What must not be fetched. */
export function notFetched(): Promise<never> {
  return Promise.reject(new Error("This was not to be fetched"));
}
