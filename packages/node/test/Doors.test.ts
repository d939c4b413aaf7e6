/** What a running node can be asked and told about its connections and addresses, over loopback. */
import { assert, describe, it } from "@effect/vitest"
import { parseSubnet } from "@satwire/connections"
import { PeerId } from "@satwire/machine"
import { type NodeAddress, parseNode } from "@satwire/netaddress"
import { formatEndpoint } from "@satwire/transport"
import { NODE_NETWORK } from "@satwire/wire"
import * as Effect from "effect/Effect"
import { type TestNode, startNode } from "./TestNode.ts"

const must = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("it is not there")
  return value
}
const node = (text: string): NodeAddress => must(parseNode(text))
const detailsOf = (of: TestNode) => Effect.map(of.service.query("peerDetails"), ([first]) => must(first))

describe("a running node", () => {
  it.live("knows both ends of its connections, whoever opened them, and their bytes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* startNode()
        const client = yield* startNode({ listen: undefined, connect: [server.endpoint] })
        yield* Effect.all([client.until("PeerReady"), server.until("PeerReady")])
        const [ofClient, ofServer] = yield* Effect.all([detailsOf(server), detailsOf(client)])
        assert.strictEqual(ofClient.socket, formatEndpoint(server.endpoint))
        assert.deepStrictEqual([ofServer.socket, ofServer.address], [ofClient.address, ofClient.socket])
        const totals = yield* client.service.query("traffic")
        assert.isAbove(totals.bytesSent, 0)
        assert.strictEqual(totals.bytesSent, ofServer.bytesSent)
      })
    )
  )

  it.live("dials once in v1 where it is told to, pings, sends anything, and ends connections", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* startNode()
        const client = yield* startNode({ listen: undefined })
        yield* client.service.dialOnce(server.endpoint, "manual", "v1")
        const { info, peer } = yield* client.until("PeerReady")
        assert.strictEqual(info.transport, "v1")
        const { peer: back } = yield* server.until("PeerReady")
        assert.isTrue(yield* server.service.sendRaw(back, "ping", Uint8Array.of(1)))
        yield* client.until("MessageDropped", ({ command }) => command === "ping")
        assert.isFalse(yield* server.service.sendRaw(PeerId(77), "ping", Uint8Array.of(1)))
        const exit = yield* Effect.exit(server.service.sendRaw(back, "thirteenchars", Uint8Array.of(1)))
        assert.strictEqual(exit._tag, "Failure")
        yield* client.service.ping
        assert.isTrue(yield* client.service.disconnect(peer))
        assert.isFalse(yield* client.service.disconnect(peer))
        yield* server.until("PeerDisconnected")
      })
    )
  )

  it.live("lifts all bans at once, and knows the addresses that it is told of", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const knowing = yield* startNode({ addresses: { isAutomatic: false } })
        const { service } = knowing
        yield* service.ban(must(parseSubnet("9.9.9.0/24")), 60)
        yield* service.clearBans
        assert.deepStrictEqual(yield* service.query("bans"), [])
        const [one, two] = [node("21.1.1.1:8333"), node("22.1.1.1:8333")]
        assert.strictEqual(yield* service.addAddress(one, NODE_NETWORK, false), "Added")
        assert.strictEqual(yield* service.addAddress(one, NODE_NETWORK, true), "NotNew")
        assert.strictEqual(yield* service.addAddress(two, NODE_NETWORK, true), "Added")
        assert.strictEqual(yield* service.addAddress(node("10.0.0.1:8333"), NODE_NETWORK, false), "NotNew")
        assert.lengthOf(yield* service.knownAddresses({ maxPercent: 100 }), 2)
        const all = yield* service.allAddresses
        assert.sameDeepMembers(
          all.map(({ mappedAs, sourceMappedAs, table }) => ({ mappedAs, sourceMappedAs, table })),
          [
            { table: "new", mappedAs: 0, sourceMappedAs: 0 },
            { table: "tried", mappedAs: 0, sourceMappedAs: 0 }
          ]
        )
        const unknowing = yield* startNode()
        assert.strictEqual(yield* unknowing.service.addAddress(one, NODE_NETWORK, false), "NotNew")
        assert.deepStrictEqual(yield* unknowing.service.allAddresses, [])
      })
    )
  )
})
