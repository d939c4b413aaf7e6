/** `GET /metrics` for Prometheus and `GET /health` for whoever looks after the process. Both tell nothing that needs a password. */
import { HttpDoor } from "@satwire/http-door"
import { type Health, METRICS_CONTENT_TYPE, type NodeMeter } from "@satwire/metrics"
import * as Effect from "effect/Effect"
import { HttpRouter } from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"

/** @param meter `undefined` while the node starts */
export const layerMetrics = (meter: () => NodeMeter | undefined): Layer.Layer<never, never, HttpRouter | HttpDoor> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter
      const door = yield* HttpDoor
      yield* router.add("GET", "/metrics", door.open(Effect.suspend(() => metrics(meter()))))
      yield* router.add("GET", "/health", door.open(Effect.suspend(() => health(meter()))))
    })
  )

const STARTING = { isWell: false, problems: ["The node is starting."] }

const metrics = (meter: NodeMeter | undefined): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  meter === undefined
    ? Effect.succeed(HttpServerResponse.text("the node is starting\n", { status: 503 }))
    : Effect.map(meter.metrics, (text) => HttpServerResponse.text(text, { contentType: METRICS_CONTENT_TYPE }))

const health = (meter: NodeMeter | undefined): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const found: Effect.Effect<Pick<Health, "isWell" | "problems">> = meter?.health ?? Effect.succeed(STARTING)
  return Effect.map(found, (answer) =>
    HttpServerResponse.text(`${JSON.stringify(answer, null, 2)}\n`, {
      status: answer.isWell ? 200 : 503,
      contentType: "application/json"
    })
  )
}
