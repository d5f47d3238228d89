/**
 * Messages as bytes, by the same structured clone that carries them between
 * threads. What only a thread can be given is refused: shared memory, ports.
 *
 * @module
 */

import { nodeBuiltin } from "./node_builtin.ts";

/** What is used of `node:v8`: the bare serializer, whose buffers come out as structured clone has them. */
interface V8 {
  Serializer: new () => {
    writeHeader(): void;
    writeValue(value: unknown): void;
    releaseBuffer(): Uint8Array<ArrayBuffer>;
  };
  Deserializer: new (bytes: Uint8Array) => {
    readHeader(): void;
    readValue(): unknown;
  };
}

let v8: V8 | undefined;

/** Loads what the functions below need; they would do so themselves, but that takes longer. */
export async function loadSerializer(): Promise<void> {
  v8 ??= await import("node:v8") as unknown as V8;
}

/**
 * Encodes a message. `transferables` are moved: their bytes are in the message,
 * and here they are detached.
 *
 * @throws {DOMException} If something in it cannot be cloned, or moved.
 */
export function serialize(
  message: unknown,
  transferables: readonly Transferable[] = [],
): Uint8Array<ArrayBuffer> {
  for (const transferable of transferables) checkMovable(transferable);
  refuseHostObjects(message, new Set());
  v8 ??= nodeBuiltin<V8>("node:v8");
  const serializer = new v8.Serializer();
  serializer.writeHeader();
  try {
    serializer.writeValue(message);
  } catch (error) {
    // An Error of V8's own, where structured clone has a DOMException.
    throw error instanceof Error && error.message.endsWith("not be cloned.")
      ? new DOMException(error.message, "DataCloneError")
      : error;
  }
  const bytes = serializer.releaseBuffer();
  for (const transferable of transferables) {
    (transferable as ArrayBuffer).transfer();
  }
  return bytes;
}

/** The message again. */
export function deserialize(bytes: Uint8Array): unknown {
  v8 ??= nodeBuiltin<V8>("node:v8");
  const deserializer = new v8.Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** What structured clone knows by itself, and V8 takes for an object without fields. */
const HOST_CLASSES = [
  MessagePort,
  Blob,
  CryptoKey,
  ReadableStream,
  WritableStream,
  TransformStream,
];

function refuseHostObjects(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  if (ArrayBuffer.isView(value)) return;
  seen.add(value);
  if (Array.isArray(value)) {
    for (const element of value) refuseHostObjects(element, seen);
  } else if (value instanceof Map || value instanceof Set) {
    for (const entry of value) refuseHostObjects(entry, seen);
  } else {
    const host = HOST_CLASSES.find((it) => value instanceof it);
    if (host !== undefined) {
      throw new DOMException(
        `A ${host.name} cannot be sent to another process.`,
        "DataCloneError",
      );
    }
    for (const field of Object.values(value)) refuseHostObjects(field, seen);
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
