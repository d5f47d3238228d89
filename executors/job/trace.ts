/**
 * Traces: where Deno's OpenTelemetry is on, each task is a span, and what the
 * task does is in it, wherever that is.
 *
 * ```text
 * submit(), map() ── in a context, of which a span may be active: the parent
 *    │
 *    ▼
 * Tracing.begin(), as the call is sent or made ──► the span of the task
 *    │                                                  ▲      ▲
 *    │ its traceparent, with the call                   │      │ worker, attempt, outcome
 *    ▼                                                  │      │
 * worker: runTraced() ── the call ── fetch(), …, its children  └── Tracing.end()
 * ```
 *
 * The program that submits has the spans of its tasks: so a task that is lost with
 * its worker has one too. Deno puts its API where `@opentelemetry/api` looks for
 * it; where nothing is there, nothing of this is paid for.
 *
 * @module
 */

import {
  type AsyncContext,
  currentContext,
  runIn,
} from "../runtime/async_context.ts";
import { sliceText } from "../runtime/builtins.ts";
import { functionName, show } from "../text.ts";
import type { AnyFunction } from "../task.ts";

/** What this needs of OpenTelemetry's API for JavaScript, in its first version. */
interface Api {
  readonly trace?: { getTracer(name: string): Tracer };
  readonly context?: {
    active(): Context;
    with<R>(context: Context, fn: () => R): R;
  };
}

interface Tracer {
  startSpan(name: string, options?: SpanOptions): Span;
}

interface SpanOptions {
  readonly attributes?: Attributes;
  /** In milliseconds since 1970. */
  readonly startTime?: number;
}

type Attributes = Readonly<Record<string, string | number>>;

interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
}

interface Span {
  spanContext(): SpanContext;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message: string }): unknown;
  recordException(exception: Exception): void;
  end(): void;
}

interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

interface Exception {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** Where a context has its active span. */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** The status of a span whose work has failed. */
const ERROR = 2;

/** As W3C writes where a span is: version, trace, span, whether the trace is kept. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/;

const api = (globalThis as unknown as Record<symbol, Api | undefined>)[
  Symbol.for("opentelemetry.js.api.1")
];

/** Whether somebody collects spans. */
export const isTraced: boolean = api?.trace !== undefined &&
  api.context !== undefined;

/** The name under which spans are made. */
const SCOPE = "@concurrent/futures";

/** What is known of a call that has ended. */
interface EndedCall {
  /** How many calls were submitted to its executor before. */
  readonly index: number;
  readonly outcome: "finished" | "failed" | "cancelled";
  readonly error: unknown;
  readonly attempts: number;
  /** When the call was submitted, in milliseconds since 1970. */
  readonly submitted: number | undefined;
  /** Which worker ran the call, if one did. */
  readonly timing: { readonly worker: string } | undefined;
}

/** The spans of the tasks of one executor. */
export class Tracing {
  readonly #executor: string;
  readonly #tracer = api!.trace!.getTracer(SCOPE);
  /** The spans of calls that have begun, by how many calls were submitted before. */
  readonly #spans = new Map<number, Span>();

  private constructor(executor: string) {
    this.#executor = executor;
  }

  /** The spans of an executor with this name; `undefined` if nobody collects any. */
  static of(executor: string): Tracing | undefined {
    return isTraced ? new Tracing(executor) : undefined;
  }

  /**
   * A call is sent; its span begins, unless it was sent before.
   *
   * @param index How many calls were submitted before.
   * @param fn What is called.
   * @param context The async context of who submitted the call.
   * @returns Where the span is, as a traceparent.
   */
  begin(index: number, fn: AnyFunction, context: AsyncContext): string {
    const { traceId, spanId, traceFlags } = this.#begun(index, fn, context)
      .spanContext();
    return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
  }

  /** Makes a call in this isolate, and in its span, which begins. */
  run<R>(
    index: number,
    fn: AnyFunction,
    context: AsyncContext,
    call: () => R,
  ): R {
    return runInSpan(this.#begun(index, fn, context), call);
  }

  /** A call has failed, and is tried again, in the same span. */
  triedAgain(index: number, error: unknown): void {
    this.#spans.get(index)?.recordException(exceptionOf(error));
  }

  /** A call has ended, and with it its span; one that was never sent has waited for that long. */
  end(
    { index, outcome, error, attempts, submitted, timing }: EndedCall,
    fn: AnyFunction,
    context: AsyncContext,
  ): void {
    const span = this.#begun(index, fn, context, submitted);
    this.#spans.delete(index);
    span.setAttributes({
      outcome,
      attempt: attempts,
      ...timing && { worker: timing.worker },
    });
    if (outcome === "failed") {
      const exception = exceptionOf(error);
      span.recordException(exception);
      span.setStatus({ code: ERROR, message: exception.message });
    }
    span.end();
  }

  #begun(
    index: number,
    fn: AnyFunction,
    context: AsyncContext,
    startTime?: number,
  ): Span {
    let span = this.#spans.get(index);
    if (span !== undefined) return span;
    const options = {
      attributes: { executor: this.#executor },
      ...startTime !== undefined && { startTime },
    };
    const name = functionName(fn) || "(anonymous)";
    span = runIn(context, () => this.#tracer.startSpan(name, options));
    this.#spans.set(index, span);
    return span;
  }
}

/** The span of a `map()` that is called in none, so that its calls are one trace. */
export class MapSpan {
  /** The async context of the calls. */
  readonly context: AsyncContext;
  readonly #span: Span;

  private constructor(name: string) {
    this.#span = api!.trace!.getTracer(SCOPE).startSpan(name);
    this.context = runInSpan(this.#span, currentContext);
  }

  /** Begins the span, if one is needed. */
  static begin(name: string): MapSpan | undefined {
    return isTraced && api!.context!.active().getValue(SPAN_KEY) === undefined
      ? new MapSpan(name)
      : undefined;
  }

  /** The map is over. */
  end(): void {
    this.#span.end();
  }
}

/**
 * Makes a call in a span that is elsewhere.
 *
 * @param traceparent Where the span is; "" for nowhere.
 * @param call Makes the call.
 */
export function runTraced<R>(traceparent: string, call: () => R): R {
  return isTraced && traceparent !== ""
    ? runInSpan(new RemoteSpan(traceparent), call)
    : call();
}

/** Whether a value says where a span is, or that there is none. */
export function isTraceparent(value: unknown): boolean {
  return value === "" || typeof value === "string" && TRACEPARENT.test(value);
}

function runInSpan<R>(span: Span, call: () => R): R {
  const { context } = api as Required<Api>;
  return context.with(context.active().setValue(SPAN_KEY, span), call);
}

/** Stands for a span that somebody else has: a task may ask for the active span, and all that it adds is lost. */
class RemoteSpan implements Span {
  readonly #context: SpanContext & { readonly isRemote: true };

  constructor(traceparent: string) {
    this.#context = {
      traceId: sliceText(traceparent, 3, 35),
      spanId: sliceText(traceparent, 36, 52),
      traceFlags: sliceText(traceparent, 54, 55) === "0" ? 0 : 1,
      isRemote: true,
    };
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}

/** What a span says of an error, whatever the error does when it is looked at. */
function exceptionOf(error: unknown): Exception {
  try {
    if (error instanceof Error) {
      const { name, message, stack = "" } = error;
      return { name: `${name}`, message: `${message}`, stack: `${stack}` };
    }
  } catch {
    // A getter of the error throws.
  }
  return { name: "Error", message: show(error) };
}
