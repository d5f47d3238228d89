/**
 * The entry module of a worker that is a thread of the program.
 *
 * @module
 */

import { canClone } from "../wire/sendable.ts";
import { serve } from "./serve.ts";

if (import.meta.main) serve((send) => ({ send, carries: canClone }));
