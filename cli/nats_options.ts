/**
 * The options of every command that connects to a NATS server, and what they
 * come to.
 *
 * @module
 */

import type { NatsConnectionOptions } from "../executors/nats/connection_options.ts";
import { CommandError } from "./command.ts";
import { describe } from "./map_block.ts";
import { type Option, option, path, type Values } from "./options.ts";

/**
 * The option by which a command uses a pool, before those of
 * {@linkcode CONNECTION}, which go with it.
 *
 * @param help What the command does with the pool.
 */
export function on(help: string): Option<string | undefined> {
  return {
    help: `${help}: the URL of its server, which the options below go with`,
    placeholder: "URL",
    wanted: "the URL of a NATS server",
    default: undefined,
    read: (text) => text || undefined,
  };
}

/** Which pool, and who connects. */
export const CONNECTION = {
  pool: option<string | undefined>({
    help: "which of the pools that share the server",
    placeholder: "NAME",
    wanted: "up to 64 letters, digits, _ and -",
    default: undefined,
    defaultText: "default",
    read: (text) => /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : undefined,
  }),
  creds: option({
    ...path("FILE"),
    help: "who connects: JWT and seed of a user, as nsc writes them",
  }),
  nkey: option({
    ...path("FILE"),
    help: "who connects: the seed of an nkey",
  }),
  "tls-ca": option({
    ...path("FILE"),
    help: "who has signed the certificate of the server, in PEM",
  }),
  "tls-cert": option({
    ...path("FILE"),
    help: "a certificate for servers that ask for one, in PEM",
  }),
  "tls-key": option({ ...path("FILE"), help: "the key of that certificate" }),
};

/** The names of these options. */
const NAMES = Object.keys(CONNECTION) as (keyof typeof CONNECTION)[];

/**
 * Checks that there is a server that the options are about.
 *
 * @param values The options, with the one that {@linkcode on} makes.
 * @throws {CommandError} If there are options, and no server.
 */
export function checkOn(
  values: Values<typeof CONNECTION> & { readonly on: string | undefined },
): void {
  if (values.on !== undefined) return;
  const misplaced = NAMES.find((name) => values[name] !== undefined);
  if (misplaced === undefined) return;
  throw new CommandError(`--${misplaced} goes with --on`);
}

/** What a user has said of a server, checked. */
export interface ServerChoice {
  /** For whoever connects. */
  readonly options: NatsConnectionOptions;
  /** The address, which can be shown. */
  readonly server: string;
  readonly pool: string;
}

/**
 * Checks the URL of a server, and the options.
 *
 * @param url The URL, which may have a user and a password in it.
 * @param values The options.
 * @throws {CommandError} If they make no sense; no message shows a password.
 */
export async function chooseServer(
  url: string,
  values: Values<typeof CONNECTION>,
): Promise<ServerChoice> {
  const { pool, creds, nkey } = values;
  if (creds !== undefined && nkey !== undefined) {
    throw new CommandError("--creds and --nkey both say who connects");
  }
  const caFile = values["tls-ca"];
  const certFile = values["tls-cert"];
  const keyFile = values["tls-key"];
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new CommandError("--tls-cert and --tls-key go together");
  }
  const tls = {
    ...caFile === undefined ? {} : { caFile },
    ...certFile === undefined ? {} : { certFile },
    ...keyFile === undefined ? {} : { keyFile },
  };
  const options: NatsConnectionOptions = {
    servers: url,
    ...pool === undefined ? {} : { pool },
    ...creds === undefined ? {} : { credentials: { credsFile: creds } },
    ...nkey === undefined
      ? {}
      : { credentials: { nkeySeed: await readSeed(nkey) } },
    ...Object.keys(tls).length === 0 ? {} : { tls },
  };
  // Other commands do not need it.
  const { checkConnectionOptions } = await import(
    "../executors/nats/connection_options.ts"
  );
  try {
    const settings = checkConnectionOptions(options, "futures");
    return {
      options,
      server: settings.servers.join(", "),
      pool: settings.pool,
    };
  } catch (error) {
    throw new CommandError(describe(error).message);
  }
}

/** Reads a seed, which may have comments and the lines of a PEM around it. */
async function readSeed(path: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new CommandError(
      `cannot read --nkey ${path}: ${describe(error).message}`,
    );
  }
  const [seed] = /\bSU[A-Z2-7]{56}\b/.exec(text) ?? [];
  if (seed === undefined) {
    throw new CommandError(
      `--nkey ${path} has no seed of a user in it, SU and 56 more letters and digits: nk -gen user writes one`,
    );
  }
  return seed;
}
