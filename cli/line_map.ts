/**
 * Lines in, results out, as many lines on their way as make sense.
 *
 * ```text
 * LineSource ──cut, while there is room──► block ──submit──► a worker
 *                                            ▲                  │
 *            what it had no time for, what ──┘                  │
 *            is to be tried again                               │
 * reader ◄── pieces, in the order of the lines or as they come ◄┘
 * ```
 *
 * Results wait for those of earlier lines, and for their reader. When they have
 * become too many, blocks that have not begun are called back, and wait until
 * there is room; all but the one that the others wait for.
 *
 * Nobody has to guess how many lines make a block. The first ones have one
 * line. While blocks come back quickly, they grow; one that takes longer than
 * its budget comes back with what it has done, the rest is cut anew. So a slow
 * function has its lines spread over the workers one by one, and a fast one
 * gets thousands at once.
 *
 * @module
 */

import {
  BrokenExecutorError,
  CancelledError,
  type Future,
  ShutdownError,
  TimeoutError,
  WorkerCrashedError,
} from "../mod.ts";
import { CommandError } from "./command.ts";
import { type Block, findLines, part, type Piece } from "./line_block.ts";
import type { LineChunk } from "./line_source.ts";
import {
  type BlockResult,
  describe,
  type ErrorText,
  type LineFailure,
  type Place,
  timedOut,
} from "./map_block.ts";
import { ReadyResults } from "./ready_results.ts";

/** A block takes so long: much longer than a message, too short to wait for. */
export const BLOCK_MS = 50;

/** How fast blocks grow. */
const GROWTH = 4;

/** More lines in a block would not make a difference. */
const MAX_BLOCK_LINES = 16_384;

/** So many lines may be on their way, or there without an earlier one. */
const MAX_LINES = 1000;

/** And so many blocks for each worker, if these are more lines. */
const BLOCKS_PER_WORKER = 4;

/** Lines that are long are fewer. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** A block on its way, and how often it has been. */
interface Attempt {
  readonly block: Block;
  readonly attempt: number;
}

/** What there is to know for a {@linkcode LineMap}. */
export interface LineMapOptions {
  /** Has the lines of a block mapped. */
  submit(text: string): Future<BlockResult>;
  /** How many blocks are worked on at a time. */
  readonly workers: number;
  /** Whether results come in the order of the lines. */
  readonly ordered: boolean;
  /** How long a line may take, which needs a block of its own if it matters. */
  readonly timeoutMs: number;
  /** How often a line that failed is tried again. */
  readonly retries: number;
  /** How many lines at the beginning are passed over. */
  readonly skip: number;
}

