import { it } from "@effect/vitest"
import { transportCompliance } from "@satwire/transport/compliance"
import { describeWithCertificate } from "@satwire/testkit"
import * as Layer from "effect/Layer"
import { describe } from "vitest"
import { directRoute, layerWebSocketDialer } from "../src/index.ts"
import { layerWebSocket } from "../src/node.ts"

const host = "127.0.0.1"

transportCompliance({ describe, it }, { name: "WebSocket for Node and Deno", layer: layerWebSocket(), host })

const unsaid = "the platform does not tell"
transportCompliance(
  { describe, it },
  {
    name: "the platform's WebSocket, dialling",
    layer: Layer.merge(layerWebSocket(), layerWebSocketDialer(directRoute())),
    host,
    lacks: { localEndpoint: unsaid, dialReasons: unsaid }
  }
)

describeWithCertificate(describe, "with a certificate", (tls) => {
  const layer = layerWebSocket({ tls, authorities: tls.certificate, route: directRoute({ secure: true }) })
  // On Deno TLS holds more than 24 MiB between its ends.
  transportCompliance({ describe, it }, { name: "secure WebSocket for Node and Deno", layer, host, bulkMiB: 64 })
})
