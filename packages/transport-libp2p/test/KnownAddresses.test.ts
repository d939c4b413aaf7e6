/** What is kept of a peer who is said to be everywhere. */
import { assert, it } from "@effect/vitest"
import { peerIdFromString } from "@libp2p/peer-id"
import { multiaddr } from "@multiformats/multiaddr"
import * as Effect from "effect/Effect"
import { DHT_PROTOCOL, makeLibp2pNode } from "../src/index.ts"
import { MAX_KEPT_ADDRESSES } from "../src/KnownAddresses.ts"

it.live("a few addresses of a peer are kept, of these what it signed and what was told at last", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const { engine } = yield* makeLibp2pNode()
      const store = engine.peerStore
      const id = peerIdFromString("12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5")
      const told = (network: number, count: number) =>
        Array.from({ length: count }, (_, i) => multiaddr(`/ip4/203.0.${network}.${i & 255}/tcp/${1 + i}`))
      const kept = Effect.promise(async () =>
        (await store.get(id)).addresses.map(({ multiaddr: one }) => one.toString())
      )
      const signed = multiaddr("/dns4/signed.example/tcp/1")
      const long = multiaddr(`/dns4/${"a".repeat(300)}/tcp/1`)
      yield* Effect.promise(() =>
        store.merge(id, { addresses: [{ isCertified: true, multiaddr: signed }], multiaddrs: [long] })
      )
      for (let network = 0; network < 5; network++) {
        yield* Effect.promise(() => store.merge(id, { multiaddrs: told(network, 2000) }))
      }
      yield* Effect.promise(() => store.merge(id, { multiaddrs: told(9, 3) }))
      const all = yield* kept
      assert.strictEqual(all.length, MAX_KEPT_ADDRESSES)
      for (const one of [signed, ...told(9, 3)]) assert.include(all, one.toString())
      yield* Effect.promise(() => store.patch(id, { multiaddrs: told(10, 2000) }))
      assert.isBelow((yield* kept).length, MAX_KEPT_ADDRESSES)
    })
  )
)

it.live("who says to a server of the table that a message of a megabyte comes is dropped before it does", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const discovery = { dht: { mode: "server", privateAddresses: true } } as const
      const there = yield* makeLibp2pNode({ listen: ["/ip4/127.0.0.1/tcp/0"], discovery })
      const here = yield* makeLibp2pNode()
      const stream = yield* here.openStream(there.addresses()[0] ?? "", DHT_PROTOCOL)
      yield* stream.write(Uint8Array.of(0xc0, 0x84, 0x3d, 0))
      assert.include(yield* Effect.flip(stream.read), { _tag: "StreamError", reason: "Reset" })
    }).pipe(Effect.timeout(5000))
  )
)
