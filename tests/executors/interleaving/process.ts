/**
 * A worker process, as a model: its host has the real channel to it, and its
 * main thread is the real one. Only the thread that makes calls is a model, and
 * each byte and message on its way waits until a test lets it arrive.
 *
 * ```text
 * Scheduler ──► ProcessChannel ──► input ──feed──► main.ts ──► port ──► FakeThread
 *     ▲               ▲                              │                     │
 *     └───────────────┴──deliver()── standard error ◄┴─────────────────────┘
 * ```
 *
 * @module
 */

// First: what is imported after it takes what it needs of Deno from there.
import {
  arrivedAt,
  begin,
  deliverFrom,
  type Guest,
  type Machine,
} from "./machine.ts";
import type {
  Channel,
  ChannelListener,
} from "../../../executors/pool/channel.ts";
import { openProcess } from "../../../executors/pool/process/child_process.ts";
import { serve } from "../../../executors/pool/process/main.ts";
import {
  ENCODED_MARK_BYTES,
  PacketWriter,
} from "../../../executors/pool/process/packets.ts";
import { Slots } from "../../../executors/pool/wire/slots.ts";
import type {
  ToHost,
  ToWorker,
} from "../../../executors/pool/wire/protocol.ts";
import { locks } from "../../../executors/pool/thread/locks.ts";
import type { Greeting } from "../../../executors/pool/thread/greeting.ts";
import type { OwnProcess } from "../../../executors/pool/process/thread_entry.ts";
import { FakePipes } from "./pipes.ts";
import { FakeThread, type World } from "./thread.ts";
import type { Player } from "./worker.ts";

/** What can happen to a process at any time: it is killed, or stopped for a while, or an earlier task has left an error behind. */
export type Accident = "killed" | "halted" | "failed";

/** What models of processes ask of the test, and tell it, besides. */
export interface ProcessWorld extends World {
  /** What happens to a process that is ready, if anything. */
  accident(): Accident | undefined;
  /** A worker has died that could have entered this call, and has not said that it had not, or loaded its module. */
  doubted(place: number): void;
  /** A worker has died which had been sent this call. */
  outlived(place: number): void;
}

const SETTINGS = {
  command: "deno",
  args: [],
  main: undefined,
  env: {},
  revoke: [],
};

/** More than any process has for its number. */
let nextPid = 2 ** 30;

/** One process, and the pipes to it. */
export class FakeProcess implements Guest, Player {
  readonly #world: ProcessWorld;
  readonly #name: string;
  readonly #pid = nextPid++;
  readonly #status = Promise.withResolvers<Deno.CommandStatus>();
  readonly #unlocked = Promise.withResolvers<void>();
  readonly unlocked: Promise<void> = this.#unlocked.promise;
  readonly #pipes: FakePipes;
  /** Whether its main thread has begun. */
  #begun = false;
  #thread: FakeThread | undefined;
  #slots!: Slots;
  /** The thread's end of the line to the main thread. */
  #port!: MessagePort;
  #halted = false;
  #signals = new Set<Deno.Signal>();
  #exited: Deno.CommandStatus | undefined;
  /** Whether it has said what it had not entered. */
  #parted = false;
  /** What the host has sent: the places of all calls, and of those that were alone in their messages. */
  readonly #sent = new Set<number>();
  readonly #alone = new Set<number>();
  ended = false;

  constructor(world: ProcessWorld, machine: Machine, name: string) {
    this.#world = world;
    this.#name = name;
    this.#pipes = new FakePipes(world.random);
    machine.expect(name, this);
  }

