// What a node does with the functions that clients describe.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

import { placeOf } from "../../../executors/nats/code/named.ts";
import {
  CodeSource,
  type Described,
} from "../../../executors/nats/code/describe.ts";
import { CodeStore } from "../../../executors/nats/code/store.ts";
import type { Code } from "../../../executors/nats/messages.ts";
import {
  PromisePoolExecutor,
  task,
  TaskNotFoundError,
  WorkerPoolExecutor,
} from "../../../mod.ts";
import { makeTempFolder } from "../../helpers/temp_folder.ts";
import { watched } from "../helpers/harness.ts";
import { MOD, workerBehaviour } from "../helpers/worker_harness.ts";
import { bundleOf, codeOf, makeStore, notFetched } from "./projects.ts";

Deno.test("CodeSource.describe() describes what nodes find without a bundle", async () => {
  const source = new CodeSource();
  const plain = (n: number) => n + 1;
  const described: [described: unknown, code: Code][] = [
    [source.describe(plain), {
      kind: "source",
      source: "(n)=>n + 1",
      name: "plain",
    }],
  ];
  for (
    const module of [
      "https://jsr.io/@scope/package/1.0.0/tasks.ts",
      "http://127.0.0.1:8000/tasks.ts",
      "http://localhost/tasks.ts",
      "http://[::1]/tasks.ts",
      "data:text/javascript,",
    ]
  ) {
    const fn = task({ url: module }, "double", () => {});
    const code: Code = { kind: "address", module, name: "double" };
    described.push([await source.describe(fn), code]);
  }
  for (const [given, code] of described) {
    assertEquals((given as Extract<Described, { code: unknown }>).code, code);
  }
});

Deno.test("CodeSource.describe() refuses what nodes cannot be given", async () => {
  const source = new CodeSource();
  for (
    const module of [
      "http://example.com/tasks.ts",
      "blob:null/e7be1d3c-0b0a-4e5b-9e0b-6c1d6d2e9d53",
      "no address",
    ]
  ) {
    const fn = task({ url: module }, "double", () => {});
    const { message } = await assertRejects(
      async () => await source.describe(fn),
      TaskNotFoundError,
    );
    assertStringIncludes(message, module);
    assertStringIncludes(message, "'double'");
  }
  assertThrows(() => source.describe(Math.max), TypeError, "native");
  assertThrows(() => source.describe(class {} as never), TypeError, "class");
});

workerBehaviour(
  "evaluates source of clients, which the node does not",
  async (make) => {
    const executor = make({ maxWorkers: 1 });
    const store = new CodeStore({});
    const source =
      `(globalThis.evaluated = "here", () => globalThis.evaluated)`;
    const found = await store.find(
      { kind: "source", source, name: "sneaky" },
      notFetched,
    );
    assertEquals(found.name, "sneaky");
    assertEquals(await executor.submit(found), "here");
    assert(!("evaluated" in globalThis));
    const lost = await store.find(
      { kind: "source", source: "() => missing", name: "lost" },
      notFetched,
    );
    const error = await executor.submit(lost).exception();
    assertInstanceOf(error, ReferenceError);
    assertStringIncludes(error.message, "task 'lost' was sent as text");
  },
);

watched("PromisePoolExecutor makes calls of source of clients", async () => {
  await using executor = new PromisePoolExecutor();
  const code: Code = { kind: "source", source: "(a, b) => a + b", name: "sum" };
  const sum = await new CodeStore({}).find(code, notFetched);
  assertEquals(await executor.map(sum, [1, 2], [10, 20]), [11, 22]);
  for (const source of ["() => missing", "async () => await missing"]) {
    const lost = await new CodeStore({}).find(
      { kind: "source", source, name: "lost" },
      notFetched,
    );
    const error = await executor.submit(lost).exception();
    assertInstanceOf(error, ReferenceError);
    assertStringIncludes(error.message, "task 'lost' was sent as text");
  }
});

