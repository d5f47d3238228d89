// A JSR registry on a loopback port, for packages that the real one cannot give:
// this package before it is published, and stand-ins where JSR cannot be reached.
// Deno uses this registry when `JSR_URL` names it. The registry serves the three
// kinds of file that Deno asks for
//
//   @scope/name/meta.json            which versions there are
//   @scope/name/VERSION_meta.json    exports, and every file's size and digest
//   @scope/name/VERSION/PATH         a file
//
// and changes modules as publishing does: names that only the package's own
// import map knows become the specifiers they stand for. This module imports
// nothing, since it has to start when nothing can be fetched.

/** A package for {@linkcode serveRegistry}, which serves one version of it. */
export interface Package {
  /** Scope and name, such as `"@std/assert"`. */
  name: string;
  /** The only version there is. */
  version: string;
  /** The names that can be imported (`"."`, `"./equals"`), and the file of each. */
  exports: Record<string, string>;
  /** The folder that holds the files, with a slash at the end. */
  folder: URL;
  /**
   * Files and folders that belong to the package. Globs are not understood.
   *
   * @default {everything in the folder}
   */
  include?: readonly string[];
  /**
   * The package's import map.
   *
   * @default {{}}
   */
  imports?: Record<string, string>;
}

/** Options for {@linkcode serveRegistry}. */
export interface ServeRegistryOptions {
  /**
   * Ports to try in this order before any free one is taken.
   *
   * @default {[]}
   */
  ports?: readonly number[];
}

/** A running registry. */
export interface Registry extends AsyncDisposable {
  /** The value of `JSR_URL` with which Deno uses this registry. */
  url: string;
}

/**
 * Reads the deno.json of a package.
 *
 * @param folder The folder of the deno.json, with a slash at the end.
 * @returns The package, ready to be served.
 */
export async function readPackage(folder: URL): Promise<Package> {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", folder)),
  );
  const { name, version, exports, imports, scopes, publish = {} } = config;
  return {
    name,
    version,
    exports: typeof exports === "string" ? { ".": exports } : exports,
    folder,
    include: publish.include,
    // That scope is all modules before they are published.
    imports: { ...imports, ...scopes?.["file:///"] },
  };
}

/**
 * Serves packages on a loopback port until the registry is disposed of.
 *
 * @param packages The packages.
 * @param options Additional options.
 * @returns The registry, which answers from now on.
 */
export async function serveRegistry(
  packages: readonly Package[],
  options: ServeRegistryOptions = {},
): Promise<Registry> {
  const { ports = [] } = options;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const entry of packages) await publish(entry, files);
  // Deno caches a file by its URL for ever, as a version of a package never
  // changes. These packages do, so their digest is part of the URL.
  const base = `/${await digestOfAll(files)}/`;

  function answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(base) ? pathname.slice(base.length) : "";
    const bytes = files.get(path);
    return bytes === undefined
      ? new Response("Not found\n", { status: 404 })
      : new Response(bytes, { headers: { "content-type": contentType(path) } });
  }

  const server = listen(answer, [...ports, 0]);
  return {
    url: `http://127.0.0.1:${server.addr.port}${base}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function listen(
  answer: Deno.ServeHandler<Deno.NetAddr>,
  ports: readonly number[],
): Deno.HttpServer<Deno.NetAddr> {
  for (const port of ports) {
    try {
      return Deno.serve(
        { hostname: "127.0.0.1", port, onListen: () => {} },
        answer,
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Deno.errors.AddrInUse(`Cannot listen on any of ${ports}`);
}

async function publish(
  entry: Package,
  files: Map<string, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const { name, version, exports, folder, include, imports = {} } = entry;
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const path of await listFiles(folder, include)) {
    let bytes = new Uint8Array(await Deno.readFile(new URL(path, folder)));
    if (/\.[cm]?[jt]sx?$/.test(path)) {
      const source = new TextDecoder().decode(bytes);
      bytes = encode(resolveImports(source, imports));
    }
    files.set(`${name}/${version}/${path}`, bytes);
    manifest[`/${path}`] = {
      size: bytes.length,
      checksum: `sha256-${await digest(bytes)}`,
    };
  }
  const [scope, base] = name.slice(1).split("/");
  const json: [string, unknown][] = [
    ["meta.json", {
      scope,
      name: base,
      latest: version,
      versions: { [version]: {} },
    }],
    [`${version}_meta.json`, { manifest, exports }],
  ];
  for (const [path, value] of json) {
    const text = JSON.stringify(value);
    files.set(`${name}/${path}`, encode(text));
  }
}

/** The paths of the files under `folder`, sorted, so that digests are stable. */
async function listFiles(
  folder: URL,
  include: readonly string[] | undefined,
  prefix = "",
): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = prefix + name;
    const within = include?.some((it) =>
      it === path || path.startsWith(`${it}/`) || it.startsWith(`${path}/`)
    );
    if (within === false) continue;
    if (isDirectory) {
      const child = new URL(`${name}/`, folder);
      paths.push(...await listFiles(child, include, `${path}/`));
    } else if (isFile) {
      paths.push(path);
    }
  }
  return paths.sort();
}

/**
 * Replaces mapped names after `from`, `import` and `import(`. Comments are left
 * as they are, as in publishing, and so are strings that only look like one.
 */
function resolveImports(
  source: string,
  imports: Record<string, string>,
): string {
  return source.replaceAll(
    /^(?!\s*(?:\*|\/[/*]))(.*?(?:\bfrom|\bimport)\s*\(?\s*")([^"\n]+)"/gm,
    (statement, before: string, specifier: string) => {
      const resolved = resolveImport(specifier, imports);
      return resolved === undefined ? statement : `${before}${resolved}"`;
    },
  );
}

/** `@std/async/delay` is `jsr:@std/async@^1.5.0/delay` if `@std/async` is mapped. */
function resolveImport(
  specifier: string,
  imports: Record<string, string>,
): string | undefined {
  for (const [key, target] of Object.entries(imports)) {
    if (specifier === key) return target;
    // What follows a package's name is one of its exports.
    const isPackage = /^(?:jsr|npm):/.test(target);
    const prefix = isPackage ? `${key}/` : key;
    if (prefix.endsWith("/") && specifier.startsWith(prefix)) {
      const rest = specifier.slice(prefix.length);
      return target + (target.endsWith("/") ? "" : "/") + rest;
    }
  }
}

function contentType(path: string): string {
  if (path.endsWith(".json")) return "application/json";
  if (/\.[cm]?tsx?$/.test(path)) return "text/typescript; charset=utf-8";
  if (/\.[cm]?jsx?$/.test(path)) return "text/javascript; charset=utf-8";
  return "application/octet-stream";
}

async function digestOfAll(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const digests: string[] = [];
  for (const [path, bytes] of files) {
    digests.push(`${path} ${await digest(bytes)}`);
  }
  const all = await digest(encode(digests.join("\n")));
  return all.slice(0, 16);
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(
    new Uint8Array(hash),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  // A copy, as by the types of older Denos (2.4.2) the buffer may be shared.
  return new Uint8Array(new TextEncoder().encode(text));
}
