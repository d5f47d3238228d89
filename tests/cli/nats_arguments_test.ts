// The arguments of the commands that connect to a NATS server: what is refused
// before anything is connected, and that other commands load nothing of it.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pathOf } from "../../executors/runtime/file_path.ts";
import { FUNCTIONS, futures, TIMEOUT } from "../helpers/futures_command.ts";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const ROOT = new URL("../../", import.meta.url);

const URLS = "nats://127.0.0.1:4222";
const MAP = ["map", `${FUNCTIONS}#same`];

for (
  const [args, message] of [
    [["serve"], "serve takes the URL of a NATS server: futures serve nats://"],
    [["serve", URLS, URLS], "serve takes the URL of a NATS server"],
    [["nodes"], "nodes takes the URL of a NATS server: futures nodes nats://"],
    [["nodes", URLS, URLS], "nodes takes the URL of a NATS server"],
    [["serve", "10.0.0.5"], "'servers' must be a URL such as nats://10.0.0.5"],
    [["nodes", "http://10.0.0.5"], "'servers' must be a URL such as nats://"],
    [[...MAP, "--on=10.0.0.5"], "'servers' must be a URL such as nats://10.0"],
    [
      [...MAP, "--on="],
      "--on takes the URL of a NATS server: received nothing",
    ],
    [
      ["nodes", URLS, "--pool=a.b"],
      '--pool takes up to 64 letters, digits, _ and -: received "a.b"',
    ],
    [
      ["serve", URLS, "--workers=0"],
      "--workers takes an integer of at least 1: received",
    ],
    [
      ["serve", URLS, "--executor=nats"],
      '--executor takes worker, process or promise: received "nats"',
    ],
    [
      ["serve", URLS, "--drain-timeout=soon"],
      "--drain-timeout takes a number of milliseconds, at least 0: received",
    ],
    [
      ["serve", URLS, "--name="],
      "--name takes 1 to 100 characters: received nothing",
    ],
    [
      ["serve", URLS, "--creds=a", "--nkey=b"],
      "--creds and --nkey both say who connects",
    ],
    [
      ["nodes", URLS, "--tls-cert=a"],
      "--tls-cert and --tls-key go together",
    ],
    [
      ["nodes", URLS, "--nkey=nowhere"],
      "cannot read --nkey nowhere: No such file",
    ],
    [[...MAP, "--pool=a"], "--pool goes with --on"],
    [["bench", "--nkey=a"], "--nkey goes with --on"],
    [["bench", "--on=10.0.0.5"], "--on goes with nats in --executors"],
    [
      ["bench", "--executors=serial,nats"],
      "nats of --executors needs --on, the URL of a NATS server",
    ],
    [
      ["bench", "--executors=nats", "--on=10.0.0.5"],
      "'servers' must be a URL such as nats://10.0.0.5",
    ],
    [
      ["bench", "--executors=nats,dask"],
      '--executors takes one or more of serial,promise,worker,process,nats: received "nats,dask"',
    ],
    [[...MAP, "--tls-ca=a"], "--tls-ca goes with --on"],
    [
      [...MAP, `--on=${URLS}`, "--workers=2"],
      "--workers does not go with --on, as nodes have workers of their own",
    ],
    [
      [...MAP, `--on=${URLS}`, "--executor=worker"],
      "--executor does not go with --on",
    ],
  ] as const
) {
  Deno.test(`futures ${args.join(" ").replace(FUNCTIONS, "MODULE")} is refused in one line`, async () => {
    const { stdout, stderr } = await futures([...args], { code: 2 });
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `futures: ${message}`);
    assertEquals(stderr.split("\n").length, 2);
  });
}

for (
  const args of [
    ["serve"],
    ["nodes"],
    [...MAP, "--on"],
    ["bench", "--executors=nats", "--on"],
  ]
) {
  Deno.test(`futures ${args[0]} sends no password in the clear, and shows none`, async () => {
    const { stderr } = await futures(
      [...args, "nats://me:secret@10.0.0.5"],
      { code: 2 },
    );
    assertMatch(stderr, /write tls:\/\/10\.0\.0\.5:4222/);
    assertEquals(stderr.includes("secret"), false);
  });
}

Deno.test("futures nodes --nkey shows nothing of a file that has no seed", async () => {
  await using folder = await makeTempFolder({ "key.txt": "secret" });
  const { stderr } = await futures(["nodes", URLS, "--nkey=key.txt"], {
    cwd: folder.path,
    code: 2,
  });
  assertEquals(
    stderr,
    "futures: --nkey key.txt has no seed of a user in it, SU and 56 more letters and digits: nk -gen user writes one\n",
  );
});

Deno.test("futures loads nothing of NATS unless it is asked to connect", async () => {
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  await using folder = await makeTempFolder({
    "deno.json": JSON.stringify({
      imports: {
        ...imports,
        "@nats-io/nats-core": "./missing/core.ts",
        "@nats-io/nats-core/internal": "./missing/internal.ts",
        "@nats-io/jetstream": "./missing/jetstream.ts",
      },
      lock: false,
    }),
  });
  const run = (args: string[], stdin: string, code: number) =>
    runCommand(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--no-check",
        `--config=${folder.path}/deno.json`,
        pathOf(new URL("cli.ts", ROOT)),
        ...args,
      ],
      cwd: folder.path,
      env: Deno.env.toObject(),
      stdin,
      code,
      timeout: TIMEOUT,
    });
  assertEquals((await run(MAP, "1\n", 0)).stdout, "1\n");
  assertMatch((await run(["help", "serve"], "", 0)).stdout, /--drain-timeout/);
  const { stderr } = await run(["nodes", URLS], "", 1);
  assertMatch(stderr, /missing/);
});
