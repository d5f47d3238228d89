/**
 * Who a node is, as it tells clients.
 *
 * @module
 */

import config from "../../../deno.json" with { type: "json" };
import { wallTime } from "../../runtime/clock.ts";
import type { MessageOf } from "../messages.ts";
import { PROTOCOL } from "../subjects.ts";

/** What of a node stays the same. */
export type Identity = Pick<
  MessageOf<"hello">,
  "name" | "host" | "deno" | "version" | "since"
>;

/**
 * Who a node is.
 *
 * @param name What its user calls it; by default its machine, and something
 * that tells it from others there.
 */
export function identify(name: string | undefined): Identity {
  const host = hostname();
  return {
    name: name ?? `${host}-${crypto.randomUUID().slice(0, 4)}`,
    host,
    deno: Deno.version.deno,
    version: config.version,
    since: wallTime(),
  };
}

/** The message by which clients know that a node is there. */
export function helloOf(
  identity: Identity,
  now: Pick<MessageOf<"hello">, "node" | "workers" | "busy" | "leaving">,
): MessageOf<"hello"> {
  return { type: "hello", protocol: PROTOCOL, ...identity, ...now };
}

/** Where permission has not been given, nobody is asked for it. */
function hostname(): string {
  const permission = { name: "sys", kind: "hostname" } as const;
  return Deno.permissions.querySync(permission).state === "granted"
    ? Deno.hostname().slice(0, 200)
    : "unknown";
}
