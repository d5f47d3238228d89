/**
 * What is said where a server cannot be used: which one, why, and what to type.
 * Addresses in these sentences never have a password in them.
 *
 * @module
 */

import {
  AuthorizationError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  UserAuthenticationExpiredError,
} from "@nats-io/nats-core";
import { BrokenExecutorError } from "../errors.ts";
import { because } from "../text.ts";
import type { ConnectionSettings } from "./connection_options.ts";
import { SecurityError } from "./transport.ts";

/** The error for what will not be otherwise if it is tried again; `undefined` if it may be. */
export function refusalOf(
  cause: unknown,
  settings: ConnectionSettings,
): BrokenExecutorError | undefined {
  const { servers, scheme, credentials, tls } = settings;
  const server = servers.join(", ");
  const refuse = (why: string, todo: string) =>
    new BrokenExecutorError(`${why}${because(cause)}: ${todo}`, { cause });
  if (
    cause instanceof AuthorizationError ||
    cause instanceof UserAuthenticationExpiredError
  ) {
    return refuse(
      `NATS at ${server} lets nobody in with ${
        credentials === undefined ? "no" : "these"
      } credentials`,
      credentials === undefined
        ? "give user and password, a token, an nkey or a file in 'credentials'"
        : "look up what its configuration says of users, and give that in 'credentials'",
    );
  }
  if (cause instanceof SecurityError) {
    return refuse(
      `Cannot use NATS at ${server}`,
      scheme === "tls"
        ? "give the server a certificate, or write nats:// and leave 'tls' out"
        : "write tls://",
    );
  }
  if (cause instanceof Deno.errors.InvalidData) {
    return refuse(
      `Cannot agree with NATS at ${server} on TLS`,
      `${
        tls.caFile === undefined
          ? "name the authority that has signed its certificate in 'tls.caFile'"
          : "look whether 'tls.caFile' has signed its certificate, for that host"
      }${
        tls.certFile === undefined
          ? ", and one of your own in 'tls.certFile' if it asks for that"
          : ""
      }`,
    );
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return refuse(
      `May not connect to NATS at ${server}`,
      `run with ${allowances(settings)}`,
    );
  }
}

/** The error for a server that has not answered in time. */
export function unreachable(
  cause: unknown,
  { servers, connectTimeout }: ConnectionSettings,
): BrokenExecutorError {
  return new BrokenExecutorError(
    `Cannot reach NATS at ${servers.join(", ")} within ${connectTimeout} ms${
      because(cause)
    }: start it with nats-server -js -sd DIR, or name another in 'servers'`,
    { cause },
  );
}

/** The error for a server that is there, but queues nothing. */
export function noJetStream(
  server: string,
  failed: unknown,
): BrokenExecutorError {
  const cause = failed instanceof RequestError
    ? failed.cause ?? failed
    : failed;
  return cause instanceof PermissionViolationError
    ? new BrokenExecutorError(
      `NATS at ${server} does not let this user use JetStream${
        because(cause)
      }: give the user the permissions in docs/nats.conf`,
      { cause },
    )
    : new BrokenExecutorError(
      `NATS at ${server} has no JetStream${
        cause instanceof NoRespondersError ? "" : because(cause)
      }: start it with nats-server -js -sd DIR, or enable JetStream for the account`,
      { cause },
    );
}

/** The flags without which nothing can be sent there. */
function allowances({ servers, tls }: ConnectionSettings): string {
  const hosts = servers.map((server) => server.split("/")[2]!);
  // See secure_line.ts.
  if (tls.certFile !== undefined) hosts.push("127.0.0.1");
  return `--allow-net=${hosts.join(",")}`;
}
