/**
 * What a Web Worker does from its first message on, whatever its entry module:
 * greeted by whoever started it, the worker connects its loop with the line to
 * its host, and sees to it that no end is silent.
 *
 * @module
 */

import { apply } from "../../runtime/builtins.ts";
import { setMainModule } from "../../runtime/main_module.ts";
// Known before any bundle is loaded, whose copy of this package asks for them.
import "../entries.ts";
import type { EncodedError } from "../wire/codec.ts";
import type { ToHost, ToWorker } from "../wire/protocol.ts";
import { Slots } from "../wire/slots.ts";
import { WorkerLoop } from "../worker/loop.ts";
import { encodeThrown, type HostLine } from "../worker/report.ts";
import type { Greeting } from "./greeting.ts";
import { locks } from "./locks.ts";
import { PortLine } from "./port_line.ts";
import { beat, countSent } from "./pulse.ts";

/** The part of a worker's global scope that the types of a program's do not have. */
interface WorkerScope extends EventTarget {
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}
const scope = globalThis as unknown as WorkerScope;
const { preventDefault } = Event.prototype;

/** How a worker sends to its host. */
export type WayOut = Pick<HostLine, "send" | "carries">;

/**
 * Makes the way out of the worker that the entry module is for; `send` is the
 * line to whoever started the worker, and `extra` is what the greeting brought.
 */
export type OpenWayOut<Extra> = (
  send: WayOut["send"],
  extra: Extra,
) => WayOut | Promise<WayOut>;

/** Serves; to be called while the entry module is evaluated: later, the greeting would be lost. */
export function serve<Extra>(open: OpenWayOut<Extra>): void {
  scope.onmessage = ({ data }) => greeted(data as Greeting<Extra>, open);
}

async function greeted<Extra>(
  { name, port, slots, lock, main, extra }: Greeting<Extra>,
  open: OpenWayOut<Extra>,
): Promise<void> {
  scope.onmessage = null;
  setMainModule(main);
  const line = new PortLine<ToWorker, ToHost>(port);
  const count = countSent(slots);
  const send: WayOut["send"] = (message, transferables) => {
    line.send(message, transferables);
    count();
  };
  const out = await open(send, extra);
  const loop = new WorkerLoop({ name, slots: new Slots(slots), ...out });
  const thrower = { name, carries: out.carries };
  announceEnd(loop, (error) => encodeThrown(thrower, error));
  beat(slots);
  await hold(lock);
  send(["up"]);
  line.listen((message) => loop.received(message));
}

/**
 * Takes the lock that is free again when this worker is gone, however it went;
 * takes it again if a task steals it.
 */
function hold(lock: string): Promise<void> {
  return new Promise((resolve) => {
    if (locks === undefined) return resolve();
    const held = () => {
      resolve();
      return new Promise(() => {});
    };
    const stolen = (error: unknown) => {
      if ((error as Error)?.name === "AbortError") again();
    };
    const again = () => void locks!.request(lock, {}, held).catch(stolen);
    again();
  });
}

/**
 * Has the loop report outcomes, and why the worker ends, on each way out that
 * leaves time for it.
 */
function announceEnd(
  loop: WorkerLoop,
  encode: (error: unknown) => EncodedError,
): void {
  let ended = false;
  const end = (cause?: EncodedError, exitCode?: number) => {
    if (ended) return;
    ended = true;
    loop.end(cause, exitCode);
  };
  const close = scope.close.bind(scope);
  scope.close = () => {
    try {
      end();
    } finally {
      close();
    }
  };
  // Deno.exit() and process.exit()
  scope.addEventListener("unload", () => end(undefined, Deno.exitCode));
  const die = (event: Event, error: unknown) => {
    // Without this, the program would end with the worker.
    apply(preventDefault, event, []);
    let cause: EncodedError | undefined;
    try {
      cause = encode(error);
    } catch {
      // A task has broken the globals that encoding needs; the outcomes are still reported.
    }
    try {
      end(cause);
    } finally {
      close();
    }
  };
  scope.addEventListener(
    "error",
    (event) => die(event, (event as ErrorEvent).error),
  );
  scope.addEventListener(
    "unhandledrejection",
    (event) => die(event, (event as PromiseRejectionEvent).reason),
  );
}
