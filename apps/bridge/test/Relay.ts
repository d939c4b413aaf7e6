/** A wire tap between a bridge and a node: passes on what it hears, and keeps it. */
import { once } from "node:events"
import * as Net from "node:net"
import { concat } from "@satwire/bytes"
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Relay {
  readonly endpoint: Endpoint
  /** All that was said so far, to the node and by it. */
  readonly recording: () => { readonly toNode: Uint8Array; readonly fromNode: Uint8Array }
}

export const relayTo = (node: Endpoint): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [toNode, fromNode]: [Array<Uint8Array>, Array<Uint8Array>] = [[], []]
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((near) => {
      const far = Net.connect(node.port, node.host)
      for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined))
      near.on("data", (bytes) => void toNode.push(new Uint8Array(bytes))).pipe(far)
      far.on("data", (bytes) => void fromNode.push(new Uint8Array(bytes))).pipe(near)
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
    )
    server.listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    const { port } = server.address() as Net.AddressInfo
    return {
      endpoint: { host: "127.0.0.1", port },
      recording: () => ({ toNode: concat(toNode), fromNode: concat(fromNode) })
    }
  })
