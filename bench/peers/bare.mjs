/**
 * The limits: what Web Workers and `postMessage` give when nothing is promised.
 *
 * `batch` tasks travel in a message, and `ahead` messages at a time to each
 * worker: all that there are, or one so that no task waits behind another while
 * a worker is idle.
 *
 * @module
 */

/** How many items travel in a message when a list is mapped by hand. */
const MAP_BATCH = 1_000;

/** Starts the workers. */
export function open({ workers, batch, balanced = false }) {
  return new BarePool(workers, batch, balanced ? 1 : Infinity);
}

class BarePool {
  #workers;
  #batch;
  #ahead;
  /** Messages that wait for a worker. */
  #queue = [];
  /** What is to be told when a message is answered, by its number. */
  #pending = new Map();
  #lastId = 0;
  /** Tasks of this turn, which travel together. */
  #turn;

  constructor(count, batch, ahead) {
    this.#batch = batch;
    this.#ahead = ahead;
    this.#workers = Array.from({ length: count }, () => {
      const worker = new Worker(new URL("bare_worker.mjs", import.meta.url), {
        type: "module",
      });
      const state = { worker, inFlight: 0 };
      worker.onmessage = ({ data }) => this.#received(state, data);
      return state;
    });
  }

  run(name, input) {
    return new Promise((resolve) => {
      if (this.#batch === 1) {
        this.#send(name, [input], ([result]) => resolve(result));
        return;
      }
      if (this.#turn?.name !== name) this.#flush();
      if (this.#turn === undefined) {
        this.#turn = { name, inputs: [], resolvers: [] };
        queueMicrotask(() => this.#flush());
      }
      this.#turn.inputs.push(input);
      this.#turn.resolvers.push(resolve);
      if (this.#turn.inputs.length === this.#batch) this.#flush();
    });
  }

  async map(name, inputs) {
    const batches = [];
    for (let i = 0; i < inputs.length; i += MAP_BATCH) {
      const batch = inputs.slice(i, i + MAP_BATCH);
      batches.push(
        new Promise((resolve) => this.#send(name, batch, resolve)),
      );
    }
    return (await Promise.all(batches)).flat();
  }

  move(array) {
    return new Promise((resolve) =>
      this.#send("echo", [array], ([result]) => resolve(result), [array.buffer])
    );
  }

  close() {
    for (const { worker } of this.#workers) worker.terminate();
  }

  #flush() {
    if (this.#turn === undefined) return;
    const { name, inputs, resolvers } = this.#turn;
    this.#turn = undefined;
    this.#send(name, inputs, (results) => {
      for (let i = 0; i < results.length; i++) resolvers[i](results[i]);
    });
  }

  #send(name, inputs, answered, transferables = []) {
    const id = ++this.#lastId;
    this.#pending.set(id, answered);
    const message = [id, name, inputs, transferables.length > 0];
    let free = this.#workers[0];
    for (const it of this.#workers) if (it.inFlight < free.inFlight) free = it;
    if (free.inFlight < this.#ahead) {
      free.inFlight++;
      free.worker.postMessage(message, transferables);
    } else {
      this.#queue.push([message, transferables]);
    }
  }

  #received(state, [id, results]) {
    const next = this.#queue.shift();
    if (next === undefined) state.inFlight--;
    else state.worker.postMessage(...next);
    const answered = this.#pending.get(id);
    this.#pending.delete(id);
    answered(results);
  }
}