watched(
  "CodeStore.find() imports from addresses, and from no others",
  async () => {
    const store = new CodeStore({});
    const module = `data:text/javascript,import { task } from ${
      JSON.stringify(MOD)
    }; export const double = task(import.meta, "double", (n) => 2 * n);`;
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    const double = await store.find(
      { kind: "address", module, name: "double" },
      notFetched,
    );
    assertEquals(await executor.submit(double, 21), 42);
    for (
      const module of [
        "file:///tmp/tasks.js",
        "http://example.com/",
        "npm:x",
        "",
      ]
    ) {
      await assertRejects(
        () =>
          store.find({ kind: "address", module, name: "double" }, notFetched),
        TaskNotFoundError,
        "https:",
      );
    }
  },
);

watched("CodeStore.find() fetches a bundle once, and keeps it", async () => {
  await using node = await makeStore();
  const bundle = await bundleOf("return import.meta.url");
  let fetched = 0;
  const fetch = () => {
    fetched++;
    return Promise.resolve(bundle.bytes);
  };
  const [found] = await Promise.all([
    node.store.find(codeOf(bundle), fetch),
    node.store.find(codeOf(bundle), fetch),
  ]);
  await node.store.find(codeOf(bundle), fetch);
  assertEquals(fetched, 1);
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  assertEquals(
    await executor.submit(found!),
    `file://${node.cache}/${bundle.hash}.mjs`,
  );
  const files = [...Deno.readDirSync(node.cache)];
  assertEquals(files.map(({ name }) => name), [`${bundle.hash}.mjs`]);
  if (Deno.build.os !== "windows") {
    const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;
    assertEquals(await mode(node.cache), 0o700);
    assertEquals(await mode(`${node.cache}/${bundle.hash}.mjs`), 0o600);
  }
  // As the node after this one does.
  using later = new CodeStore({ cache: node.cache });
  await later.find(codeOf(bundle), notFetched);
});

watched("CodeStore.find() takes no bundle with another hash", async () => {
  await using node = await makeStore();
  const bundle = await bundleOf("return 1");
  const other = await bundleOf("return 2");
  await assertRejects(
    () => node.store.find(codeOf(bundle), () => Promise.resolve(other.bytes)),
    TaskNotFoundError,
    "not what was announced",
  );
  assertEquals([...Deno.readDirSync(node.cache)], []);
  // What one client cannot give, another one can.
  const finds = await Promise.allSettled([
    node.store.find(codeOf(bundle), () => Promise.reject(new Error("Gone"))),
    node.store.find(codeOf(bundle), () => Promise.resolve(bundle.bytes)),
  ]);
  assertEquals(finds.map(({ status }) => status), ["rejected", "fulfilled"]);
});

watched("CodeStore.find() sees when its cache was changed", async () => {
  await using node = await makeStore();
  const bundle = await bundleOf("return 1");
  const path = `${node.cache}/${bundle.hash}.mjs`;
  let fetched = 0;
  const find = () =>
    node.store.find(codeOf(bundle), () => {
      fetched++;
      return Promise.resolve(bundle.bytes);
    });
  await find();
  await Deno.writeTextFile(path, "globalThis.evil = true;");
  await find();
  assertEquals(await Deno.readFile(path), bundle.bytes);
  await Deno.remove(path);
  await find();
  assertEquals(await Deno.readFile(path), bundle.bytes);
  await Deno.remove(node.cache, { recursive: true });
  await find();
  assertEquals(await Deno.readFile(path), bundle.bytes);
  assertEquals(fetched, 4);
  // Written while no node was there to see it.
  await Deno.writeTextFile(path, "globalThis.evil = true;");
  using later = new CodeStore({ cache: node.cache });
  await later.find(codeOf(bundle), () => Promise.resolve(bundle.bytes));
  assertEquals(await Deno.readFile(path), bundle.bytes);
});

