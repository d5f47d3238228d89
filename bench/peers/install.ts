/**
 * Puts the peers where both Node.js and Deno find them: npm installs them into
 * a folder in .cache/, which also gets the modules that import a package by its
 * name. These lie in `node_modules`, where `deno check` does not look.
 *
 * @module
 */

import { npm } from "../../tools/npm.ts";

const FOLDER = new URL("../../.cache/peers/", import.meta.url);
const TASKS = new URL("tasks.mjs", import.meta.url);
const PROGRAMS = new URL("node_modules/.programs/", FOLDER);

/** What {@linkcode installPeers} has made. */
export interface PeerFolders {
  /** The deno.json for contestants that run in Deno. */
  readonly config: URL;
  /** The modules that import the peers by name. */
  readonly programs: URL;
}

/** The peers' versions: the newest ones of November 2026. */
export const VERSIONS: Readonly<Record<string, string>> = {
  "poolifier-web-worker": "0.5.15",
  "poolifier": "5.3.2",
  "piscina": "5.3.2",
  "workerpool": "10.0.3",
  "tinypool": "2.2.0",
  "p-map": "7.1.1",
  "p-limit": "7.3.3",
  "p-queue": "10.0.0",
  "async": "3.2.6",
};

/** What says which packages there are, and that npm has put them there. */
const CONFIGS: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ private: true, dependencies: VERSIONS }),
  "deno.json": JSON.stringify({ nodeModulesDir: "manual", lock: false }),
};

/** What imports a package by name: on behalf of a contestant, or in a worker. */
const SOURCES: Readonly<Record<string, string>> = {
  "load.mjs": "export const load = (name) => import(name);\n",
  "poolifier_worker.mjs": poolifierWorker("poolifier"),
  "poolifier-web-worker_worker.mjs": poolifierWorker("poolifier-web-worker"),
  "workerpool_worker.mjs": `import workerpool from "workerpool";
import * as tasks from "./tasks.mjs";
workerpool.worker({ ...tasks });
`,
  "piscina_worker.mjs": `import { move as moved } from "piscina";
import { echo } from "./tasks.mjs";
export * from "./tasks.mjs";
export const move = (array) => moved(echo(array));
`,
  "tinypool_worker.mjs": `import { Tinypool } from "tinypool";
import { echo } from "./tasks.mjs";
export * from "./tasks.mjs";
export const move = (array) => Tinypool.move(echo(array));
`,
};

/**
 * Installs the peers, unless these versions are there already.
 *
 * @returns Where Deno's configuration is, and where the modules are.
 */
export async function installPeers(): Promise<PeerFolders> {
  await write(CONFIGS, FOLDER);
  const missing: string[] = [];
  for (const [name, version] of Object.entries(VERSIONS)) {
    if (await installedVersion(name) !== version) {
      missing.push(`${name}@${version}`);
    }
  }
  if (missing.length > 0) {
    console.error(`Installing ${missing.join(", ")}`);
    await npm(["install", "--force"], { cwd: FOLDER });
  }
  // Last, as npm takes away what it does not know.
  await write(SOURCES, PROGRAMS);
  // A module in node_modules cannot import one outside of it, says Deno.
  await Deno.copyFile(TASKS, new URL("tasks.mjs", PROGRAMS));
  return { config: new URL("deno.json", FOLDER), programs: PROGRAMS };
}

async function write(
  files: Readonly<Record<string, string>>,
  folder: URL,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(new URL(name, folder), text);
  }
}

async function installedVersion(name: string): Promise<string | undefined> {
  try {
    const file = new URL(`node_modules/${name}/package.json`, FOLDER);
    return JSON.parse(await Deno.readTextFile(file)).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function poolifierWorker(name: string): string {
  return `import { ThreadWorker } from "${name}";
import * as tasks from "./tasks.mjs";
export default new ThreadWorker({ ...tasks });
`;
}
