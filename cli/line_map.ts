/**
 * Maps lines to results in blocks, with as many blocks on their way as make sense.
 *
 * ```text
 * LineSource ──cut, while there is room──► block ──submit──► a worker
 *                                            ▲                  │
 *     lines that it had no time for, and ────┘                  │
 *     lines that are tried again                                │
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

/**
 * How long a block may take, in milliseconds: much longer than a message, too
 * short to be waited for.
 */
export const BLOCK_MS = 50;

/** By how much blocks grow while they come back quickly. */
const GROWTH = 4;

/** How many lines a block has at most: more would make no difference. */
const MAX_BLOCK_LINES = 16_384;

/**
 * How many lines may be on their way, or wait for an earlier one, unless the
 * blocks below have more.
 */
const MAX_LINES = 1000;

/** How many blocks of the present size may be on their way or wait, for each worker. */
const BLOCKS_PER_WORKER = 4;

/** How many characters such lines may have, as lines may be long. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** A block on its way, and for which time. */
interface Attempt {
  readonly block: Block;
  readonly attempt: number;
}

/** Options of {@linkcode LineMap}. */
export interface LineMapOptions {
  /** Has the lines of a block mapped. */
  submit(text: string): Future<BlockResult>;
  /** How many blocks are worked on at a time, now. */
  workers(): number;
  /** Whether results come in the order of the lines. */
  readonly ordered: boolean;
  /** How long a line may take; with a limit, each line has a block of its own. */
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
  /** Blocks that were submitted and have not come back. */
  readonly #futures = new Map<Future<BlockResult>, Attempt>();
  /** Blocks that are to be submitted when there is room for their results. */
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
   * Begins to read lines.
   *
   * @param source The lines.
   * @param options How the lines are mapped, and by how many workers.
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

  /** Takes no new lines from now on; blocks that run are finished. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    for (const future of this.#futures.keys()) future.cancel();
    this.#wake();
  }

  /** Yields the pieces that can be read, as they come. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Piece[]> {
    for (;;) {
      const pieces = this.#ready.take();
      if (pieces.length > 0) {
        yield pieces;
        // Counted only now, so that a slow reader slows down the map.
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
    const most = BLOCKS_PER_WORKER * this.#options.workers() * this.#size;
    return this.#linesOut < Math.max(MAX_LINES, most) &&
      this.#charactersOut < MAX_CHARACTERS && !this.#ready.isFull;
  }

  /** Submits a block, or has it wait while there are too many results. */
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

  /** Calls back blocks that have not begun, as there are too many results. */
  #callBack(): void {
    for (const [future, attempt] of this.#futures) {
      if (this.#ready.isNext(attempt.block.first) || !future.cancel()) continue;
      this.#futures.delete(future);
      this.#waiting.push(attempt);
    }
  }

  /** Submits blocks that wait, as far as there is room now. */
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

  /** Adds the results between two places in a block. */
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

  /**
   * A line has failed: it is tried again, or it is given up.
   *
   * Not by option `retry` of the executor, which tries a call again, when the call
   * has failed. The call of a block does not fail with one of its lines, or the
   * results of the others were lost. And a line that is to be tried again can be
   * called back here until it begins, when results wait that nobody reads, and
   * when the run is stopped; a future between two attempts is running, and is not
   * cancelled.
   */
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

  /** Fails a line that cannot be read, which needs no worker. */
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
    // Else a worker died, a time was up, or a result could not be sent.
    const isTimeout = error instanceof TimeoutError;
    if (block.lines === 1) {
      const { timeoutMs } = this.#options;
      const text = describe(isTimeout ? timedOut(timeoutMs) : error);
      this.#putFailure(block, { error: text, isUnreadable: false }, attempt);
    } else {
      // Nobody knows which line has failed: all are mapped again, one by one.
      this.#split(block, 0, 0, 1);
    }
  }

  /** Submits the lines of a block, from one on, in new blocks. */
  #split(block: Block, index: number, start: number, size: number): void {
    while (index < block.lines) {
      const { end, lines } = findLines(block.text, start, size);
      this.#start(part(block, index, start, end, lines));
      index += lines;
      start = end;
    }
  }

  #adapt(block: Block, { lines, ms }: BlockResult): void {
    // A block that is stopped when its time is up has to be one line.
    if (this.#options.timeoutMs !== Infinity) return;
    if (lines < block.lines) this.#size = Math.min(this.#size, lines);
    // Blocks that were sent before the size last changed say nothing of it.
    else if (lines >= this.#size && ms < BLOCK_MS / 2) {
      this.#size = Math.min(this.#size * GROWTH, MAX_BLOCK_LINES);
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
