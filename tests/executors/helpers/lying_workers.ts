/**
 * Real workers whose words are changed on the way, as a task can do that speaks
 * for its worker: what a worker says when a call has returned {@linkcode lie}'s
 * value, its host hears in another form.
 *
 * @module
 */

import { openProcess } from "../../../executors/pool/process/child_process.ts";
import type {
  ChannelListener,
  OpenChannel,
} from "../../../executors/pool/channel.ts";
import { planProcess } from "../../../executors/pool/process/plan.ts";
import type { ToHost } from "../../../executors/pool/wire/protocol.ts";
import { openWebWorker } from "../../../executors/pool/thread/web_worker.ts";
import {
  WorkerExecutor,
  type WorkerExecutorOptions,
} from "../../../executors/worker_executor.ts";

/** An honest report of one call. */
export type Report = Extract<ToHost, readonly ["done", ...unknown[]]>;

/** What is said instead. */
export type Lie = (honest: Report) => readonly unknown[];

/** What a task returns so that its worker tells the lie of this index. */
export const lie = (index: number): { lie: number } => ({ lie: index });

const plan = planProcess({
  permissions: undefined,
  memoryLimit: Infinity,
  env: {},
});

/** How workers of each kind are started. */
export const TRANSPORTS: Record<string, OpenChannel> = {
  "A thread": (name, listener) => openWebWorker(name, listener, {}),
  "A process": (name, listener) => openProcess(name, listener, plan),
};

/** An executor with such workers. */
export class LyingExecutor extends WorkerExecutor {
  constructor(
    open: OpenChannel,
    lies: readonly Lie[],
    options: WorkerExecutorOptions,
  ) {
    super(
      options,
      (name, listener) => open(name, new Middleman(listener, lies)),
    );
  }
}

class Middleman implements ChannelListener {
  readonly #listener: ChannelListener;
  readonly #lies: readonly Lie[];

  constructor(listener: ChannelListener, lies: readonly Lie[]) {
    this.#listener = listener;
    this.#lies = lies;
  }

  received(message: unknown): void {
    const said = message as Report;
    const values = said?.[0] === "done" ? said[3] as { lie?: number }[] : [];
    const index = values.find((value) => value?.lie !== undefined)?.lie;
    const heard = index === undefined ? [message] : this.#lies[index]!(said);
    for (const message of heard) this.#listener.received(message);
  }

  died(cause: unknown, interrupted?: boolean): void {
    this.#listener.died(cause, interrupted);
  }
}
