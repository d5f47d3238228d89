/**
 * A server, nodes, and other clients, all of which may be harmed.
 *
 * @module
 */

import { NatsServer } from "../nats_server.ts";
import { link } from "../links.ts";
import {
  type NatsConnectionOptions,
  NatsPoolExecutor,
} from "../../../../executors/nats/mod.ts";
import { describeServer } from "./server_state.ts";
import type { Random } from "../../helpers/random.ts";
import { Program } from "./program.ts";

/** So many nodes are there, unless they are about to be. */
const NODES = 2;

/** A node that does not answer for so long is given up. */
const SILENT_MS = 10_000;

/** What is left of clients that are gone has to go within this: 10 s after a busy server, or the thawing of a node. */
const CLEAN_MS = 40_000;

/** A server that was harmed is back within this, on a busy machine too. */
const CONNECT_MS = 60_000;

/** What lives longer than one executor. */
export class World implements AsyncDisposable {
  readonly server: NatsServer;
  /** How much has happened that may lose a call, or run it twice. */
  harm = 0;
  /** What was done, for people. */
  readonly events: Record<string, number> = {};
  readonly #nodes: Program[] = [];
  readonly #clients: Program[] = [];
  /** What is to be undone, and is under way. */
  readonly #underway = new Set<Promise<void>>();
  #serverIsAway = false;
  /**
   * Whether the server was killed, and has its data since: nats-server 2.9.10
   * brings messages back then that were acknowledged, and never delivers them.
   */
  #hasRevenants = false;
  #isOver = false;

  private constructor(server: NatsServer) {
    this.server = server;
  }

  static async start(): Promise<World> {
    const world = new World(await NatsServer.start());
    for (const name of ["nodes", "tasks"]) {
      await Deno.mkdir(`${world.server.folder}/${name}`);
    }
    for (let nodes = 0; nodes < NODES; nodes++) world.#add();
    await world.recover();
    return world;
  }

  /** By which the server is reached, however busy the machine is. */
  get options(): NatsConnectionOptions {
    return { servers: this.server.url, connectTimeout: CONNECT_MS };
  }

  /** A folder of its own for the tasks of a client. */
  makeFolder(): string {
    return Deno.makeTempDirSync({ dir: `${this.server.folder}/tasks` });
  }

  /** Harms somebody, and undoes it after a while. */
  disturb({ below, pick }: Random, patient: boolean): void {
    const disturb = pick([
      () => this.#killNode(pick(this.#nodes)),
      () => this.#killNode(pick(this.#nodes)),
      () => {
        const ms = patient && below(3) === 0 ? SILENT_MS + 2000 : 3000;
        return this.#freezeNode(pick(this.#nodes), below(ms));
      },
      () => this.#drainNode(pick(this.#nodes)),
      () => this.#startClient(below(2 ** 30), below(2000)),
      () => this.#harmServer(pick(["kill", "stop", "wipe"]), below(1000)),
      () => this.#harmServer(pick(["kill", "stop", "wipe"]), below(1000)),
      () => this.#freezeServer(below(1000)),
    ]);
    this.#track(disturb());
  }

