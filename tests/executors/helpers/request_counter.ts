/**
 * A server on a loopback port that notes whatever reaches it. Deno is told to
 * use it as proxy and as both registries, so nothing leaves the machine unseen.
 *
 * @module
 */

/** See {@linkcode countRequests}. */
export interface RequestCounter extends AsyncDisposable {
  readonly port: number;
  /** What has come: the first line of each request, or of whatever else was sent. */
  readonly requests: string[];
  /** What Deno has to find in its environment. Its cache is empty. */
  readonly env: Record<string, string>;
}

/** The package that its npm registry has. */
export const PACKAGE = "greet";

/** Its only file. */
const FILES = {
  "package/package.json":
    `{ "name": "${PACKAGE}", "version": "1.0.0", "main": "index.js" }`,
  "package/index.js": `module.exports = (n) => "greet " + n;`,
};

/** Starts one. */
export async function countRequests(): Promise<RequestCounter> {
  const requests: string[] = [];
  const cache = await Deno.makeTempDir();
  const archive = await archiveOf(FILES);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const url = `http://127.0.0.1:${port}`;
  const metadata = JSON.stringify(await metadataOf(`${url}/npm/`, archive));

  async function answer(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4096);
    const length = await connection.read(buffer) ?? 0;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    const line = text.split("\r\n")[0]!;
    requests.push(line);
    const body = line.includes(`/npm/${PACKAGE}/-/`)
      ? archive
      : line.includes(`/npm/${PACKAGE} `)
      ? new TextEncoder().encode(metadata)
      : undefined;
    const status = body === undefined ? "404 Not Found" : "200 OK";
    const head =
      `HTTP/1.1 ${status}\r\ncontent-length: ${body?.length ?? 0}\r\n` +
      "connection: close\r\n\r\n";
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(head));
    if (body !== undefined) await writer.write(body);
    await writer.close();
  }

  const served = (async () => {
    for await (const connection of listener) {
      // What only connects, or hangs up, is noted all the same.
      answer(connection).catch(() => {});
    }
  })();
  return {
    port,
    requests,
    env: {
      ...Object.fromEntries(
        ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]
          .map((name) => [name, url]),
      ),
      NO_PROXY: "",
      no_proxy: "",
      NPM_CONFIG_REGISTRY: `${url}/npm/`,
      JSR_URL: `${url}/jsr/`,
      DENO_DIR: cache,
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await served;
      await Deno.remove(cache, { recursive: true });
    },
  };
}

/** What a registry says of the package. */
async function metadataOf(registry: string, archive: Uint8Array<ArrayBuffer>) {
  const digest = await crypto.subtle.digest("SHA-512", archive);
  const integrity = `sha512-${
    btoa(String.fromCharCode(...new Uint8Array(digest)))
  }`;
  const tarball = `${registry}${PACKAGE}/-/${PACKAGE}-1.0.0.tgz`;
  const version = {
    name: PACKAGE,
    version: "1.0.0",
    dist: { tarball, integrity },
  };
  return {
    name: PACKAGE,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": version },
  };
}

/** A compressed archive, in the format of tar. */
async function archiveOf(
  files: Record<string, string>,
): Promise<Uint8Array<ArrayBuffer>> {
  const BLOCK = 512;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (const [path, text] of Object.entries(files)) {
    const content = new TextEncoder().encode(text);
    const octal = (value: number, digits: number) =>
      value.toString(8).padStart(digits, "0") + "\0";
    const header = (checksum: string) =>
      path.padEnd(100, "\0") + octal(0o644, 7) + octal(0, 7) + octal(0, 7) +
      octal(content.length, 11) + octal(0, 11) + checksum + "0" +
      "\0".repeat(100) + "ustar\0" + "00";
    // Itself it counts as eight spaces.
    const sum = new TextEncoder().encode(header(" ".repeat(8)))
      .reduce((sum, byte) => sum + byte, 0);
    const blocks = new Uint8Array(
      BLOCK * (1 + Math.ceil(content.length / BLOCK)),
    );
    blocks.set(new TextEncoder().encode(header(octal(sum, 6) + " ")));
    blocks.set(content, BLOCK);
    pieces.push(blocks);
  }
  pieces.push(new Uint8Array(2 * BLOCK));
  const packed = new Blob(pieces).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
