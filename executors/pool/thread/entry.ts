/**
 * The entry module of a Web Worker: greeted by whoever started it, it connects
 * the loop with the transport, and sees to it that no end is silent.
 *
 * @module
 */

import { apply } from "../../runtime/builtins.ts";
import { setMainModule } from "../../runtime/main_module.ts";
// Known before any bundle is loaded, whose copy of this package asks for them.
import "../entries.ts";
import { type EncodedError, encodeError } from "../wire/codec.ts";
import type { ToHost, ToWorker } from "../wire/protocol.ts";
import { canClone } from "../wire/sendable.ts";
import { Slots } from "../wire/slots.ts";
import { type HostLine, WorkerLoop } from "../worker/loop.ts";
import type { Greeting, OwnProcess } from "./greeting.ts";
import { locks } from "./locks.ts";
import { PortLine } from "./port_line.ts";
import { beat, countSent } from "./pulse.ts";

/** The part of a worker's global scope that the types of a program's do not have. */
interface WorkerScope extends EventTarget {
  onmessage: ((event: MessageEvent<Greeting>) => void) | null;
  close(): void;
}
const scope = globalThis as unknown as WorkerScope;
const { preventDefault } = Event.prototype;

// Set while the module is evaluated: later, the greeting would be lost.
if (import.meta.main) scope.onmessage = ({ data }) => greeted(data);

async function greeted(
  { name, port, slots, lock, main, process }: Greeting,
): Promise<void> {
  scope.onmessage = null;
  setMainModule(main);
  const line = new PortLine<ToWorker, ToHost>(port);
  const count = countSent(slots);
  const send: Out["send"] = (message, transferables) => {
    line.send(message, transferables);
    count();
  };
  const out = process === undefined
    ? { send, carries: canClone }
    : await openPackets(send, process);
  const loop = new WorkerLoop({ name, slots: new Slots(slots), ...out });
  announceEnd(
    loop,
    (error) => encodeError(error, `worker ${name}`, out.carries),
  );
  beat(slots);
  await hold(lock);
  send(["up"]);
  line.listen((message) => loop.received(message));
}

/** How a worker sends to its host. */
type Out = Pick<HostLine, "send" | "carries">;

/**
 * The way out of a worker process: straight into its standard error stream, so
 * that no message is lost, however the process ends. The thread that started
 * this one also gets the last words, as it has to end the process.
 */
async function openPackets(
  sendToMain: Out["send"],
  { mark, inputMoved }: OwnProcess,
): Promise<Out> {
  const [{ PacketWriter }, { canSerialize }] = await Promise.all([
    import("../process/packets.ts"),
    import("../process/serialize.ts").then(async (serialize) => {
      await serialize.loadSerializer();
      return serialize;
    }),
  ]);
  if (!inputMoved) (await import("../process/standard_input.ts")).hideInput();
  const packets = new PacketWriter(mark, "task");
  return {
    carries: canSerialize,
    send(message, transferables) {
      try {
        packets.write(message, transferables);
      } finally {
        if (message[0] === "closing") sendToMain(message);
      }
    },
  };
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
