/**
 * The worker of the bare pools: calls, answers, nothing else. No errors, no
 * cancelling, no states.
 *
 * @module
 */

import * as tasks from "./tasks.mjs";

self.onmessage = ({ data: [id, name, inputs, moves] }) => {
  const fn = tasks[name];
  const results = [];
  for (let i = 0; i < inputs.length; i++) results.push(fn(inputs[i]));
  self.postMessage(
    [id, results],
    moves ? results.map(({ buffer }) => buffer) : [],
  );
};