watched(
  "CodeStore.find() removes bundles that nobody has used for long",
  async () => {
    await using folder = await makeTempFolder();
    const [old, used] = [
      await bundleOf("return 1"),
      await bundleOf("return 2"),
    ];
    const path = ({ hash }: { hash: string }) => `${folder.path}/${hash}.mjs`;
    const store = (bundle: typeof old, fetch: () => Promise<Uint8Array>) => {
      using store = new CodeStore({ cache: folder.path });
      return store.find(codeOf(bundle), fetch);
    };
    const age = async (path: string, days: number) => {
      const time = new Date(Date.now() - days * 86_400_000);
      await Deno.utime(path, time, time);
    };
    await store(old, () => Promise.resolve(old.bytes));
    await store(used, () => Promise.resolve(used.bytes));
    await Deno.writeTextFile(`${folder.path}/another`, "Not a bundle");
    await age(`${folder.path}/another`, 50);
    await age(path(old), 20);
    await age(path(used), 20);
    await store(used, notFetched);
    const { mtime } = await Deno.stat(path(used));
    assert(Date.now() - mtime!.getTime() < 86_400_000);
    await age(path(old), 31);
    await store(used, notFetched);
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    assertEquals(names.sort(), [`${used.hash}.mjs`, "another"].sort());
  },
);

Deno.test({
  name: "CodeStore.find() keeps no code where others may write",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await makeTempFolder();
    await Deno.chmod(folder.path, 0o777);
    using store = new CodeStore({ cache: folder.path });
    const bundle = await bundleOf("return 1");
    const find = () =>
      store.find(codeOf(bundle), () => Promise.resolve(bundle.bytes));
    await assertRejects(find, TaskNotFoundError, "Others may write there");
    await Deno.chmod(folder.path, 0o755);
    await find();
  },
});

Deno.test("placeOf() names a module by its place beside the main module", () => {
  const place = (module: string, main: string) =>
    placeOf(`file:///${module}`, `file:///${main}`);
  assertEquals(place("a/tasks.ts", "a/main.ts"), "./tasks.ts");
  assertEquals(place("a/b/c.ts", "a/main.ts"), "./b/c.ts");
  assertEquals(place("c.ts", "a/b/main.ts"), "../../c.ts");
  assertEquals(place("a/b/c.ts", "a/d/main.ts"), "../b/c.ts");
  assertEquals(place("a/main.ts", "a/main.ts"), "./main.ts");
  for (
    const [module, main] of [["a/b/c.ts", "x/y/main.ts"], ["a", "b/c/d/e.ts"]]
  ) {
    const relative = place(module!, main!);
    const found = new URL(relative, `file:///${main}`).href;
    assertEquals(found, `file:///${module}`);
  }
});

watched(
  "CodeStore.find() finds named tasks in what was preloaded",
  async () => {
    await using folder = await makeTempFolder({
      "tasks.ts": `
      import { task } from ${JSON.stringify(MOD)};
      export const double = task(import.meta, "double", (n: number) => 2 * n);
      export const plain = (n: number) => n;
    `,
      "preloaded.ts": `export * from "./tasks.ts";`,
    });
    const store = new CodeStore({ preload: `${folder.path}/preloaded.ts` });
    await store.preload();
    const find = (name: string, module = "./src/tasks.ts") =>
      store.find({ kind: "named", module, name }, notFetched);
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    assertEquals(await executor.submit(await find("double"), 21), 42);
    for (const name of ["plain", "unknown", "toString", "__proto__"]) {
      const { message } = await assertRejects(
        () => find(name),
        TaskNotFoundError,
      );
      assertStringIncludes(message, "--preload");
    }
    await assertRejects(
      () => find("unknown", "https://example.com/tasks.ts"),
      TaskNotFoundError,
      "--preload",
    );
  },
);

watched("CodeStore.preload() says what does not load", async () => {
  const store = new CodeStore({ preload: "/nowhere/tasks.ts" });
  const { message } = await assertRejects(
    () => store.preload(),
    TaskNotFoundError,
  );
  assertMatch(message, /^Cannot preload \/nowhere\/tasks\.ts: .*nowhere/);
});
