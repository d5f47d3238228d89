/**
 * The entry module of the Web Worker in a worker process. What the worker says
 * goes straight into the standard error stream, so that no message is lost,
 * however the process ends. The thread that started the worker also gets the
 * last words, as that thread has to end the process.
 *
 * @module
 */

import { serve } from "../thread/serve.ts";
import { PacketWriter } from "./packets.ts";
import { canSerialize, loadSerializer } from "./serialize.ts";

/** What the worker has to know of its process. */
export interface OwnProcess {
  /** The mark of the packets that the worker writes; see packets.ts. */
  readonly mark: string;
  /** Whether the standard input of the process carries no messages any more. */
  readonly inputMoved: boolean;
}

if (import.meta.main) {
  serve<OwnProcess>(async (send, { mark, inputMoved }) => {
    await loadSerializer();
    // Loaded only where it is needed, as each module takes a worker its time to start.
    if (!inputMoved) (await import("./standard_input.ts")).hideInput();
    const packets = new PacketWriter(mark, "task");
    return {
      carries: canSerialize,
      send(message, transferables) {
        try {
          packets.write(message, transferables);
        } finally {
          if (message[0] === "closing") send(message);
        }
      },
    };
  });
}
