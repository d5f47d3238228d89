// A future does what a model of a few lines does, whatever is done to it.

import { assertEquals } from "@std/assert";
import { Future, type FutureState } from "../../mod.ts";
import { forSeeds } from "./helpers/random.ts";

/** What the contract says, without promises. */
class Model {
  state: FutureState = "pending";
  outcome: unknown[] = [];
  readonly callbacks: number[] = [];
  readonly called: number[] = [];

  start(): unknown {
    if (this.state === "cancelled") return false;
    if (this.state !== "pending") return "InvalidStateError";
    this.state = "running";
    return true;
  }

  cancel(reason: unknown): unknown {
    if (this.state === "pending") {
      this.#settle("cancelled", ["CancelledError", reason]);
    }
    return this.state === "cancelled";
  }

  resolve(value: unknown): unknown {
    return this.#settleOnce(["value", value]);
  }

  reject(error: unknown): unknown {
    return this.#settleOnce(["error", error]);
  }

  addDoneCallback(id: number): unknown {
    if (this.done) this.called.push(id);
    else this.callbacks.push(id);
    return undefined;
  }

  result(): unknown {
    return this.done ? this.outcome : ["TimeoutError"];
  }

  get done(): boolean {
    return this.state === "cancelled" || this.state === "finished";
  }

  #settleOnce(outcome: unknown[]): unknown {
    if (this.done) return "InvalidStateError";
    this.#settle("finished", outcome);
    return undefined;
  }

  #settle(state: FutureState, outcome: unknown[]): void {
    this.state = state;
    this.outcome = outcome;
    this.called.push(...this.callbacks.splice(0));
  }
}

/** The real one, seen as the model sees itself. */
class Real {
  readonly #made = Future.withResolvers<unknown>();
  readonly called: number[] = [];

  start(): unknown {
    return nameOfError(() => this.#made.start());
  }

  cancel(reason: unknown): unknown {
    return this.#made.future.cancel(reason);
  }

  resolve(value: unknown): unknown {
    return nameOfError(() => this.#made.resolve(value));
  }

  reject(error: unknown): unknown {
    return nameOfError(() => this.#made.reject(error));
  }

  addDoneCallback(id: number): unknown {
    return this.#made.future.addDoneCallback(() => this.called.push(id));
  }

  result(): Promise<unknown> {
    const { future } = this.#made;
    return future.result({ timeout: 0 }).then(
      (value) => ["value", value],
      (error) => {
        const own = /^(CancelledError|TimeoutError)$/.exec(error?.name)?.[0];
        if (own === undefined) return ["error", error];
        return "cause" in error ? [own, error.cause] : [own];
      },
    );
  }

  get state(): FutureState {
    return this.#made.future.state;
  }

  get done(): boolean {
    return this.#made.future.done();
  }
}

function nameOfError(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return (error as Error).name;
  }
}

Deno.test("Future agrees with its model after any sequence of calls", async () => {
  await forSeeds(300, async (random) => {
    const [model, real] = [new Model(), new Real()];
    const history: string[] = [];
    for (let step = 0; step < 12; step++) {
      const action = random.pick(
        [
          "start",
          "cancel",
          "resolve",
          "reject",
          "addDoneCallback",
          "addDoneCallback",
          "result",
        ] as const,
      );
      const arg = step;
      history.push(`${action}(${arg})`);
      const said = history.join(" ");
      assertEquals(await real[action](arg), model[action](arg), said);
      assertEquals(real.state, model.state, said);
      assertEquals(real.done, model.done, said);
      assertEquals(real.called, model.called, said);
    }
  });
});