  /** Starts it, and tells the test what becomes of calls. */
  open(listener: ChannelListener): Channel {
    const lose = () => this.#lose();
    const channel = openProcess(this.#name, {
      received: (message) => {
        const [type, , , values] = message as ToHost;
        if (type === "done") this.#thread!.arrived((values as []).length);
        listener.received(message);
      },
      died(cause, interrupted) {
        lose();
        listener.died(cause, interrupted);
      },
    }, SETTINGS);
    const send = channel.send.bind(channel);
    channel.send = (message, transferables) => {
      send(message, transferables);
      if (message[0] === "run") this.#note(message);
    };
    const kill = channel.kill.bind(channel);
    channel.kill = (cause) => {
      if (cause instanceof RangeError) this.#world.violated(cause.message);
      kill(cause);
    };
    const close = channel.close.bind(channel);
    let closed = false;
    channel.close = (idle) => {
      if (!closed) this.#lose();
      closed = true;
      return close(idle);
    };
    return channel;
  }

  #note([, segments]: Extract<ToWorker, readonly ["run", ...unknown[]]>): void {
    const places = segments.flatMap(([, count, args]) =>
      Array.from(
        { length: count },
        (_, n) => args[n * args.length / count] as number,
      )
    );
    for (const place of places) this.#sent.add(place);
    if (places.length === 1) this.#alone.add(places[0]!);
  }

  #lose(): void {
    this.#thread?.lose();
    for (const place of this.#sent) this.#world.outlived(place);
    // A module that ends whoever loads it would do so again.
    const doubted = this.#thread?.loading
      ? this.#sent
      : this.#parted
      ? []
      : this.#alone;
    for (const place of doubted) this.#world.doubted(place);
  }

  spawn(): Deno.ChildProcess {
    if (this.#world.startsBadly) {
      this.ended = true;
      throw new Deno.errors.NotFound("No such program");
    }
    const { stdin, stdout, stderr } = this.#pipes;
    return {
      pid: this.#pid,
      stdin,
      stdout,
      stderr,
      status: this.#status.promise,
      kill: (signal: Deno.Signal) => this.#kill(signal),
    } as unknown as Deno.ChildProcess;
  }

  #kill(signal: Deno.Signal): void {
    if (this.ended) throw new TypeError("The process has ended");
    if (signal === "SIGCONT") this.#halted = false;
    else this.#signals.add(signal);
  }

  read(buffer: Uint8Array): Promise<number> {
    return this.#pipes.read(buffer);
  }

  greeted({ port, slots, extra }: Greeting<OwnProcess>): void {
    this.#port = port;
    this.#slots = new Slots(slots);
    const packets = new PacketWriter(extra.mark, "task");
    this.#thread = new FakeThread(this.#world, {
      slots: this.#slots,
      noticed: locks !== undefined,
      next: () => arrivedAt(port).shift() as ToWorker | undefined,
      say: (message) => {
        // Only a signal can come between this and what the thread has done before.
        if (message[0] === "entered") this.#heedSignals();
        if (message[0] !== "up") packets.write(message, []);
        // The thread that started it waits for those.
        if (message[0] === "up" || message[0] === "closing") {
          port.postMessage(message);
        }
      },
    });
  }

  wrote(packet: Uint8Array<ArrayBuffer>): void {
    this.#pipes.write(packet);
  }

  exit(code: number): void {
    // What is left of a main thread whose process was killed does no harm.
    if (this.#exited !== undefined) return;
    this.#parted = true;
    this.#exit({ success: code === 0, code, signal: null });
  }

  #exit(status: Deno.CommandStatus): void {
    this.#exited = status;
    this.#pipes.broken = true;
    this.#checkStops();
    if (this.#thread !== undefined) this.#thread.dead = true;
  }

  /** What its host was told to stop was told so first, in memory, then by message. */
  #checkStops(): void {
    const running = this.#thread?.running;
    if (running === undefined) return;
    for (const message of arrivedAt(this.#port) as ToWorker[]) {
      if (message[0] !== "stop" || message[1] !== running) continue;
      if (this.#slots.stopKind(running) !== undefined) continue;
      this.#world.violated(`${running} was not stopped`);
    }
  }

  step(): void {
    if (this.#exited !== undefined) return;
    this.#suffer();
    if (this.#halted || this.#exited !== undefined) return;
    const { below } = this.#world.random;
    switch (below(4)) {
      case 0:
        return this.#feed();
      case 1:
        if (this.#thread !== undefined) deliverFrom(this.#port);
        if (this.#thread?.dead) this.#unlocked.resolve();
        return;
      default:
        return this.#thread?.step();
    }
  }

  race(): void {
    if (this.#exited === undefined && !this.#halted) this.#thread?.step();
  }

  /** What ends a process, or stops it, whatever it is at. */
  #suffer(): void {
    const { pick } = this.#world.random;
    if (this.#thread?.ready) {
      const accident = this.#world.accident();
      if (accident === "killed") {
        this.#signals.add(pick(["SIGKILL", "SIGSEGV", "SIGINT"]));
      } else if (accident === "halted") this.#halted = true;
      else if (accident === "failed" && !this.#thread.dead) this.#thread.die();
    }
    this.#heedSignals();
  }

  #heedSignals(): void {
    if (this.#world.random.below(4) > 0) return;
    for (const signal of this.#signals) {
      if (this.#halted && signal !== "SIGKILL") continue;
      return this.#exit({ success: false, code: 128, signal });
    }
  }

  /** The main thread reads some of what the host has written; it begins when it is told its mark. */
  #feed(): void {
    if (!this.#begun) {
      const mark = this.#pipes.peek(ENCODED_MARK_BYTES);
      if (mark === undefined) return;
      this.#begun = true;
      const main = () => void serve([this.#name, ""]);
      begin(this, new TextDecoder().decode(mark), main);
    }
    this.#pipes.feed();
  }

  deliver(): void {
    if (this.#exited === undefined || this.#world.random.below(2) === 0) {
      return this.#pipes.deliver();
    }
    this.ended = true;
    this.#status.resolve(this.#exited);
    this.#pipes.end();
  }
}
