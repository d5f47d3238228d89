// The loopback registry against what Deno expects of JSR.

import {
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import {
  type Package,
  readPackage,
  serveRegistry,
} from "../../tools/registry.ts";

const ROOT = new URL("../../", import.meta.url);

function packageIn(folder: URL, rest: Partial<Package> = {}): Package {
  return {
    name: "@scope/name",
    version: "1.2.3",
    exports: { ".": "./mod.ts" },
    folder,
    ...rest,
  };
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, text: await response.text() };
}

Deno.test("registry serves versions, manifest and files of a package", async () => {
  await using folder = await makeTempFolder({
    "mod.ts": "export * from './a/b.ts';\n",
    "a/b.ts": "export const b = 1;\n",
  });
  await using registry = await serveRegistry([packageIn(folder.url)]);
  const base = `${registry.url}@scope/name/`;

  const meta = JSON.parse((await get(`${base}meta.json`)).text);
  const { manifest, exports } = JSON.parse(
    (await get(`${base}1.2.3_meta.json`)).text,
  );

  assertEquals(meta, {
    scope: "scope",
    name: "name",
    latest: "1.2.3",
    versions: { "1.2.3": {} },
  });
  assertEquals(exports, { ".": "./mod.ts" });
  assertEquals(Object.keys(manifest), ["/a/b.ts", "/mod.ts"]);
  assertEquals(manifest["/a/b.ts"].size, 20);
  assertEquals(await get(`${base}1.2.3/a/b.ts`), {
    status: 200,
    text: "export const b = 1;\n",
  });
});

Deno.test("registry answers 404 for what it does not have", async () => {
  await using folder = await makeTempFolder({ "mod.ts": "" });
  await using registry = await serveRegistry([packageIn(folder.url)]);

  for (
    const path of [
      "",
      "@scope/other/meta.json",
      "@scope/name/1.2.4_meta.json",
      "@scope/name/1.2.3/absent.ts",
      "@scope/name/1.2.3/",
      "/@scope/name/meta.json",
    ]
  ) {
    const { status } = await get(String(new URL(path, registry.url)));
    assertEquals(status, 404, path);
  }
});

Deno.test("registry leaves out what a package does not include", async () => {
  await using folder = await makeTempFolder({
    "mod.ts": "",
    "mod.ts.orig": "",
    "lib/deep/a.ts": "",
    "library/b.ts": "",
  });
  await using registry = await serveRegistry([
    packageIn(folder.url, { include: ["mod.ts", "lib"] }),
  ]);

  const { text } = await get(`${registry.url}@scope/name/1.2.3_meta.json`);

  assertEquals(Object.keys(JSON.parse(text).manifest), [
    "/lib/deep/a.ts",
    "/mod.ts",
  ]);
});

Deno.test("registry resolves names that only the import map knows", async () => {
  await using folder = await makeTempFolder({
    "mod.ts": `/**
 * import { delay } from "@std/async/delay";
 */
import { delay } from "@std/async/delay";
import {
  assert,
} from "@std/assert";
import "lib/side.ts";
export * from "./local.ts";
export * from "@std/assertions";
const lazy = await import("@std/async");
`,
  });
  await using registry = await serveRegistry([
    packageIn(folder.url, {
      imports: {
        "@std/async": "jsr:@std/async@^1.5.0",
        "@std/assert": "jsr:@std/assert@^1.0.19",
        "lib/": "./lib/",
      },
    }),
  ]);

  const { text } = await get(`${registry.url}@scope/name/1.2.3/mod.ts`);

  assertEquals(
    text,
    `/**
 * import { delay } from "@std/async/delay";
 */
import { delay } from "jsr:@std/async@^1.5.0/delay";
import {
  assert,
} from "jsr:@std/assert@^1.0.19";
import "./lib/side.ts";
export * from "./local.ts";
export * from "@std/assertions";
const lazy = await import("jsr:@std/async@^1.5.0");
`,
  );
});

Deno.test("registry has another URL when it serves something else", async () => {
  async function pathOf(files: Record<string, string>): Promise<string> {
    await using folder = await makeTempFolder(files);
    await using registry = await serveRegistry([packageIn(folder.url)]);
    return new URL(registry.url).pathname;
  }

  const path = await pathOf({ "a.ts": "1", "b.ts": "2" });

  assertEquals(path, await pathOf({ "b.ts": "2", "a.ts": "1" }));
  assertNotEquals(path, await pathOf({ "a.ts": "1", "b.ts": "3" }));
});

Deno.test("registry takes another port when the first is taken", async () => {
  await using first = await serveRegistry([]);
  const port = Number(new URL(first.url).port);

  await using second = await serveRegistry([], { ports: [port] });

  assertNotEquals(new URL(second.url).port, String(port));
});

Deno.test("registry is one that Deno takes modules from", async () => {
  await using folder = await makeTempFolder({
    "package/mod.ts": 'export { name } from "self/b.ts";\n',
    "package/b.ts": "export const name: string = import.meta.url;\n",
    "main.ts": 'import { name } from "jsr:@scope/name@1"; console.log(name);',
  });
  await using registry = await serveRegistry([
    packageIn(new URL("package/", folder.url), { imports: { "self/": "./" } }),
  ]);

  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "main.ts"],
    cwd: folder.path,
    env: { JSR_URL: registry.url, DENO_DIR: `${folder.path}/.deno` },
    timeout: 30_000,
  });

  assertEquals(stdout, `${registry.url}@scope/name/1.2.3/b.ts\n`);
});

Deno.test("readPackage() has the files that deno publish would publish", async () => {
  await using registry = await serveRegistry([await readPackage(ROOT)]);
  const { name, version } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );

  const { text } = await get(`${registry.url}${name}/${version}_meta.json`);
  const { stderr } = await runCommand(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: Deno.env.toObject(),
    timeout: 60_000,
  });

  assertStringIncludes(stderr, `${name}@${version}`);
  const published = stderr.matchAll(/^\s*(file:\S+) \(/gm);
  assertEquals(
    Object.keys(JSON.parse(text).manifest),
    Array.from(published, ([, url]) => url!.replace(ROOT.href, "/")).sort(),
  );
});
