/**
 * Where a server is and how to get in: what users say, checked at once, as no
 * later message may show a password.
 *
 * @module
 */

import { checkDuration, checkOptions } from "../arguments.ts";
import { show } from "../text.ts";
import { isLoopback } from "./loopback.ts";

/** How a server knows who comes. */
export type NatsCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of a user's nkey, which begins with `SU`. */
  | { readonly nkeySeed: string }
  /** A file with the JWT and the seed of a user, as `nsc` writes it. */
  | { readonly credsFile: string };

/** Certificates, as files in PEM. */
export interface NatsTls {
  /** Of the authority that has signed the server's certificate, if Deno does not know the authority. */
  readonly caFile?: string;
  /** Of this program, for servers that ask for one; `keyFile` is its key. */
  readonly certFile?: string;
  /** The key of `certFile`. */
  readonly keyFile?: string;
}

/** Options of everything that connects to a NATS server. */
export interface NatsConnectionOptions {
  /**
   * The URL of a server, or those of several of one cluster: `nats://` (with
   * TLS if the server asks for that), `tls://` (never without), `ws://` or
   * `wss://`. A user and a password in one count as `credentials`, as does a
   * token in the place of the user.
   *
   * @default {"nats://127.0.0.1:4222"}
   */
  servers?: string | readonly string[];
  /**
   * Which of the pools that share the server: up to 64 letters, digits, `_` and
   * `-`.
   *
   * @default {"default"}
   */
  pool?: string;
  /** Who connects; they go to other machines by `tls://` and `wss://` alone. */
  credentials?: NatsCredentials;
  /** Certificates; with this, `nats://` means `tls://`. */
  tls?: NatsTls;
  /**
   * How long a server that does not answer is tried, in milliseconds. One that
   * refuses fails at once.
   *
   * @default {5000}
   */
  connectTimeout?: number;
  /** Under which name the server lists the connection. */
  name?: string;
}

/** Options that were checked. */
export interface ConnectionSettings {
  /** Without user and password, each with a host and a port. */
  readonly servers: readonly string[];
  readonly scheme: Scheme;
  readonly pool: string;
  readonly credentials: NatsCredentials | undefined;
  readonly tls: NatsTls;
  readonly connectTimeout: number;
  readonly name: string;
}

const SCHEMES = ["nats", "tls", "ws", "wss"] as const;

/** How the bytes travel. */
export type Scheme = typeof SCHEMES[number];

/** The ports of those who name none. */
const PORTS: Readonly<Record<Scheme, string>> = {
  nats: "4222",
  tls: "4222",
  ws: "80",
  wss: "443",
};

/**
 * Checks options.
 *
 * @param options The options.
 * @param name The name of a connection that was given none.
 * @throws {TypeError} If one has the wrong type, or if credentials would travel
 * in the clear.
 * @throws {RangeError} If one is out of range.
 */
export function checkConnectionOptions(
  options: NatsConnectionOptions | undefined,
  name: string,
): ConnectionSettings {
  const checked = checkOptions(options);
  const servers = checkServers(checked.servers);
  const tls = checkTls(checked.tls, servers.scheme);
  const settings = {
    servers: servers.addresses,
    scheme: tls !== undefined ? "tls" : servers.scheme,
    pool: checkPool(checked.pool),
    credentials: oneOf(servers.credentials, checkCredentials(checked)),
    tls: tls ?? {},
    connectTimeout: checkDuration(
      "connectTimeout",
      checked.connectTimeout,
      5000,
    ),
    name: checkText("name", checked.name ?? name),
  };
  checkSecrecy(settings);
  return settings;
}

/** Addresses that can be shown, and what was in them that cannot. */
interface CheckedServers {
  readonly addresses: string[];
  readonly scheme: Scheme;
  readonly credentials: NatsCredentials | undefined;
}

function checkServers(
  servers: string | readonly string[] = "nats://127.0.0.1:4222",
): CheckedServers {
  const urls: readonly unknown[] = Array.isArray(servers) ? servers : [servers];
  if (urls.length === 0) {
    throw new RangeError("'servers' must have at least one URL: received []");
  }
  const [first, ...others] = urls.map(checkServer);
  const { scheme } = first!;
  let { credentials } = first!;
  for (const other of others) {
    if (other.scheme !== scheme) {
      throw new RangeError(
        `'servers' must all begin alike: received ${scheme}:// and ${other.scheme}://`,
      );
    }
    credentials ??= other.credentials;
    if (
      other.credentials !== undefined &&
      JSON.stringify(other.credentials) !== JSON.stringify(credentials)
    ) {
      throw new RangeError(
        "'servers' must be of one cluster, which knows users by one password: received several",
      );
    }
  }
  const addresses = [first!, ...others].map(({ address }) => address);
  return { addresses, scheme, credentials };
}

