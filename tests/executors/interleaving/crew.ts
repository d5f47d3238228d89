/**
 * The fake workers of a run, of which any may do something at any time.
 *
 * @module
 */

// First: what is imported after it takes processes from there.
import { Machine } from "./machine.ts";
import { FakeProcess, type ProcessWorld } from "./process.ts";
import type {
  Channel,
  ChannelListener,
} from "../../../executors/pool/channel.ts";
import { FakeWorker, type Player } from "./worker.ts";

/** What a run has: threads, which share memory with their host, or processes, which do not. */
export type WorkerKind = "threads" | "processes";

/** All workers of a run that are not gone. */
export class Crew implements Disposable {
  readonly #kind: WorkerKind;
  readonly #world: ProcessWorld;
  readonly #machine: Machine;
  readonly #workers: Player[] = [];
  #racing = false;

  constructor(world: ProcessWorld, kind: WorkerKind) {
    this.#world = world;
    this.#kind = kind;
    this.#machine = new Machine(() => {
      // What threads share with their host has races of its own.
      if (kind === "processes") this.race();
    });
  }

  /** How many of them are left. */
  get left(): number {
    return this.#workers.filter(({ ended }) => !ended).length;
  }

  /** Starts one. */
  open(name: string, listener: ChannelListener): Channel {
    if (this.#kind === "threads") {
      const worker = new FakeWorker(this.#world, listener);
      this.#workers.push(worker);
      return worker;
    }
    const process = new FakeProcess(this.#world, this.#machine, name);
    this.#workers.push(process);
    return process.open(listener);
  }

  /** Some of them go on. */
  work(): void {
    for (let steps = this.#world.random.below(4); steps > 0; steps--) {
      this.#let((worker) => worker.step());
    }
  }

  /** Something that one of them has said arrives. */
  deliver(): void {
    this.#let((worker) => worker.deliver());
  }

  /** Some go on in the midst of something else. */
  race(): void {
    // What races does not race with itself.
    if (this.#racing) return;
    this.#racing = true;
    for (let steps = this.#world.random.below(3); steps > 0; steps--) {
      this.#let((worker) => worker.race());
    }
    this.#racing = false;
  }

  /** Lets one of them do something, if there is one. */
  #let(act: (worker: Player) => void): void {
    if (this.#workers.length === 0) return;
    const worker = this.#world.random.pick(this.#workers);
    act(worker);
    // It may have raced, and ended, meanwhile.
    const at = this.#workers.indexOf(worker);
    if (worker.ended && at >= 0) this.#workers.splice(at, 1);
  }

  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }
}
