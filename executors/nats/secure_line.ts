/**
 * TLS on a connection that has begun in the clear.
 *
 * @module
 */

/** What is in the files of the option `tls`, as PEM. */
export interface Certificates {
  /** Whom to believe, beside those whom Deno believes. */
  readonly ca: string | undefined;
  /** Who this is, if the server wants to know. */
  readonly own: { readonly cert: string; readonly key: string } | undefined;
}

/** Goes on by TLS, with the server of this name; the handshake is still to come. */
export async function secure(
  tcp: Deno.TcpConn,
  hostname: string,
  { ca, own }: Certificates,
): Promise<Deno.TlsConn> {
  const caCerts = ca === undefined ? [] : [ca];
  if (own !== undefined) {
    return await secureWithOwn(tcp, hostname, caCerts, own);
  }
  return await Deno.startTls(tcp, { hostname, caCerts });
}

/**
 * `Deno.startTls()` takes no certificate of one's own, and `node:tls` loses it
 * on Deno 2.4. `Deno.connectTls()` takes one, but begins with a new connection:
 * so that goes to a loopback port of this program, and from there its bytes,
 * which are encrypted by then, go on as they are.
 */
async function secureWithOwn(
  tcp: Deno.TcpConn,
  hostname: string,
  caCerts: string[],
  own: { cert: string; key: string },
): Promise<Deno.TlsConn> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const line = await Deno.connectTls({
    hostname: "127.0.0.1",
    port: listener.addr.port,
    caCerts,
    ...own,
    // Whom the certificate has to be of, as the address is another one.
    ...{ [Symbol.for("unstableServerName")]: hostname },
  });
  try {
    relay(await acceptFrom(listener, line.localAddr), tcp);
    return line;
  } catch (error) {
    line.close();
    throw error;
  }
}

/** The connection from this address: every program on the machine can connect. */
async function acceptFrom(
  listener: Deno.TcpListener,
  address: Deno.NetAddr,
): Promise<Deno.TcpConn> {
  while (true) {
    const accepted = await listener.accept();
    if (accepted.remoteAddr.port === address.port) {
      accepted.setNoDelay(true);
      return accepted;
    }
    accepted.close();
  }
}

/** Until one of them ends, and then the other does. */
function relay(a: Deno.Conn, b: Deno.Conn): void {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.readable.pipeTo(to.writable).catch(() => {});
  }
}