  /** Resolves when all is as it was. */
  async recover(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /**
   * Waits until nothing is left of clients that are gone; all of them are.
   *
   * @returns How long that took, in milliseconds.
   */
  async becomeClean(): Promise<number> {
    await this.recover();
    const begun = performance.now();
    let left = "";
    while (performance.now() - begun < CLEAN_MS) {
      left = await this.#leftovers();
      if (left === "") return performance.now() - begun;
      await wait(200);
    }
    throw new Error(`Left behind: ${left}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const programs = [...this.#nodes, ...this.#clients];
    for (const program of programs) program.kill();
    await Promise.all(programs.map(({ ended }) => ended));
    await this.recover();
    await this.server[Symbol.asyncDispose]();
  }

  /** What has happened, what is with the server, and what nodes have and have written, for people. */
  async describe(): Promise<string> {
    for (const node of this.#nodes) node.describe();
    const server = await describeServer(this.server.url)
      .catch((error) => `${error}`);
    const logs = this.#nodes.map(({ log, isFrozen }) =>
      `A node${isFrozen ? " that is frozen" : ""}: ${log}`
    );
    return [Deno.inspect(this.events), server, ...logs].join("\n");
  }

  /** Starts a node, and another when that has ended, whatever has ended it. */
  #add(): void {
    const { server } = this;
    const node = new Program("node_program.ts", [
      server.url,
      "2",
      `${server.folder}/nodes`,
    ]);
    this.#nodes.push(node);
    this.#track(node.ready);
    node.ended.then(() => {
      this.#nodes.splice(this.#nodes.indexOf(node), 1);
      this.harm++;
      if (!this.#isOver) this.#add();
    });
  }

  #track(doing: Promise<void>): void {
    const done = doing.finally(() => this.#underway.delete(done));
    this.#underway.add(done);
  }

  async #killNode(node: Program | undefined): Promise<void> {
    if (node === undefined) return;
    this.#note("kill node");
    node.kill();
    await node.ended;
  }

  async #freezeNode(node: Program | undefined, ms: number): Promise<void> {
    if (node === undefined || node.isFrozen) return;
    this.#note("freeze node");
    node.freeze();
    await wait(ms);
    this.harm++;
    node.thaw();
  }

  async #drainNode(node: Program | undefined): Promise<void> {
    if (node === undefined || node.isFrozen) return;
    this.#note("drain node");
    await node.ready;
    node.terminate();
    await node.ended;
  }

  async #startClient(seed: number, ms: number): Promise<void> {
    this.#note("kill client");
    const client = new Program("client_program.ts", [
      this.server.url,
      this.makeFolder(),
      `${seed}`,
    ]);
    this.#clients.push(client);
    await client.ready;
    await wait(ms);
    client.kill();
    await client.ended;
    this.#clients.splice(this.#clients.indexOf(client), 1);
  }

  async #harmServer(how: "kill" | "stop" | "wipe", ms: number): Promise<void> {
    if (this.#serverIsAway) return;
    this.#serverIsAway = true;
    this.#note(`${how} server`);
    if (how === "stop") await this.server.stop();
    else await this.server.kill();
    await wait(ms);
    this.harm++;
    await this.server.restart({ wipe: how === "wipe" });
    if (how !== "stop") this.#hasRevenants = how === "kill";
    this.#serverIsAway = false;
  }

  async #freezeServer(ms: number): Promise<void> {
    if (this.#serverIsAway) return;
    this.#serverIsAway = true;
    this.#note("freeze server");
    await this.server.freeze();
    await wait(ms);
    this.harm++;
    this.server.thaw();
    this.#serverIsAway = false;
  }

  #note(event: string): void {
    this.harm++;
    this.events[event] = (this.events[event] ?? 0) + 1;
  }

  async #leftovers(): Promise<string> {
    const left: string[] = [];
    const { options } = this;
    await using connected = await link(options);
    const { manager, subjects } = connected;
    const { tasks, results, parts } = subjects;
    for (const stream of [tasks, results, parts]) {
      const info = await manager.streams.info(stream, {
        subjects_filter: ">",
      }).catch((error) => `${error}`);
      if (typeof info === "string") {
        // After a wipe nobody may have made it.
        if (!info.includes("stream not found")) left.push(info);
        continue;
      }
      const consumers = await manager.consumers.list(stream).next();
      for (const { name, num_pending, num_ack_pending } of consumers) {
        if (name !== "nodes") left.push(`consumer ${name} of ${stream}`);
        if (num_pending + num_ack_pending > 0) {
          left.push(`${num_pending} + ${num_ack_pending} messages for ${name}`);
        }
      }
      const { messages, subjects: names } = info.state;
      if (messages === 0 || stream !== parts && this.#hasRevenants) continue;
      left.push(`${messages} messages in ${stream}: ${Deno.inspect(names)}`);
    }
    const pool = new NatsPoolExecutor(options);
    for (const { name, busy } of await pool.nodes()) {
      if (busy > 0) left.push(`${busy} busy workers of ${name}`);
    }
    await pool.shutdown();
    return left.join("; ");
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
