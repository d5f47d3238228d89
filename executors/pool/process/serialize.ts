/**
 * Turns messages into bytes and back, by the same structured clone that carries
 * them between threads. Refuses what only a thread can be given, such as shared
 * memory and ports.
 *
 * @module
 */

import { nodeBuiltin } from "../../runtime/node_builtin.ts";
import {
  describeExceptions,
  type LostException,
  reviveExceptions,
} from "../wire/revive.ts";
import { checkSendable } from "../wire/sendable.ts";

/**
 * The part of `node:v8` that is used here: the bare serializer, which writes
 * buffers as structured clone does.
 */
interface V8 {
  Serializer: new () => {
    writeHeader(): void;
    writeUint32(number: number): void;
    writeValue(value: unknown): void;
    releaseBuffer(): Uint8Array<ArrayBuffer>;
  };
  Deserializer: new (bytes: Uint8Array) => {
    readHeader(): void;
    readUint32(): number;
    readValue(): unknown;
  };
}

let v8: V8 | undefined;

/** Loads `node:v8`; the functions below would do so themselves, but that takes longer. */
export async function loadSerializer(): Promise<void> {
  v8 ??= await import("node:v8") as unknown as V8;
}

/**
 * Encodes a message.
 *
 * @param message The message.
 * @param transferables Buffers that are moved: their bytes are in the message,
 * and here they are detached. Left out if all values are plain.
 * @returns The bytes of the message.
 * @throws {DOMException} If a part of the message cannot be cloned, or moved.
 */
export function serialize(
  message: unknown,
  transferables?: readonly Transferable[],
): Uint8Array<ArrayBuffer> {
  const moved = transferables?.length ?? 0;
  for (let i = 0; i < moved; i++) checkMovable(transferables![i]!);
  const exceptions = transferables === undefined
    ? []
    : checkSendable(message, "process", transferables);
  v8 ??= nodeBuiltin<V8>("node:v8");
  const serializer = new v8.Serializer();
  serializer.writeHeader();
  serializer.writeUint32(exceptions.length);
  try {
    serializer.writeValue(message);
    if (exceptions.length > 0) {
      serializer.writeValue(describeExceptions(exceptions));
    }
  } catch (error) {
    // V8 throws an Error where structured clone throws a DOMException.
    throw error instanceof Error && error.message.endsWith("not be cloned.")
      ? new DOMException(error.message, "DataCloneError")
      : error;
  }
  const bytes = serializer.releaseBuffer();
  for (let i = 0; i < moved; i++) (transferables![i] as ArrayBuffer).transfer();
  return bytes;
}

/** Decodes a message; throws if it is nested too deeply for the stack. */
export function deserialize(bytes: Uint8Array): unknown {
  v8 ??= nodeBuiltin<V8>("node:v8");
  const deserializer = new v8.Deserializer(bytes);
  deserializer.readHeader();
  const exceptions = deserializer.readUint32();
  const message = deserializer.readValue();
  if (exceptions > 0) {
    const lost = deserializer.readValue() as readonly LostException[];
    reviveExceptions(message, lost);
  }
  return message;
}

/** Whether a value can be sent to another process, and read there. */
export function canSerialize(value: unknown): boolean {
  try {
    deserialize(serialize(value, []));
    return true;
  } catch {
    return false;
  }
}

function checkMovable(transferable: Transferable): void {
  if (!(transferable instanceof ArrayBuffer)) {
    throw new DOMException(
      `${transferable} cannot be moved to another process`,
      "DataCloneError",
    );
  }
  if (transferable.detached) {
    throw new DOMException(
      "An ArrayBuffer is detached and could not be cloned.",
      "DataCloneError",
    );
  }
}
