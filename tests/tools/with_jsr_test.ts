// What with_jsr.ts does for the command it runs, with JSR and without.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runCommand } from "../helpers/run_command.ts";
import { makeTempFolder } from "../helpers/temp_folder.ts";

const PROGRAM = new URL("../../tools/with_jsr.ts", import.meta.url).href;

/** What a child needs of this process' environment, and no proxy. */
function environment(): Record<string, string> {
  const env = Deno.env.toObject();
  for (const name of Object.keys(env)) {
    if (/^(https?|no|all)_proxy$/i.test(name) || name === "JSR_URL") {
      delete env[name];
    }
  }
  return env;
}

Deno.test("with_jsr leaves the JSR_URL that is set", async () => {
  const url = "http://127.0.0.1:1/";

  const { stdout, stderr } = await runCommand(Deno.execPath(), {
    args: [
      "run",
      "-A",
      PROGRAM,
      "eval",
      "console.log(Deno.env.get('JSR_URL'))",
    ],
    cwd: ".",
    env: { ...environment(), JSR_URL: url },
    timeout: 30_000,
  });

  assertEquals({ stdout, stderr }, { stdout: `${url}\n`, stderr: "" });
});

Deno.test("with_jsr has Deno trust whom the system trusts, unless told otherwise", async () => {
  const env: Record<string, string> = {
    ...environment(),
    JSR_URL: "http://127.0.0.1:1/",
  };
  delete env.DENO_TLS_CA_STORE;
  const run = async (env: Record<string, string>) => {
    const show = "console.log(Deno.env.get('DENO_TLS_CA_STORE'))";
    const { stdout } = await runCommand(Deno.execPath(), {
      args: ["run", "-A", PROGRAM, "eval", show],
      cwd: ".",
      env,
      timeout: 30_000,
    });
    return stdout.trim();
  };
  assertEquals(await run(env), "system,mozilla");
  assertEquals(await run({ ...env, DENO_TLS_CA_STORE: "mozilla" }), "mozilla");
});

Deno.test("with_jsr serves the stand-ins where JSR is out of reach", async () => {
  await using folder = await makeTempFolder({
    "deno.json":
      '{ "imports": { "@std/cli": "jsr:@std/cli@1" }, "lock": false }',
    "main.ts": `import { parseArgs } from "@std/cli/parse-args";
      console.log(Deno.env.get("JSR_URL"), parseArgs(Deno.args).n);`,
  });

  const { stdout, stderr } = await runCommand(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, "run", "-A", "main.ts", "-n", "5"],
    cwd: folder.path,
    env: {
      ...environment(),
      DENO_DIR: `${folder.path}/.deno`,
      // Nobody listens there, so that the world ends at this machine.
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
    },
    timeout: 30_000,
  });

  assert(/^http:\/\/127\.0\.0\.1:\d+\/\w+\/ 5\n$/.test(stdout), stdout);
  assertStringIncludes(stderr, "JSR does not answer");
});

Deno.test("with_jsr passes on input, output and exit code", async () => {
  await using folder = await makeTempFolder({
    "main.ts": `console.log(await new Response(Deno.stdin.readable).text());
      console.error(Deno.args);
      Deno.exit(7);`,
  });

  const output = await runCommand(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, "run", "-A", "main.ts", "--flag", "two words"],
    cwd: folder.path,
    env: { ...environment(), JSR_URL: "http://127.0.0.1:1/" },
    stdin: "in",
    code: 7,
    timeout: 30_000,
  });

  assertEquals(output, {
    stdout: "in\n",
    stderr: '[ "--flag", "two words" ]\n',
  });
});

Deno.test({
  name: "with_jsr passes on signals",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        PROGRAM,
        "eval",
        `Deno.addSignalListener("SIGTERM", () => Deno.exit(42));
         console.log("ready");
         setInterval(() => {}, 1_000);`,
      ],
      env: { JSR_URL: "http://127.0.0.1:1/" },
      stdout: "piped",
      signal: AbortSignal.timeout(30_000),
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();

    child.kill("SIGTERM");

    const { code } = await child.status;
    await reader.cancel();
    assertEquals(code, 42);
  },
});
