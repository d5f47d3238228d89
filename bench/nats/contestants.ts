/**
 * Who is measured: what each needs, and how its server, its nodes of one worker
 * each, and its client are started.
 *
 * @module
 */

import { pathOf } from "../../executors/runtime/file_path.ts";
import type { Processes } from "./processes.ts";

/** Where a server of a contestant listens. */
const HOST = "127.0.0.1";

/** Debian's, which finds what is in Debian's packages. */
const PYTHON = "/usr/bin/python3";

/** What a contestant is started with. */
export interface Setting {
  /** Where its server listens. */
  readonly port: number;
  /** For its files. */
  readonly folder: string;
  /** How many nodes of one worker there are. */
  readonly nodes: number;
}

/** One that is measured. */
export interface Contestant {
  readonly name: string;
  /** Whether all others are to get a tenth of what is large. */
  readonly isThis: boolean;
  /** What has to succeed, or it is skipped, and what to type then. */
  readonly probe: readonly string[];
  readonly install: string;
  /**
   * Starts server and nodes.
   *
   * @returns The command of the client, but for what is to be measured.
   */
  start(processes: Processes, setting: Setting): Promise<string[]>;
}

/** This package. */
export const THIS: Contestant = {
  name: "this package",
  isThis: true,
  probe: [natsServer(), "--version"],
  install: "apt-get install nats-server",
  async start(processes, { port, folder, nodes }) {
    await processes.start(
      [
        natsServer(),
        `--addr=${HOST}`,
        `--port=${port}`,
        "--jetstream",
        `--store_dir=${folder}/nats`,
      ],
      "Server is ready",
    );
    const url = `nats://${HOST}:${port}`;
    const deno = [Deno.execPath(), "run", "-A", "--quiet", "--no-check"];
    for (let i = 0; i < nodes; i++) {
      await processes.start([...deno, program("node.ts"), url], "serves");
    }
    return [...deno, program("client.ts"), url];
  },
};

/** All there are. */
export const CONTESTANTS: readonly Contestant[] = [
  THIS,
  {
    name: "dask.distributed",
    isThis: false,
    probe: [PYTHON, "-c", "import distributed"],
    install: "apt-get install python3-distributed",
    async start(processes, { port, folder, nodes }) {
      const dask = (name: string) => [
        PYTHON,
        "-c",
        `from distributed.cli.dask_${name} import main; main()`,
      ];
      await processes.start(
        [
          ...dask("scheduler"),
          `--host=${HOST}`,
          `--port=${port}`,
          "--no-dashboard",
        ],
        "Scheduler at",
      );
      const url = `tcp://${HOST}:${port}`;
      for (let i = 0; i < nodes; i++) {
        await processes.start(
          [
            ...dask("worker"),
            url,
            "--nthreads=1",
            "--no-nanny",
            "--no-dashboard",
            `--local-directory=${folder}`,
          ],
          "Registered to",
        );
      }
      return [PYTHON, program("dask_client.py"), url];
    },
  },
  {
    name: "Celery on Redis",
    isThis: false,
    probe: [PYTHON, "-c", "import celery, redis"],
    install: "apt-get install python3-celery python3-redis redis-server",
    async start(processes, { port, folder, nodes }) {
      await processes.start(
        [
          "redis-server",
          "--bind",
          HOST,
          "--port",
          `${port}`,
          "--save",
          "",
          "--dir",
          folder,
        ],
        "Ready to accept",
      );
      const url = `redis://${HOST}:${port}/0`;
      for (let i = 0; i < nodes; i++) {
        await processes.start(
          [
            // It takes pickles from anybody who reaches it, which is nobody here.
            "env",
            "C_FORCE_ROOT=1",
            PYTHON,
            program("celery_tasks.py"),
            url,
            "worker",
            "--pool=solo",
            "--loglevel=INFO",
            `--hostname=node${i}`,
          ],
          "ready.",
        );
      }
      return [PYTHON, program("celery_client.py"), url];
    },
  },
];

/** Debian puts programs for administrators where others do not look. */
function natsServer(): string {
  const debian = "/usr/sbin/nats-server";
  try {
    Deno.statSync(debian);
    return debian;
  } catch {
    return "nats-server";
  }
}

function program(name: string): string {
  return pathOf(new URL(name, import.meta.url));
}
