/**
 * The entry module of a worker that is a thread of the program.
 *
 * @module
 */

import { canClone } from "../wire/sendable.ts";
import { serve } from "./serve.ts";

/** The address of this module, for whoever starts a worker. */
export const url: string = import.meta.url;

if (import.meta.main) serve((send) => ({ send, carries: canClone }));
