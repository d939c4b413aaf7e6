import { describeWithProgram, socksServer } from "@satwire/testkit"
import { transportCompliance } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import { describe, it } from "vitest"
import { microsocks } from "./Microsocks.ts"
import { throughOwn } from "./Through.ts"

const host = "127.0.0.1"

transportCompliance(
  { describe, it },
  {
    name: "SOCKS5 through the tests' own proxy",
    layer: throughOwn(Effect.map(socksServer(), ({ proxy }) => proxy)),
    host,
    lacks: { localEndpoint: "the other end sees the proxy's" }
  }
)

describeWithProgram(describe, "microsocks", "SOCKS5 through microsocks", (path) => {
  transportCompliance(
    { describe, it },
    {
      name: "SOCKS5 through microsocks",
      layer: throughOwn(microsocks(path)),
      host,
      lacks: { localEndpoint: "the other end sees the proxy's" }
    }
  )
})
