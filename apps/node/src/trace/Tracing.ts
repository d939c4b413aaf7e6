/**
 * `-otlp`: traces of what the node does beside its messages (start, dials, handshakes, headers, calls, stop), to a collector that speaks OTLP over
 * HTTP, as JSON.
 *
 * Specification: so many spans a second and no more are kept to be sent, a request has ten seconds, and what could not be sent is dropped and told
 * once. Rationale: a collector that is down, or slow, or never answers, is no concern of a node's memory, its log or its peers.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import { fromWeb } from "effect/http/HttpClientResponse"
import { TracerDisabledWhen } from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import { layerFlusher } from "effect/observability/OtlpExporter"
import { layerJson } from "effect/observability/OtlpSerialization"
import { make as makeOtlpTracer } from "effect/observability/OtlpTracer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { NodeShape } from "@satwire/node"
import { VERSION } from "../Version.ts"
import { FactSpans } from "./FactSpans.ts"

/**
 * @limit spans a second that are traced; more are left out
 */
export const SPANS_PER_SECOND = 100
/**
 * @limit seconds that a collector of traces has to answer
 */
export const COLLECTOR_SECONDS = 10
const EXPORT_INTERVAL = "2 seconds"
/** The node must stop in time. */
const SHUTDOWN = "1 second"
const SECOND_NS = 1_000_000_000n

export interface TracingOptions {
  /** Such as `http://127.0.0.1:4318`; spans go to `/v1/traces` below it. */
  readonly url: string
  readonly network: string
}

/** Sends all spans of what runs with it; what is left goes when the scope closes. */
export const layerTracing = ({ network, url }: TracingOptions): Layer.Layer<never> => {
  const target = `${url.replace(/\/+$/, "")}/v1/traces`
  const resource = { serviceName: "satwire", serviceVersion: VERSION, attributes: { "satwire.network": network } }
  const tracer = makeOtlpTracer({
    url: target,
    resource,
    exportInterval: EXPORT_INTERVAL,
    shutdownTimeout: SHUTDOWN
  }).pipe(Effect.orDie, Effect.map(limited))
  const client = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) => patient(client))
  )
  return Layer.merge(
    Layer.effect(Tracer.Tracer, tracer).pipe(
      Layer.provide(Layer.mergeAll(layerFlusher, layerJson, Layer.provide(client, FetchHttpClient.layer)))
    ),
    // Requests for pages and metrics are no news, and a stream of events has no end.
    Layer.succeed(TracerDisabledWhen, () => true)
  )
}

/** A tracer of which so many spans a second are sent. */
export const limited = (tracer: Tracer.Tracer): Tracer.Tracer => {
  let second = 0n
  let count = 0
  return Tracer.make({
    span(options) {
      const now = options.startTime / SECOND_NS
      if (now !== second) count = 0
      second = now
      count += 1
      return tracer.span({ ...options, sampled: options.sampled && count <= SPANS_PER_SECOND })
    }
  })
}

/** A client that does not wait for ever, and tells once that its collector does not answer and once that it does again. */
const patient = (client: HttpClient.HttpClient): HttpClient.HttpClient => {
  let isWell = true
  const tell = (why: string | undefined, url: string): Effect.Effect<void> => {
    if (isWell === (why === undefined)) return Effect.void
    isWell = why === undefined
    return why === undefined
      ? Effect.logInfo(`The collector of traces at ${url} takes them again.`)
      : Effect.logWarning(
          `The collector of traces at ${url} does not take them: ${why}. They are dropped until it does.`
        )
  }
  return HttpClient.transform(client, (asked, request) =>
    asked.pipe(
      // Read here, so that the time holds for all of it.
      Effect.flatMap((response) =>
        Effect.as(response.arrayBuffer, fromWeb(request, new Response(null, { status: response.status })))
      ),
      Effect.timeoutOrElse({
        duration: `${COLLECTOR_SECONDS} seconds`,
        orElse: () =>
          Effect.fail(
            new HttpClientError({
              reason: new TransportError({ request, cause: new Error(`no answer within ${COLLECTOR_SECONDS} seconds`) })
            })
          )
      }),
      Effect.tap(({ status }) => tell(status < 300 ? undefined : `it answers with HTTP ${status}`, request.url)),
      Effect.tapError((error) => tell(whyOf(error), request.url))
    )
  )
}

/** The innermost message: `fetch` wraps what the socket says. */
const whyOf = (error: unknown): string => {
  let inner = error
  while (inner instanceof Error && inner.cause !== undefined && inner.cause !== inner) inner = inner.cause
  if (inner instanceof HttpClientError && inner.reason.cause !== undefined) return whyOf(inner.reason.cause)
  return inner instanceof Error && inner.message !== "" ? inner.message : "the connection failed"
}

/** Makes spans of what the node tells, until the scope closes. */
export const traceFacts = (
  node: Pick<NodeShape, "facts">,
  showsAddresses: boolean
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const spans = new FactSpans(yield* Effect.tracer, showsAddresses)
    yield* Effect.addFinalizer(() => Effect.map(Clock.currentTimeNanos, (now) => spans.close(now)))
    const observing = Stream.runForEach(node.facts, (fact) =>
      Effect.map(Clock.currentTimeNanos, (now) => spans.observe(fact, now))
    )
    yield* Effect.forkScoped(observing, { startImmediately: true })
    const looking = Effect.map(Clock.currentTimeNanos, (now) => spans.look(now))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep("1 second"), looking)))
  })
