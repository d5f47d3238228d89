/**
 * The message that takes calls to a worker, many at a time.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { copyPlain, NOT_PLAIN } from "../wire/plain.ts";
import type { Segment } from "../wire/protocol.ts";

/** A segment to which calls are being added. */
type Draft = [fn: number, count: number, args: unknown[], oneItem: boolean];

/** Collects calls. */
export class RunMessage {
  readonly #segments: Draft[] = [];

  /** What has been collected. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Adds the first calls of an item, as many as have only plain arguments; the
   * next one, if there is one, has to travel alone. Returns how many: none if
   * the item is not `wanted` any more, as copying has run getters.
   */
  addPlain(
    fn: number,
    item: Job,
    wanted: (item: Job) => boolean,
  ): number {
    if (item.transfers || !wanted(item)) return 0;
    const { args, count } = item;
    const draft = this.#draft(fn, count, args.length / count);
    const before = draft[2].length;
    const plain = pushPlain(args, draft[2]);
    const calls = !wanted(item)
      ? 0
      : plain === args.length
      ? count
      : Math.floor(plain * count / args.length);
    if (calls < count) draft[2].length = before + calls * (args.length / count);
    draft[1] += calls;
    if (draft[1] === 0) this.#segments.pop();
    return calls;
  }

  /** Single calls of the same shape share a segment. */
  #draft(fn: number, count: number, arity: number): Draft {
    const last = this.#segments.at(-1);
    if (
      count === 1 && last !== undefined && last[0] === fn && !last[3] &&
      last[2].length === last[1] * arity
    ) return last;
    const draft: Draft = [fn, 0, [], count > 1];
    this.#segments.push(draft);
    return draft;
  }
}

/** Adds copies of plain arguments to `target` up to the first that is not; returns how many. */
function pushPlain(args: readonly unknown[], target: unknown[]): number {
  for (let i = 0; i < args.length; i++) {
    const copy = copyPlain(args[i]);
    if (copy === NOT_PLAIN) return i;
    target.push(copy);
  }
  return args.length;
}
