/**
 * A collector of OpenTelemetry on loopback, and programs that send their spans
 * to it.
 *
 * @module
 */

import { runCommand } from "../../helpers/run_command.ts";

const ROOT = new URL("../../../", import.meta.url);

/** How long a program may take, in milliseconds. */
const PROGRAM_LIMIT_MS = 60_000;

/** A span as Deno has sent it. */
export interface Span {
  /** What has made it. */
  readonly scope: string;
  readonly name: string;
  readonly trace: string;
  readonly id: string;
  /** The span that it is in; empty if it is the root of its trace. */
  readonly parent: string;
  /** 3 is what a client asks of a server. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly events: readonly string[];
}

/** What a program was seen to do. */
export interface Seen {
  /** The lines that it wrote to its output. */
  readonly lines: readonly string[];
  /** The spans that were sent by it, and by processes that it has started. */
  readonly spans: readonly Span[];
}

/**
 * Runs a program that has to end by itself, while somebody collects its spans.
 *
 * @param source Its text. It finds everything of mod.ts as `futures`; `inSpan()`,
 * which calls a function in a span of that name; and the address of a server,
 * `url`, whose first two answers wait for one another.
 * @param env Variables besides those which say where spans go.
 */
export async function collect(
  source: string,
  env: Record<string, string> = { OTEL_DENO: "true" },
): Promise<Seen> {
  const spans: Span[] = [];
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const body = await request.text();
    if (request.url.endsWith("/v1/traces")) spans.push(...read(body));
    return Response.json({});
  });
  const { stdout } = await runCommand(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", "-"],
    cwd: ROOT,
    env: {
      ...Deno.env.toObject(),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      ...env,
    },
    stdin: PRELUDE + source + "\nawait server.shutdown();",
    timeout: PROGRAM_LIMIT_MS,
  });
  return { lines: stdout.split("\n").slice(0, -1), spans };
}

const PRELUDE = `
import * as futures from "./mod.ts";
let asked = 0;
const { promise: bothAsked, resolve: bothHaveAsked } = Promise.withResolvers();
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
  if (++asked === 2) bothHaveAsked();
  await bothAsked;
  return new Response("Yes");
});
const url = "http://127.0.0.1:" + server.addr.port + "/";
async function inSpan(name, run) {
  const { trace, context } = globalThis[Symbol.for("opentelemetry.js.api.1")];
  const span = trace.getTracer("program").startSpan(name);
  const active = context.active().setValue(Symbol.for("OpenTelemetry Context Key SPAN"), span);
  try {
    return await context.with(active, run);
  } finally {
    span.end();
  }
}
`;

/** A span in OTLP, as JSON. */
interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: Record<string, unknown>;
  }[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events?: readonly { readonly name: string }[];
}

/** What Deno sends. */
interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

function read(body: string): Span[] {
  const { resourceSpans } = JSON.parse(body) as OtlpTraces;
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap((
    { scope, spans },
  ) =>
    spans.map((span) => ({
      scope: scope.name,
      name: span.name,
      trace: span.traceId,
      id: span.spanId,
      parent: span.parentSpanId ?? "",
      kind: span.kind,
      attributes: Object.fromEntries(
        span.attributes.map(({ key, value }) => [key, valueOf(value)]),
      ),
      status: {
        code: span.status.code ?? 0,
        message: span.status.message ?? "",
      },
      events: (span.events ?? []).map(({ name }) => name),
    }))
  );
}

/** A number is an integer, which OTLP may write as text, or none. */
function valueOf(value: Record<string, unknown>): unknown {
  if ("intValue" in value) return Number(value.intValue);
  return Object.values(value)[0];
}
