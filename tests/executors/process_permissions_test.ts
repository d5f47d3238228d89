// What a list of permissions comes to in a worker process: what was named, and
// no more. Each test asks Deno in the worker.
// @group processes

import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ProcessPoolExecutor } from "../../mod.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";
import { watched } from "./helpers/harness.ts";
import { MOD, runMain } from "./helpers/worker_harness.ts";

/** What Deno says of some permissions, in a worker. */
function states(descriptors: Deno.PermissionDescriptor[]): string[] {
  return descriptors.map((descriptor) =>
    Deno.permissions.querySync(descriptor).state
  );
}

/** What is asked for, and what is then granted of what else is asked about. */
interface Narrowed {
  permissions: Deno.PermissionOptionsObject;
  granted: Deno.PermissionDescriptor[];
  refused: Deno.PermissionDescriptor[];
}

const NARROWED: Narrowed[] = [
  {
    permissions: { read: ["/data/a=b", "/data/c"] },
    granted: [{ name: "read", path: "/data/a=b" }, {
      name: "read",
      path: "/data/c",
    }],
    refused: [{ name: "read", path: "/data/a" }, { name: "read", path: "/" }],
  },
  {
    permissions: { write: ["/data/w=1"] },
    granted: [{ name: "write", path: "/data/w=1" }],
    refused: [
      { name: "write", path: "/data/w" },
      { name: "write", path: "1" },
      { name: "read", path: "/data/w=1" },
    ],
  },
  {
    permissions: { ffi: ["/lib/a=b.so"] },
    granted: [{ name: "ffi", path: "/lib/a=b.so" }],
    refused: [
      { name: "ffi", path: "/lib/a" },
      { name: "ffi", path: "libc.so.6" },
    ],
  },
  {
    permissions: { run: ["/usr/bin/env=1"] },
    granted: [],
    refused: [{ name: "run", command: "env" }, { name: "run" }],
  },
  {
    permissions: { env: ["NAME\nOTHER", "-A", "--allow-all"] },
    granted: [
      { name: "env", variable: "NAME\nOTHER" },
      { name: "env", variable: "-A" },
    ],
    refused: [
      { name: "env", variable: "NAME" },
      { name: "env", variable: "OTHER" },
      { name: "read" },
    ],
  },
  {
    permissions: { net: ["example.com:443"] },
    granted: [{ name: "net", host: "example.com:443" }],
    refused: [{ name: "net", host: "example.com:80" }, { name: "net" }],
  },
  {
    permissions: { read: [new URL("file:///data/50%25=a%20b/100%")] },
    granted: [{ name: "read", path: "/data/50%=a b/100%" }],
    refused: [
      { name: "read", path: "/data/50%" },
      { name: "read", path: "/data" },
    ],
  },
  {
    permissions: { import: ["example.com:443"] },
    granted: [],
    refused: [{ name: "import", host: "jsr.io:443" }, { name: "import" }],
  },
  {
    permissions: { import: false },
    granted: [],
    refused: [{ name: "import", host: "jsr.io:443" }],
  },
  {
    permissions: { import: [] },
    granted: [],
    refused: [{ name: "import", host: "jsr.io:443" }],
  },
  {
    permissions: {},
    granted: [],
    refused: [{ name: "import", host: "jsr.io:443" }],
  },
  {
    permissions: { import: "inherit" },
    granted: [{ name: "import", host: "jsr.io:443" }],
    refused: [{ name: "net" }],
  },
  {
    permissions: { read: ["-A", "--allow-all", "file:///etc"] },
    granted: [{ name: "read", path: "./-A" }],
    refused: [{ name: "read", path: "/etc" }, { name: "write" }],
  },
  {
    permissions: { read: [] },
    granted: [],
    refused: [{ name: "read" }, { name: "read", path: "." }],
  },
];

