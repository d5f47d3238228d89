/**
 * A bar on the terminal for `map()` and `forEach()`.
 *
 * ```text
 * [============>       ] Thumbnails: 643 of 1,000 done, 2 failed, 64 %, 12 s left, 30/s
 * ```
 *
 * @example
 * ```ts
 * import { PromisePoolExecutor } from "@concurrent/futures";
 * import { progressBar } from "@concurrent/futures/progress";
 * import { assertEquals } from "@std/assert";
 *
 * await using pool = new PromisePoolExecutor();
 * const onProgress = progressBar({ label: "Squares" });
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3], { onProgress });
 * assertEquals(squares, [1, 4, 9]);
 * ```
 *
 * @module
 */

export { progressBar } from "./progress_bar.ts";
export type { ProgressBarOptions } from "./progress_bar.ts";
export type { MapProgress } from "../map/options.ts";