function checkServer(
  value: unknown,
): {
  address: string;
  scheme: Scheme;
  credentials: NatsCredentials | undefined;
} {
  const wanted =
    "'servers' must be a URL such as nats://10.0.0.5:4222, or several";
  if (typeof value !== "string") {
    // There may be a password somewhere in an object.
    const received = typeof value === "object" ? typeof value : show(value);
    throw new TypeError(`${wanted}: received ${received}`);
  }
  const [, word = "", rest = ""] = /^(\w+):\/\/(.*)$/s.exec(value) ?? [];
  const scheme = SCHEMES.find((scheme) => scheme === word);
  // As of the web, so that there is one way to write the address of a host.
  const url = scheme === undefined ? null : URL.parse(`http://${rest}`);
  // An "@" there is behind a password that has a "/" in it.
  const behind = url === null ? "" : url.pathname + url.search;
  const plain = url !== null && url.hash === "" && !behind.includes("@") &&
    (scheme === "ws" || scheme === "wss" || behind === "/");
  if (scheme === undefined || !plain) {
    throw new RangeError(`${wanted}: received ${show(withoutSecrets(value))}`);
  }
  // That of http is not kept.
  const port = url.port ||
    (/:80(?![\d.:])(?=\/|\?|$)/.test(rest) ? "80" : PORTS[scheme]);
  const path = url.pathname === "/" ? "" : url.pathname;
  return {
    address: `${scheme}://${url.hostname}:${port}${path}${url.search}`,
    scheme,
    credentials: credentialsOf(url),
  };
}

/** What is before the host. */
function credentialsOf(url: URL): NatsCredentials | undefined {
  if (url.username === "" && url.password === "") return undefined;
  let user: string;
  let password: string;
  try {
    user = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    throw new RangeError(
      "'servers' must have a percent sign in a password as %25: received one that stands for nothing",
    );
  }
  return password === "" ? { token: user } : { user, password };
}

/** As much of what is no URL as can be shown. */
function withoutSecrets(text: string): string {
  const host = text.lastIndexOf("@");
  if (host < 0) return text;
  const user = text.indexOf("://");
  return `${user < 0 || user > host ? "" : text.slice(0, user + 3)}***${
    text.slice(host)
  }`;
}

function checkPool(pool: string = "default"): string {
  checkText("pool", pool);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(pool)) {
    throw new RangeError(
      `'pool' must be 1 to 64 letters, digits, "_" and "-": received ${
        show(pool)
      }`,
    );
  }
  return pool;
}

/** What each kind of credentials is made of. */
const KINDS = [
  ["user", "password"],
  ["token"],
  ["nkeySeed"],
  ["credsFile"],
] as const;

function checkCredentials(
  { credentials }: { credentials?: unknown },
): NatsCredentials | undefined {
  if (credentials === undefined) return undefined;
  // What is in them is shown by no message.
  const keys = typeof credentials === "object" && credentials !== null
    ? Object.keys(credentials)
    : undefined;
  const kind = KINDS.find((kind) =>
    keys?.length === kind.length && kind.every((key) => keys.includes(key))
  );
  if (kind === undefined) {
    throw new TypeError(
      `'credentials' must be { user, password }, { token }, { nkeySeed } or { credsFile }: received ${
        keys === undefined
          ? credentials === null ? "null" : `a ${typeof credentials}`
          : `{ ${keys.join(", ")} }`
      }`,
    );
  }
  const values = credentials as Record<string, unknown>;
  for (const key of kind) {
    if (typeof values[key] !== "string") {
      throw new TypeError(
        `'credentials.${key}' must be a string: received a ${typeof values[
          key
        ]}`,
      );
    }
    if (values[key] === "") {
      throw new RangeError(
        `'credentials.${key}' must not be empty: received ""`,
      );
    }
  }
  if ("nkeySeed" in values && !/^SU[A-Z2-7]{56}$/.test(`${values.nkeySeed}`)) {
    throw new RangeError(
      "'credentials.nkeySeed' must be the seed of a user, SU and 56 more letters and digits: received something else",
    );
  }
  return { ...values } as unknown as NatsCredentials;
}

function oneOf(
  inUrl: NatsCredentials | undefined,
  given: NatsCredentials | undefined,
): NatsCredentials | undefined {
  if (inUrl !== undefined && given !== undefined) {
    throw new TypeError(
      "'credentials' must not be given twice: received some in 'servers' too",
    );
  }
  return inUrl ?? given;
}

function checkTls(
  tls: NatsTls | undefined,
  scheme: Scheme,
): NatsTls | undefined {
  if (tls === undefined) return undefined;
  if (tls === null || typeof tls !== "object") {
    throw new TypeError(`'tls' must be an object: received ${show(tls)}`);
  }
  if (scheme === "ws" || scheme === "wss") {
    throw new TypeError(
      `'tls' must be left out with ${scheme}://, as Deno alone decides whom it believes there: name the authority in the environment variable DENO_CERT`,
    );
  }
  const { caFile, certFile, keyFile } = tls;
  const files = { caFile, certFile, keyFile };
  for (const [name, file] of Object.entries(files)) {
    if (file !== undefined) checkText(`tls.${name}`, file);
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new TypeError(
      `'tls' must have both 'certFile' and 'keyFile', or neither: received ${
        certFile === undefined ? "'keyFile'" : "'certFile'"
      } alone`,
    );
  }
  return files as NatsTls;
}

/** Whoever listens could come back with them, and make nodes run anything. */
function checkSecrecy(
  { servers, scheme, credentials }: ConnectionSettings,
): void {
  if (credentials === undefined || scheme === "tls" || scheme === "wss") return;
  const far = servers.find((server) =>
    !isLoopback(new URL(server.replace(/^\w+/, "http")).hostname)
  );
  if (far === undefined) return;
  throw new TypeError(
    `Credentials must not travel in the clear: write ${
      far.replace(/^\w+/, scheme === "ws" ? "wss" : "tls")
    }, received ${far}`,
  );
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new TypeError(`'${name}' must be a string: received ${show(value)}`);
  }
  return value;
}
