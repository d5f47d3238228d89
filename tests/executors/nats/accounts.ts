/**
 * Users that a server knows by their keys: by nkeys in its configuration, or
 * by JWTs that an operator has signed.
 *
 * @module
 */

import { nkeys } from "@nats-io/nats-core";

/** A user with a key of its own, and what the configuration has to say of it. */
export function makeNkeyUser(): { seed: string; config: string } {
  const user = nkeys.createUser();
  return {
    seed: new TextDecoder().decode(user.getSeed()),
    config: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
  };
}

/** A user in an account of an operator: the file of the user, and the configuration of a server that believes the operator. */
export function makeJwtUser(): { creds: string; config: string } {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const system = nkeys.createAccount();
  const user = nkeys.createUser();
  const sign = (
    issuer: ReturnType<typeof nkeys.createUser>,
    subject: string,
    type: string,
    about: object = {},
  ) => {
    const encode = (part: object) =>
      base64(new TextEncoder().encode(JSON.stringify(part)));
    const text = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${
      encode({
        jti: crypto.randomUUID(),
        iat: Math.floor(Date.now() / 1000),
        iss: issuer.getPublicKey(),
        sub: subject,
        name: type,
        nats: { type, version: 2, ...about },
      })
    }`;
    return `${text}.${base64(issuer.sign(new TextEncoder().encode(text)))}`;
  };
  const key = account.getPublicKey();
  const systemKey = system.getPublicKey();
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const limits = {
    ...unlimited,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const storage = {
    mem_storage: -1,
    disk_storage: -1,
    streams: -1,
    consumer: -1,
  };
  const accountJwt = sign(operator, key, "account", {
    limits: { ...limits, ...storage },
  });
  // It may have no JetStream, and has to be there for others to have any.
  const systemJwt = sign(operator, systemKey, "account", { limits });
  const userJwt = sign(account, user.getPublicKey(), "user", {
    pub: {},
    sub: {},
    ...unlimited,
  });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    creds:
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    config: `operator: ${
      sign(operator, operator.getPublicKey(), "operator")
    }\nsystem_account: ${systemKey}\nresolver: MEMORY\nresolver_preload: { ${key}: ${accountJwt}, ${systemKey}: ${systemJwt} }\n`,
  };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
