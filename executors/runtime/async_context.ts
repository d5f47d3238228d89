/**
 * Async contexts: what every `AsyncLocalStorage` has for the code that runs, and
 * OpenTelemetry as its active span. Deno passes a context on to all that such
 * code starts; this module takes the context of who submits something, and runs
 * functions in it later.
 *
 * The public way is an `AsyncResource`. It takes 5 ms to load and, from 2.7 on,
 * more than a microsecond for each context, as Deno has it finalized. So this
 * module asks for the two functions by which Deno itself does the same, which
 * all versions from 2.4 to 2.9 have where their own tests find them, and makes
 * do with the public way where they are missing.
 *
 * @module
 */

import type * as asyncHooks from "node:async_hooks";
import { nodeBuiltin } from "./node_builtin.ts";

/** The async context of some code; `undefined` is that of the program, outside of all others. */
export type AsyncContext = object | undefined;

/** How contexts are read and set. */
interface Contexts {
  /** The context of the calling code. */
  readonly current: () => AsyncContext;
  /** Whether the calling code is in a context, if that is quickly known. */
  readonly isCurrent: (context: AsyncContext) => boolean;
  /** Calls a function in a context. */
  readonly run: <R>(context: AsyncContext, fn: () => R) => R;
}

/** What Deno's own code has of this. */
interface DenoCore {
  readonly getAsyncContext?: () => AsyncContext;
  readonly setAsyncContext?: (context: AsyncContext) => void;
}

const contexts = denoContexts() ?? publicContexts();

/** The context of the calling code: in it, {@linkcode runIn} calls functions later. */
export const currentContext: () => AsyncContext = contexts.current;

/** Whether the calling code is in a context, so that there is no need for {@linkcode runIn}; false if that is not known. */
export const isCurrentContext: (context: AsyncContext) => boolean =
  contexts.isCurrent;

/**
 * Calls a function in a context; what the function starts is in it too.
 *
 * @param context The context; `undefined` is outside of all.
 * @param fn The function.
 * @returns What the function returns.
 */
export const runIn: <R>(context: AsyncContext, fn: () => R) => R = contexts.run;

/** By the functions of Deno, if they are there. */
function denoContexts(): Contexts | undefined {
  const { internal } = Deno as unknown as { internal?: symbol };
  if (internal === undefined) return undefined;
  const internals = (Deno as unknown as Record<symbol, { core?: DenoCore }>)[
    internal
  ];
  const { getAsyncContext, setAsyncContext } = internals?.core ?? {};
  if (getAsyncContext === undefined || setAsyncContext === undefined) {
    return undefined;
  }
  return {
    current: getAsyncContext,
    isCurrent: (context) => getAsyncContext() === context,
    run: (context, fn) => {
      const before = getAsyncContext();
      if (before === context) return fn();
      setAsyncContext(context);
      try {
        return fn();
      } finally {
        setAsyncContext(before);
      }
    },
  };
}

/** By `AsyncResource`, which has no way to tell that a context is the program's. */
function publicContexts(): Contexts {
  const { AsyncResource } = nodeBuiltin<typeof asyncHooks>("node:async_hooks");
  const take = () => new AsyncResource("@concurrent/futures");
  // As this module is loaded, which is outside of all.
  const program = take();
  return {
    current: take,
    isCurrent: () => false,
    run: (context, fn) =>
      ((context ?? program) as asyncHooks.AsyncResource).runInAsyncScope(fn),
  };
}
