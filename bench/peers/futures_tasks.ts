/**
 * The tasks of `tasks.mjs` under names that the workers of this package find.
 *
 * @module
 */

import { task, transfer } from "../../mod.ts";
import * as tasks from "./tasks.mjs";

export const noop: (input: unknown) => void = task(import.meta, tasks.noop);
export const retag: typeof tasks.retag = task(import.meta, tasks.retag);
export const increment: (n: number) => number = task(
  import.meta,
  tasks.increment,
);
export const compute: (steps: number) => number = task(
  import.meta,
  tasks.compute,
);
export const spin: (ms: number) => number = task(import.meta, tasks.spin);
export const echo: (array: Float64Array) => Float64Array = task(
  import.meta,
  tasks.echo,
);
/** {@linkcode echo}, and what it gives back is moved. */
export const move: (array: Float64Array) => Float64Array = task(
  import.meta,
  function move(array: Float64Array): Float64Array {
    return transfer(tasks.echo(array), [array.buffer]);
  },
);