/** Maps lines. */
export class LineMap {
  /** How many characters of the input are done, or were passed over. */
  charactersDone = 0;
  readonly #options: LineMapOptions;
  /** How many lines a block has now. */
  #size = 1;
  /** What has been submitted and has not come back. */
  readonly #futures = new Map<Future<BlockResult>, Attempt>();
  /** What is to be submitted when there is room for its results. */
  readonly #waiting: Attempt[] = [];
  /** Lines and characters that have been cut into blocks and have not been read as results. */
  #linesOut = 0;
  #charactersOut = 0;
  readonly #ready: ReadyResults;
  #ended = false;
  #stopped = false;
  #error: { error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  /**
   * Begins to read.
   *
   * @param source The lines.
   * @param options What is to be done with them, by how many workers.
   */
  constructor(source: AsyncIterable<LineChunk>, options: LineMapOptions) {
    this.#options = options;
    this.#ready = new ReadyResults(options.skip, options.ordered);
    this.#read(source).catch((error) => this.#error ??= { error }).finally(
      () => {
        this.#ended = true;
        this.#wake();
      },
    );
  }

  /** No new lines from now on; what runs is finished. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    for (const future of this.#futures.keys()) future.cancel();
    this.#wake();
  }

  /** What there is so far, each time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Piece[]> {
    for (;;) {
      const pieces = this.#ready.take();
      if (pieces.length > 0) {
        yield pieces;
        // Only now, so that a reader who is slow slows down all.
        for (const piece of pieces) {
          this.#linesOut -= piece.lines;
          this.#charactersOut -= piece.length;
          this.#ready.release(piece);
          this.charactersDone += piece.length;
        }
        this.#submitWaiting();
        this.#wake();
      } else if (this.#error !== undefined) {
        throw this.#error.error;
      } else if (
        (this.#ended || this.#stopped) && this.#futures.size === 0 &&
        this.#waiting.length === 0
      ) {
        return;
      } else {
        await this.#changed.promise;
      }
    }
  }

  async #read(source: AsyncIterable<LineChunk>): Promise<void> {
    const { skip } = this.#options;
    let first = 0;
    let line = 0;
    for await (const { file, text, starts, error } of source) {
      if (starts) line = 0;
      for (let start = 0; start < text.length;) {
        while (!this.#hasRoom() && !this.#stopped) await this.#changed.promise;
        if (this.#stopped) return;
        const wanted = first < skip ? skip - first : this.#size;
        const { end, lines } = findLines(text, start, wanted);
        if (first < skip) {
          this.charactersDone += end - start;
        } else {
          this.#linesOut += lines;
          this.#charactersOut += end - start;
          const block = {
            file,
            line,
            first,
            lines,
            text: text.slice(start, end),
          };
          if (error === undefined) this.#start(block);
          else this.#refuse(block, error);
        }
        first += lines;
        line += lines;
        start = end;
      }
    }
    if (first < skip) {
      throw new CommandError(
        `cannot go on after line ${skip}: the input has ${first}`,
      );
    }
  }

  #hasRoom(): boolean {
    const most = BLOCKS_PER_WORKER * this.#options.workers * this.#size;
    return this.#linesOut < Math.max(MAX_LINES, most) &&
      this.#charactersOut < MAX_CHARACTERS && !this.#ready.isFull;
  }

  /** Sends a block off; what comes of it is either ready or sent off again. */
  #start(block: Block, attempt = 1): void {
    if (this.#stopped) return;
    if (this.#ready.isFull && !this.#ready.isNext(block.first)) {
      this.#waiting.push({ block, attempt });
      return;
    }
    const future = this.#options.submit(block.text);
    this.#futures.set(future, { block, attempt });
    future.then(
      (result) => this.#settle(block, result, attempt),
      (error) => this.#fail(block, error, attempt),
    ).catch((error) => this.#error ??= { error }).finally(() => {
      this.#futures.delete(future);
      this.#wake();
    });
  }

  /** Calls back what has not begun, as there are too many results. */
  #callBack(): void {
    for (const [future, attempt] of this.#futures) {
      if (this.#ready.isNext(attempt.block.first) || !future.cancel()) continue;
      this.#futures.delete(future);
      this.#waiting.push(attempt);
    }
  }

  /** Submits what waits, as far as there is room now. */
  #submitWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting.splice(0)
      .sort((a, b) => a.block.first - b.block.first);
    for (const { block, attempt } of waiting) this.#start(block, attempt);
  }

  #settle(block: Block, result: BlockResult, attempt: number): void {
    this.#adapt(block, result);
    const { lines, length, output, failures, long } = result;
    let done = { index: 0, start: 0, at: 0 };
    for (const failure of failures) {
      this.#put(block, output, done, failure);
      const { end } = findLines(block.text, failure.start, 1);
      const failed = part(block, failure.index, failure.start, end, 1);
      this.#putFailure(failed, failure, attempt);
      done = { index: failure.index + 1, start: end, at: failure.at };
    }
    const end = { index: lines, start: length, at: output.length };
    if (long === undefined) {
      this.#put(block, output, done, end);
    } else {
      const last = { ...end, index: lines - 1, start: long.start };
      this.#put(block, output, done, last);
      this.#put(block, long.output, { ...last, at: 0 }, {
        ...end,
        at: long.output.length,
      });
    }
    this.#split(block, lines, length, this.#size);
  }

  /** The results between two places in a block. */
  #put(block: Block, output: string, from: Place, to: Place): void {
    if (from.index === to.index) return;
    this.#add({
      first: block.first + from.index,
      lines: to.index - from.index,
      length: to.start - from.start,
      output: output.slice(from.at, to.at),
    });
  }

  #add(piece: Piece): void {
    this.#ready.add(piece);
    if (this.#ready.isFull) this.#callBack();
  }

  #putFailure(
    block: Block,
    { error, isUnreadable }: Omit<LineFailure, keyof Place>,
    attempt: number,
  ): void {
    if (!isUnreadable && attempt <= this.#options.retries) {
      this.#start(block, attempt + 1);
      return;
    }
    const { file, line, first, text } = block;
    const failure = { file, line: line + 1, error, isUnreadable };
    const { length } = text;
    this.#add({ first, lines: 1, length, output: "", failure });
  }

  /** A line that nothing can be made of has no need of a worker. */
  #refuse(block: Block, error: ErrorText): void {
    this.#putFailure(block, { error, isUnreadable: true }, 1);
    this.#wake();
  }

  /** The executor has no result for a block. */
  #fail(block: Block, error: unknown, attempt: number): void {
    if (error instanceof CancelledError) return;
    const isOver = error instanceof BrokenExecutorError ||
      error instanceof ShutdownError;
    if (isOver && !(error instanceof WorkerCrashedError)) throw error;
    // A worker that died, a time that is up, a result that cannot be sent.
    const isTimeout = error instanceof TimeoutError;
    if (block.lines === 1) {
      const { timeoutMs } = this.#options;
      const text = describe(isTimeout ? timedOut(timeoutMs) : error);
      this.#putFailure(block, { error: text, isUnreadable: false }, attempt);
    } else {
      // Nobody knows which line it was: they are called again, one by one.
      this.#split(block, 0, 0, 1);
    }
  }

  /** Sends the lines of a block from one on in blocks of their own. */
  #split(block: Block, index: number, start: number, size: number): void {
    while (index < block.lines) {
      const { end, lines } = findLines(block.text, start, size);
      this.#start(part(block, index, start, end, lines));
      index += lines;
      start = end;
    }
  }

  #adapt(block: Block, { lines, ms }: BlockResult): void {
    // What is stopped when its time is up has to be one line.
    if (this.#options.timeoutMs !== Infinity) return;
    if (lines < block.lines) this.#size = Math.min(this.#size, lines);
    // Those that were sent before the size last changed say nothing of it.
    else if (lines >= this.#size && ms < BLOCK_MS / 2) {
      this.#size = Math.min(this.#size * GROWTH, MAX_BLOCK_LINES);
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
