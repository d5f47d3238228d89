// A future whose work waits or runs elsewhere does what a model of a few lines
// does, also when its done callbacks reach back.

import { assertEquals } from "@std/assert";
import {
  CancelledError,
  type FutureState,
  type TaskOutcome,
} from "../../mod.ts";
import { control } from "../../executors/future.ts";
import { forSeeds } from "./helpers/random.ts";

const ACTIONS = [
  "enter",
  "start",
  "cancel",
  "resolve",
  "reject",
  "stop",
  "addDoneCallback",
  "addDoneCallback",
] as const;

type Action = typeof ACTIONS[number];

/** What can be done to a future, and seen of it. */
interface Subject {
  readonly state: FutureState;
  /** What was done, and what came of it, in this order. */
  readonly log: unknown[];
  /** What a callback does is `then`. */
  act(action: Action, then: Action): void;
}

/** What the contract says. */
class Model implements Subject {
  readonly log: unknown[] = [];
  #state: FutureState = "pending";
  #entered = false;
  #callbacks: Action[] = [];

  get state(): FutureState {
    return this.#state === "pending" && this.#entered ? "running" : this.#state;
  }

  act(action: Action, then: Action): void {
    const done = this.#state === "finished" || this.#state === "cancelled";
    switch (action) {
      case "enter":
        this.#entered ||= !done;
        return;
      case "addDoneCallback":
        if (done) this.act(then, "start");
        else this.#callbacks.push(then);
        return;
      case "start":
        this.log.push(this.#state === "pending");
        if (this.#state === "pending") this.#state = "running";
        return;
      case "cancel":
        if (this.state === "pending") this.#settle("cancelled", "cancelled");
        this.log.push(this.#state === "cancelled");
        return;
      default:
        if (!done) {
          const [state, outcome] = SETTLED[action];
          this.#settle(state, outcome);
        }
        this.log.push(!done);
    }
  }

  #settle(state: FutureState, outcome: TaskOutcome): void {
    this.#state = state;
    this.log.push(`counted as ${outcome}`, `told as ${outcome}`);
    for (const then of this.#callbacks.splice(0)) this.act(then, "start");
  }
}

/** What settles a future, and how its origin hears of it. */
const SETTLED = {
  resolve: ["finished", "finished"],
  reject: ["finished", "failed"],
  stop: ["cancelled", "cancelled"],
} as const;

/** The real one, with work that another thread may enter. */
class Real implements Subject {
  readonly log: unknown[] = [];
  #entered = false;
  #revoked = false;
  readonly #future = control.create<number>({
    entered: () => this.#entered,
    revoke: () => this.#revoked ||= !this.#entered,
    ended: (outcome) => this.log.push(`counted as ${outcome}`),
    tell: (outcome) => this.log.push(`told as ${outcome}`),
  });

  get state(): FutureState {
    return this.#future.state;
  }

  act(action: Action, then: Action): void {
    const future = this.#future;
    switch (action) {
      case "enter":
        this.#entered ||= !this.#revoked && !future.done();
        return;
      case "addDoneCallback":
        return future.addDoneCallback(() => this.act(then, "start"));
      case "start":
        this.log.push(control.start(future));
        return;
      case "cancel":
        this.log.push(future.cancel());
        return;
      case "resolve":
        this.log.push(control.resolve(future, 1));
        return;
      case "reject":
        this.log.push(control.reject(future, 1));
        return;
      case "stop":
        this.log.push(control.stop(future, new CancelledError()));
        return;
      default:
        action satisfies never;
    }
  }
}

Deno.test("Future of work elsewhere agrees with its model after any sequence of calls", async () => {
  await forSeeds(2000, ({ pick }) => {
    const [model, real] = [new Model(), new Real()];
    const history: string[] = [];
    for (let step = 0; step < 10; step++) {
      const [action, then] = [pick(ACTIONS), pick(ACTIONS)];
      history.push(
        action === "addDoneCallback" ? `${action}(${then})` : action,
      );
      model.act(action, then);
      real.act(action, then);
      const said = history.join(" ");
      assertEquals(real.state, model.state, said);
      assertEquals(real.log, model.log, said);
    }
  });
});