for (const { permissions, granted, refused } of NARROWED) {
  watched(
    `ProcessPoolExecutor grants ${JSON.stringify(permissions)}, and no more`,
    async (executors) => {
      const executor = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
      executors.push(executor);
      assertEquals(
        await executor.submit(states, [...granted, ...refused]),
        [...granted.map(() => "granted"), ...refused.map(() => "prompt")],
      );
    },
  );
}

/** What Deno would not take as it is, or takes for something else. */
const UNFIT: [permissions: unknown, error: typeof TypeError, text: string][] = [
  [{ read: [""] }, RangeError, 'received ""'],
  [{ env: ["HOME", ""] }, RangeError, "'permissions.env'"],
  [{ net: [""] }, RangeError, "'permissions.net'"],
  [{ env: ["A=B"] }, RangeError, 'received "A=B"'],
  [{ net: ["a=b"] }, RangeError, 'received "a=b"'],
  [{ import: ["a=b:443"] }, RangeError, 'received "a=b:443"'],
  [{ run: [""] }, RangeError, "'permissions.run'"],
  [{ read: ["/a\0b"] }, RangeError, "NUL"],
  [{ read: [new URL("https://example.com/etc")] }, RangeError, "https:"],
  [{ net: [new URL("https://example.com/")] }, TypeError, "strings"],
  [{ read: [5] }, TypeError, "received 5"],
  [{ read: [undefined] }, TypeError, "received undefined"],
  [{ read: new Array(1) }, TypeError, "received undefined"],
  [{ read: ["/data/a,/etc"] }, RangeError, 'received "/data/a,/etc"'],
  [{ write: ["/data/a,"] }, RangeError, "comma"],
  [{ ffi: [",/lib/a.so"] }, RangeError, "comma"],
  [{ read: [new URL("file:///data/a%2C/etc")] }, RangeError, "comma"],
  [{ env: ["HOME,PATH"] }, RangeError, "comma"],
  [{ net: ["a.com,b.com"] }, RangeError, "comma"],
  [{ run: ["/bin/a,b"] }, RangeError, "comma"],
  [{ sys: ["hostname,uid"] }, RangeError, "comma"],
  [{ net: [":8080"] }, RangeError, "'permissions.net'"],
  [{ net: ["https://example.com"] }, RangeError, "'permissions.net'"],
];

for (const [permissions, ErrorClass, text] of UNFIT) {
  Deno.test(`ProcessPoolExecutor refuses permissions ${Deno.inspect(permissions)}`, () => {
    const options = { permissions: permissions as Deno.PermissionOptions };
    const make = () => new ProcessPoolExecutor(options);
    const error = assertThrows(make);
    assertInstanceOf(error, ErrorClass);
    assertStringIncludes(error.message, text);
  });
}

watched(
  "ProcessPoolExecutor refuses patterns, ranges and hosts of which the program is denied a part",
  async () => {
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        for (const permissions of [
          { env: ["AWS_*"] }, { env: ["AWS_REGION"] }, { net: ["10.0.0.0/8"] },
          { net: ["example.com"] }, { net: ["example.com:80"] }, { net: ["example.com:443"] },
        ]) {
          try {
            new ProcessPoolExecutor({ permissions });
            console.log("granted");
          } catch (error) {
            console.log(error.name);
          }
        }
      `,
    }, {
      flags: [
        ...["--allow-run", "--allow-read", "--allow-env", "--allow-net"],
        ...["--deny-env=AWS_SECRET", "--deny-net=10.1.2.3,example.com:80"],
      ],
    });
    assertEquals(stdout.trim().split("\n"), [
      ...["NotCapable", "granted", "NotCapable"],
      ...["NotCapable", "NotCapable", "granted"],
    ]);
  },
);

watched(
  "ProcessPoolExecutor grants relative paths as they are when it is made",
  async () => {
    await using folder = await makeTempFolder({ "in/data/file": "" });
    const { stdout } = await runMain({
      "main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        Deno.chdir("${folder.path}/in");
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions: { read: ["./data"] } });
        Deno.chdir("${folder.path}");
        const state = (path) => Deno.permissions.querySync({ name: "read", path }).state;
        console.log(await pool.submit(state, "${folder.path}/in/data"), await pool.submit(state, "${folder.path}/data"));
      `,
    });
    assertEquals(stdout, "granted prompt\n");
  },
);

