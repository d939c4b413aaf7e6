/**
 * The other end of the header benches, a process of its own: a node that serves a generated chain.
 *
 *   node Server.ts COUNT              one line with its port when it listens; then, for each line on standard input, one with the CPU
 *                                     seconds that it has taken so far
 */
import process from "node:process"
import * as Readline from "node:readline"
import { platformSha256 } from "@satwire/crypto/node"
import { Node } from "@satwire/node"
import { HEADER_SIZE } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { generatedHeaders } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const count = Number(process.argv[2])
const { headers, params } = generatedHeaders(count, platformSha256)

const options = {
  params,
  roles: { headers: { serve: true, announce: false }, mining: undefined },
  userAgent: "/bench-server/",
  services: 9n,
  connect: [],
  listen: { host: "127.0.0.1", port: 0 },
  maxInbound: 20,
  dialTimeoutMs: 5000,
  v2transport: process.argv[3] === "v2"
}

const program = Effect.gen(function* () {
  const node = yield* Node
  for (let at = 0; at < headers.length; at += MAX_HEADERS_RESULTS * HEADER_SIZE) {
    const run = headers.subarray(at, at + MAX_HEADERS_RESULTS * HEADER_SIZE)
    yield* node.submitHeaders(run, run.length / HEADER_SIZE)
    yield* Effect.yieldNow
  }
  console.log(node.listening?.port)
  yield* Effect.callback<never>(() => {
    Readline.createInterface({ input: process.stdin })
      .on("line", () => {
        const { system, user } = process.cpuUsage()
        console.log((user + system) / 1e6)
      })
      .on("close", () => process.exit(0))
  })
})

await Effect.runPromise(
  Effect.provide(program, Node.layer(options).pipe(Layer.provide(Layer.merge(layerTcp, HeaderStore.layerMemory))))
)
