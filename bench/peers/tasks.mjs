/**
 * What the workers of every contestant run. JavaScript, as all that runs in
 * Node.js here: the oldest one that counts does not take types off.
 *
 * @module
 */

/** Nothing, so that all the time is overhead. */
export function noop() {}

/**
 * A small object for a small object.
 *
 * @param {{ id: number, name: string, tags: string[] }} record The record.
 * @returns {{ id: number, name: string, tags: string[] }} Another one.
 */
export function retag({ id, name, tags }) {
  return { id: id + 1, name, tags: [...tags, "done"] };
}

/**
 * The cheapest function that has to see its argument.
 *
 * @param {number} n A number.
 * @returns {number} The next one.
 */
export function increment(n) {
  return n + 1;
}

/**
 * Keeps a core busy by a chain of multiplications, each of which needs the one
 * before: as long on one core as on two.
 *
 * @param {number} steps How many.
 * @returns {number} What came out, so that no compiler leaves it out.
 */
export function compute(steps) {
  const factor = 1 + 1 / steps;
  let product = 1;
  for (let step = 0; step < steps; step++) product *= factor;
  return product;
}

/**
 * Keeps a thread busy for a time, whatever the machine does meanwhile, so that
 * the ideal makespan is known.
 *
 * @param {number} ms How long, in milliseconds.
 * @returns {number} The same.
 */
export function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}

/**
 * Looks at an array and gives it back.
 *
 * @param {Float64Array} array An array.
 * @returns {Float64Array} The same.
 */
export function echo(array) {
  array[0] += 1;
  return array;
}
