// Runs Deno with the arguments given, with JSR or a registry in its place:
//
//   deno run -A tools/with_jsr.ts run -A cli.ts bench
//
// Where JSR answers, or `JSR_URL` names a registry, this is `deno run -A cli.ts
// bench` and hardly more. Many networks let only the npm registry through; there
// the stand-ins for @std are served on a loopback port for as long as the command
// runs. Some networks open what is encrypted, with a certificate that the system
// trusts, and npm with it; so the command does, too. The tasks in deno.json go
// through this program, so that they work on all of these networks. Of course it
// imports nothing from JSR or npm itself.

import { type Package, type Registry, serveRegistry } from "./registry.ts";

/** How long JSR may take to answer before it counts as out of reach, in milliseconds. */
const PATIENCE = 2_000;

/**
 * The ports on which the stand-ins are served, if one is free. Deno caches
 * modules by their URL, port included, so few ports keep its cache small.
 */
const PORTS = [28577, 28578, 28579, 28580] as const;

/** The signals that end a program from outside; Windows has fewer. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

if (import.meta.main) {
  const code = await runWithJsr(Deno.args);
  Deno.exit(code);
}

async function runWithJsr(args: string[]): Promise<number> {
  await using registry = await hasJsr() ? null : await serveStandIns();
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: { ...trust(), ...registry === null ? {} : environment(registry) },
  }).spawn();
  for (const signal of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      // A terminal sends Ctrl-C to the child too; a second signal would look like
      // impatience.
      if (signal === "SIGINT" && Deno.stdin.isTerminal()) return;
      try {
        child.kill(signal);
      } catch {
        // The child has just ended.
      }
    });
  }
  const { code } = await child.status;
  return code;
}

async function hasJsr(): Promise<boolean> {
  if (Deno.env.has("JSR_URL")) return true;
  try {
    const response = await fetch("https://jsr.io/@std/assert/meta.json", {
      signal: AbortSignal.timeout(PATIENCE),
    });
    // Throws for a page that asks to log in to the network, which is no JSON.
    await response.json();
    return response.ok;
  } catch {
    return false;
  }
}

async function serveStandIns(): Promise<Registry> {
  console.error("JSR does not answer: using the stand-ins for @std");
  return await serveRegistry(await standIns(), { ports: PORTS });
}

/** Whose certificates Deno trusts: those that it comes with are not the system's. */
function trust(): Record<string, string> {
  return Deno.env.has("DENO_TLS_CA_STORE")
    ? {}
    : { DENO_TLS_CA_STORE: "system,mozilla" };
}

function environment(registry: Registry): Record<string, string> {
  const noProxy = Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy");
  return {
    JSR_URL: registry.url,
    // A proxy for the outside cannot reach a loopback port of this machine.
    NO_PROXY: noProxy ? `${noProxy},127.0.0.1` : "127.0.0.1",
  };
}

/** The packages in std/, in the versions that deno.json asks for. */
async function standIns(): Promise<Package[]> {
  const config = await Deno.readTextFile(
    new URL("../deno.json", import.meta.url),
  );
  const imports: Record<string, string> = JSON.parse(config).imports;
  const packages: Package[] = [];
  for (const [name, target] of Object.entries(imports)) {
    const [, std, version] =
      /^jsr:@std\/([\w-]+)@\^?(\d+\.\d+\.\d+)$/.exec(target) ?? [];
    if (std === undefined || version === undefined) continue;
    const folder = new URL(`std/${std.replaceAll("-", "_")}/`, import.meta.url);
    packages.push({ name, version, folder, exports: await exportsOf(folder) });
  }
  return packages;
}

/**
 * The exports of a package, as in @std: `mod.ts` is the package,
 * `parse_args.ts` is `./parse-args`.
 */
async function exportsOf(folder: URL): Promise<Record<string, string>> {
  const exports: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("_")) continue;
    const key = name.replace(/\.ts$/, "").replaceAll("_", "-");
    exports[key === "mod" ? "." : `./${key}`] = `./${name}`;
  }
  return exports;
}
