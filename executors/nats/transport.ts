/**
 * How the client library of NATS reaches a server from Deno: TCP, TLS and
 * WebSockets behind its interface of a transport.
 *
 * ```text
 * nats-core ──send()──► Transport ──write()──► Line: TCP, TLS or WebSocket ──► server
 *           ◄─iterates─           ◄──read()───
 * ```
 *
 * The library has one transport for the whole program, and asks for it again
 * whenever it reconnects. So this one does all protocols: with `wsconnect()`,
 * the library's own way to WebSockets, a program with connections of both kinds
 * would have some reconnect by the wrong one.
 *
 * @module
 */

import type { ConnectionOptions, Server } from "@nats-io/nats-core";
import type { Transport } from "@nats-io/nats-core/internal";
import type { Scheme } from "./connection_options.ts";
import type { Line } from "./line.ts";
import { Deque } from "../runtime/deque.ts";
import { startTimer } from "../runtime/timer.ts";
import { isLoopback } from "./loopback.ts";
import { openSocket } from "./web_socket_line.ts";
import { type Certificates, secure } from "./secure_line.ts";

/** What the transport has to know, beside what the library's options tell. */
export interface TransportOptions extends ConnectionOptions {
  readonly scheme: Scheme;
  readonly certificates: Certificates;
  /** Whether what is sent is for nobody else to read, so that only loopback may be reached in the clear. */
  readonly secret: boolean;
  /** Why a server has ended a connection without a word, which the library does not tell. */
  readonly onSilentEnd: (error: unknown) => void;
}

/** As much as a server sends at a time when it is busy. */
const BUFFER_BYTES = 2 ** 18;

/** So many bytes are written at a time, unless one message has more. */
const JOINED_BYTES = 2 ** 16;

/** So many microtasks a write waits for what else is said in this turn of the event loop: a microsecond. */
const MICROTASKS = 20;

/** A server that is frozen takes nothing any more, and is not waited for longer. */
const LAST_WORDS_MS = 1000;

/** The first line that a server sends ends within so many bytes. */
const MAX_INFO_BYTES = 2 ** 16;

/** What a server says that lets nobody in. */
const REFUSAL = new TextEncoder().encode("-ERR 'Authorization Violation'\r\n");

/** What is to be said of a server that cannot be talked to in the way that was asked for. */
export class SecurityError extends Error {}

