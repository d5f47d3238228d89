/**
 * How busy the workers of nodes are, and were, as far as a client can tell: it
 * knows what its own calls took.
 *
 * @module
 */

import { monotonicTime } from "../../runtime/clock.ts";
import type { Activity, WorkerStats } from "../../stats.ts";
import type { Hello } from "../messages.ts";

/** What one node has done for a client. */
interface Work {
  tasks: number;
  busyMs: number;
}

/** The work of all nodes. */
export class WorkTimes {
  readonly #nodes = new Map<string, Work>();
  /** From when until when each node was heard of, and how many workers it has. */
  readonly #seen = new Map<
    string,
    { readonly since: number; until: number; readonly workers: number }
  >();

  /** A node is there. */
  seen({ node, workers }: Hello): void {
    const now = monotonicTime();
    const seen = this.#seen.get(node) ?? { since: now, until: now, workers };
    seen.until = now;
    this.#seen.set(node, seen);
  }

  /** A node has made calls, which took so long together. */
  ended(node: string, calls: number, ms: number): void {
    const work = this.#nodes.get(node) ?? { tasks: 0, busyMs: 0 };
    work.tasks += calls;
    work.busyMs += ms;
    this.#nodes.set(node, work);
  }

  /**
   * What the workers do. A node does not say which of them has made a call, unless
   * somebody watches: they share what it has made.
   *
   * @param nodes The nodes there are.
   * @param busyOf How many workers of a node have something of this client.
   */
  of(
    nodes: readonly Hello[],
    busyOf: (node: string) => number,
  ): Pick<Activity, "workers" | "utilisation"> {
    let busyMs = 0;
    for (const work of this.#nodes.values()) busyMs += work.busyMs;
    let aliveMs = 0;
    for (const { node } of nodes) this.#seen.get(node)!.until = monotonicTime();
    for (const { since, until, workers } of this.#seen.values()) {
      aliveMs += workers * (until - since);
    }
    return {
      workers: nodes.flatMap((hello) =>
        this.#workersOf(hello, busyOf(hello.node))
      ),
      utilisation: aliveMs === 0 ? 0 : Math.min(1, busyMs / aliveMs),
    };
  }

  #workersOf({ node, name, workers }: Hello, busy: number): WorkerStats[] {
    const { tasks, busyMs } = this.#nodes.get(node) ?? { tasks: 0, busyMs: 0 };
    return Array.from({ length: workers }, (_, i) => ({
      name: `${name}/worker-${i + 1}`,
      state: i < busy ? "running" as const : "idle" as const,
      tasks: Math.floor(tasks / workers) + (i < tasks % workers ? 1 : 0),
      busyMs: busyMs / workers,
    }));
  }
}
