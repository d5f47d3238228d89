/**
 * Getting into a server.
 *
 * @module
 */

import {
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from "@nats-io/nats-core";
import {
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/nats-core/internal";
import { BrokenExecutorError } from "../errors.ts";
import { monotonicTime } from "../runtime/clock.ts";
import { startTimer } from "../runtime/timer.ts";
import { because } from "../text.ts";
import type { ConnectionSettings, NatsTls } from "./connection_options.ts";
import type { Certificates } from "./secure_line.ts";
import { noJetStream, refusalOf, unreachable } from "./refusals.ts";
import { DenoTransport, type TransportOptions } from "./transport.ts";

/** A server that does not answer is asked again after so long. */
const RETRY_MS = 250;

/** A server that was there is waited for as long as this, each time. */
const DIAL_MS = 5000;

/**
 * After three of these without an answer a connection counts as lost: the
 * server's machine, or the way to it, may be gone without a word.
 */
const PING_MS = 4000;

/**
 * Connects, and makes sure of JetStream.
 *
 * @param settings Where, and as whom.
 * @param inbox The subject under which answers come.
 * @throws {BrokenExecutorError} If that cannot be.
 */
export async function connect(
  settings: ConnectionSettings,
  inbox: string,
): Promise<NatsConnection> {
  const options = await optionsOf(settings, inbox);
  const connection = await dial(settings, options);
  try {
    await checkJetStream(connection);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Tries until the time is up, unless the server has said no. */
async function dial(
  settings: ConnectionSettings,
  options: Omit<TransportOptions, "onSilentEnd">,
): Promise<NatsConnection> {
  const { connectTimeout } = settings;
  const begun = monotonicTime();
  while (true) {
    const left = begun + connectTimeout - monotonicTime();
    useTransport();
    let silence: unknown;
    try {
      const all: TransportOptions = {
        ...options,
        onSilentEnd: (error) => silence = error,
        timeout: Math.min(Math.max(left, 1), DIAL_MS),
      };
      const connection = await NatsConnectionImpl.connect(all);
      // From now on this is for each try to come back.
      (connection as NatsConnectionImpl).options.timeout = DIAL_MS;
      return connection;
    } catch (thrown) {
      const error = silence ?? thrown;
      const refusal = refusalOf(error, settings);
      if (refusal !== undefined) throw refusal;
      if (left <= RETRY_MS) throw unreachable(error, settings);
    }
    await new Promise<void>((resolve) => startTimer(RETRY_MS, resolve));
  }
}

/** The library has one for the whole program, which others may have set too. */
function useTransport(): void {
  setTransportFactory({ factory: () => new DenoTransport() });
}

async function optionsOf(
  settings: ConnectionSettings,
  inbox: string,
): Promise<Omit<TransportOptions, "onSilentEnd">> {
  const { servers, scheme, tls, credentials, name } = settings;
  return {
    servers: [...servers],
    name,
    inboxPrefix: inbox,
    scheme,
    secret: credentials !== undefined,
    certificates: await readCertificates(tls),
    ...scheme === "tls" ? { tls: {} } : {},
    ...await authentication(settings),
    // It says what is asked of it for as long as it is wanted.
    maxReconnectAttempts: -1,
    // A password that does not fit any more may fit again.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => {
      useTransport();
      return RETRY_MS;
    },
    pingInterval: PING_MS,
    noAsyncTraces: true,
  };
}

async function authentication(
  { credentials }: ConnectionSettings,
): Promise<ConnectionOptions> {
  if (credentials === undefined) return {};
  if ("user" in credentials) {
    return { user: credentials.user, pass: credentials.password };
  }
  if ("token" in credentials) return { token: credentials.token };
  const encoder = new TextEncoder();
  if ("nkeySeed" in credentials) {
    const seed = encoder.encode(credentials.nkeySeed);
    return { authenticator: nkeyAuthenticator(seed) };
  }
  const { credsFile } = credentials;
  const text = await readFile("credentials.credsFile", credsFile);
  const authenticator = credsAuthenticator(encoder.encode(text));
  try {
    // It throws as late as the server asks, and that would end the program.
    authenticator("nonce");
  } catch {
    throw new BrokenExecutorError(
      `Cannot use 'credentials.credsFile', ${credsFile}, as it has no JWT and seed of a user: write it with nsc generate creds`,
    );
  }
  return { authenticator };
}

async function readCertificates(
  { caFile, certFile, keyFile }: NatsTls,
): Promise<Certificates> {
  const [ca, cert, key] = await Promise.all([
    readFile("tls.caFile", caFile),
    readFile("tls.certFile", certFile),
    readFile("tls.keyFile", keyFile),
  ]);
  return {
    ca,
    own: cert !== undefined && key !== undefined ? { cert, key } : undefined,
  };
}

async function readFile(
  option: string,
  path: string | undefined,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new BrokenExecutorError(
      `Cannot read '${option}'${because(cause)}`,
      { cause },
    );
  }
}

/** Asks for what only JetStream answers. */
async function checkJetStream(connection: NatsConnection): Promise<void> {
  const server = connection.getServer();
  let said: { error?: { description: string } };
  try {
    const answer = await connection.request("$JS.API.INFO", undefined, {
      timeout: DIAL_MS,
    });
    said = answer.json();
  } catch (cause) {
    throw noJetStream(server, cause);
  }
  if (said.error !== undefined) {
    throw noJetStream(server, new Error(said.error.description));
  }
}