/** One connection to one server. */
export class DenoTransport implements Transport {
  readonly lang = "@concurrent/futures";
  readonly version = "1";
  closeError?: Error;
  #line: Line | undefined;
  #encrypted = false;
  #onSilentEnd: (error: unknown) => void = () => {};
  /** What was read to see how to go on, and belongs to whoever iterates. */
  #first: Uint8Array = new Uint8Array();
  #isClosed = false;
  readonly #giveUp = new AbortController();
  readonly #closed = Promise.withResolvers<void | Error>();
  /** What is to be written, in order, and whether somebody is at it. */
  readonly #frames = new Deque<Uint8Array>();
  #writing: Promise<void> | undefined;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  isEncrypted(): boolean {
    return this.#encrypted;
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const { scheme, secret, certificates, onSilentEnd } =
      options as TransportOptions;
    this.#onSilentEnd = onSilentEnd;
    const clear = scheme === "nats" || scheme === "ws";
    // A server tells of others in its cluster, wherever those may be.
    if (secret && clear && !isLoopback(server.hostname)) {
      throw new SecurityError(
        `${server.listen} is not on this machine, so credentials would travel in the clear`,
      );
    }
    if (scheme === "ws" || scheme === "wss") {
      this.#take(await openSocket(addressOf(server, scheme)));
      this.#encrypted = scheme === "wss";
    } else {
      await this.#connectTcp(server, scheme, certificates);
    }
  }

  /** The server speaks first, in the clear, and both go on as it says. */
  async #connectTcp(
    { hostname, port, tlsName }: Server,
    scheme: Scheme,
    certificates: Certificates,
  ): Promise<void> {
    const { signal } = this.#giveUp;
    const tcp = await Deno.connect({ hostname, port, signal });
    this.#take(tcp);
    // Deno leaves Nagle's algorithm on, by which small messages wait 44 ms.
    tcp.setNoDelay(true);
    this.#first = await readInfo(tcp);
    const info = parseInfo(this.#first);
    const offered = info.tls_required === true || info.tls_available === true;
    if (scheme === "tls" && !offered) {
      throw new SecurityError("the server does not offer TLS");
    }
    if (scheme === "nats" && info.tls_required !== true) return;
    // What came behind it, in the clear, is nothing that the server has said.
    const end = this.#first.indexOf(LINE_FEED) + 1;
    this.#first = this.#first.subarray(0, end);
    const line = await secure(tcp, tlsName || hostname, certificates);
    this.#take(line);
    await line.handshake();
    this.#encrypted = true;
  }

  /** From now on this is the line, which ends with the transport. */
  #take(line: Line): void {
    this.#line = line;
    if (!this.#isClosed) return;
    close(line);
    throw new Deno.errors.Interrupted("the connection was given up");
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    if (this.#first.length > 0) yield this.#first;
    const line = this.#line!;
    const buffer = new Uint8Array(BUFFER_BYTES);
    let failed: Error | undefined;
    let heard = false;
    try {
      while (!this.#isClosed) {
        const length = await line.read(buffer);
        if (length === null) break;
        heard = true;
        // Messages are parts of what they came in, so that this is theirs.
        yield buffer.slice(0, length);
      }
    } catch (error) {
      failed = error as Error;
    }
    if (!heard && !this.#isClosed) {
      this.#onSilentEnd(failed ?? new Error("the server has closed it"));
      // The library would wait for an answer until its time is up.
      yield REFUSAL;
    }
    this.#end(failed);
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    this.#frames.push(frame);
    this.#writing ??= this.#write();
  }

  /** Writes all that there is; the library finds out about failures as it reads. */
  async #write(): Promise<void> {
    try {
      // An acknowledgement, and what is said next, are said in one turn.
      for (let i = 0; i < MICROTASKS; i++) await undefined;
      while (this.#frames.length > 0) {
        let rest = this.#takeFrames();
        while (rest.length > 0) {
          rest = rest.subarray(await this.#line!.write(rest));
        }
      }
    } catch {
      this.#end();
    } finally {
      this.#writing = undefined;
    }
  }

  /** Takes frames that are written as one: for small ones, each write costs more than all their bytes. */
  #takeFrames(): Uint8Array {
    const frames = [this.#frames.shift()!];
    let { length } = frames[0]!;
    for (
      let next = this.#frames.peek();
      next !== undefined && length + next.length <= JOINED_BYTES;
      next = this.#frames.peek()
    ) {
      frames.push(this.#frames.shift()!);
      length += next.length;
    }
    if (frames.length === 1) return frames[0]!;
    const joined = new Uint8Array(length);
    let at = 0;
    for (const frame of frames) {
      joined.set(frame, at);
      at += frame.length;
    }
    return joined;
  }

  /** Writes what is left, unless something has failed, and ends. */
  async close(error?: Error): Promise<void> {
    if (error === undefined && this.#writing !== undefined) {
      const late = Promise.withResolvers<void>();
      const stop = startTimer(LAST_WORDS_MS, late.resolve);
      await Promise.race([this.#writing, late.promise]).finally(stop);
    }
    this.#end(error);
  }

  disconnect(): void {
    this.#end();
  }

  discard(): void {
    this.#end();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  #end(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveUp.abort();
    if (error !== undefined) this.closeError = error;
    if (this.#line !== undefined) close(this.#line);
    this.#closed.resolve(error);
  }
}

/** Everything up to the end of the first line, and perhaps more. */
async function readInfo(tcp: Deno.Conn): Promise<Uint8Array> {
  const buffer = new Uint8Array(MAX_INFO_BYTES);
  let end = 0;
  while (end < buffer.length) {
    const length = await tcp.read(buffer.subarray(end));
    if (length === null) {
      throw new Deno.errors.ConnectionReset("the server has closed it");
    }
    end += length;
    if (buffer.lastIndexOf(LINE_FEED, end - 1) >= 0) break;
  }
  return buffer.subarray(0, end);
}

const LINE_FEED = 10;

/** What the server says of itself. */
function parseInfo(
  bytes: Uint8Array,
): { tls_required?: unknown; tls_available?: unknown } {
  const [, json] = /^INFO\s+(\{.*\})\s*\r\n/.exec(
    new TextDecoder().decode(bytes),
  ) ?? [];
  try {
    return JSON.parse(json ?? "");
  } catch {
    throw new TypeError("what answers there is no NATS server");
  }
}

/** With the path that the URL of a server may have; others have none. */
function addressOf({ src, listen }: Server, scheme: Scheme): string {
  return src.includes("://") ? src : `${scheme}://${listen}`;
}

function close(line: { close(): void }): void {
  try {
    line.close();
  } catch {
    // It has failed before.
  }
}