watched(
  "ProcessPoolExecutor runs programs of folders with a comma and an equals sign in the name",
  async () => {
    await using folder = await makeTempFolder({
      "a=b, c/50%/tasks.ts": `
        import { task } from "${MOD}";
        export const square = task(import.meta, "square", (n: number) => n * n);
      `,
      "a=b, c/50%/main.ts": `
        import { ProcessPoolExecutor } from "${MOD}";
        import { square } from "./tasks.ts";
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
        console.log(await pool.map(square, [1, 2, 3]));
        const state = (path) => Deno.permissions.querySync({ name: "read", path }).state;
        console.log(await pool.submit(state, Deno.cwd()), await pool.submit(state, "/"));
      `,
    });
    const cwd = `${folder.path}/a=b, c/50%`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--no-check", "--allow-run"],
        `--allow-read=${folder.path},${
          new URL("../..", import.meta.url).pathname
        }`,
        "main.ts",
      ],
      cwd,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout),
      "[ 1, 4, 9 ]\ngranted prompt\n",
    );
  },
);

watched(
  "ProcessPoolExecutor works from a folder of its own with a comma and an equals sign in the name",
  async () => {
    await using folder = await makeTempFolder({ "a=b, c/other/file": "" });
    const library = `${folder.path}/a=b, c`;
    const copy = async (from: URL, to: string) => {
      await Deno.mkdir(to, { recursive: true });
      for await (const { name, isDirectory } of Deno.readDir(from)) {
        if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
        else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
      }
    };
    const root = new URL("../../", import.meta.url);
    await copy(new URL("executors/", root), `${library}/executors`);
    await Deno.copyFile(new URL("mod.ts", root), `${library}/mod.ts`);
    const { stdout } = await runMain({
      "main.ts": `
        const { ProcessPoolExecutor } = await import(${
        JSON.stringify(new URL(`file://${library}/mod.ts`))
      });
        const permissions = { read: ["/data/a=b"] };
        await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
        const state = (path) => Deno.permissions.querySync({ name: "read", path }).state;
        console.log(await pool.submit(state, "/data/a=b"));
        for (const path of ["/data/a", ${
        JSON.stringify(library)
      } + "/executors", "${folder.path}"]) {
          console.log(await pool.submit(state, path));
        }
      `,
    });
    assertEquals(stdout, "granted\nprompt\nprompt\nprompt\n");
  },
);

for (
  const [flag, expected] of [
    ["--allow-import=example.com,jsr.io", "granted prompt"],
    ["--allow-import=example.com", "prompt prompt"],
    ["--deny-import=jsr.io:443", "denied granted"],
    ["--no-prompt", "granted granted"],
  ] as const
) {
  watched(
    `ProcessPoolExecutor of a program with ${flag} may import from no more hosts than that`,
    async () => {
      const { stdout } = await runMain({
        "main.ts": `
          import { ProcessPoolExecutor } from "${MOD}";
          const state = (host) => Deno.permissions.querySync({ name: "import", host }).state;
          const hosts = ["jsr.io:443", "esm.sh:443"];
          console.log(hosts.map(state).join(" "));
          for (const permissions of ["inherit", { import: "inherit" }]) {
            await using pool = new ProcessPoolExecutor({ maxWorkers: 1, permissions });
            console.log((await pool.map(state, hosts)).join(" "));
          }
        `,
      }, { flags: ["--allow-run", "--allow-read", flag] });
      const [own, ...inherited] = stdout.trim().split("\n");
      assertEquals(own, expected);
      // A worker is told what it may do, not what it may not.
      const worker = expected.replace("denied", "prompt");
      assertEquals(inherited, [worker, worker]);
    },
  );
}
