import { concat } from "@satwire/bytes"
import { type PeerOutput } from "@satwire/peer"
import { arbitraryMessage } from "@satwire/testkit"
import { SENDADDRV2, VERACK, WTXIDRELAY } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { PeerBench } from "./PeerBench.ts"
import { frame, framed, versionOf } from "./frames.ts"

/** A piece of a conversation: mostly whole messages, sometimes none. */
const piece: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: arbitraryMessage.map((message) => framed(message)) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((nonce) => framed({ _tag: "ping", nonce })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((payload) => frame("headers", payload)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((payload) => frame("unheardof", payload)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((payload) => frame("ping", payload, { spoil: 1 })) }
)

const handshake = fc.constantFrom(
  framed(versionOf(), VERACK),
  framed(versionOf(), WTXIDRELAY, SENDADDRV2, VERACK),
  framed(versionOf({ protocolVersion: 60000 }), VERACK)
)

const conversation: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.array(piece, { maxLength: 2 }), handshake, fc.array(piece, { maxLength: 8 }))
  .map(([before, middle, after]) => concat([...before, middle, ...after]))

interface Heard {
  readonly outputs: ReadonlyArray<PeerOutput>
  readonly written: Uint8Array
}

/** Hands the bytes in, in chunks of these sizes over and over. */
const hear = (bytes: Uint8Array, sizes: ReadonlyArray<number>): Heard => {
  const bench = new PeerBench()
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    bench.receive(bytes.subarray(at, at + size))
    bench.settle()
    at += size
  }
  return { outputs: bench.outputs(), written: concat(bench.writes()) }
}

describe("a conversation", () => {
  it("comes to the same however it is cut into chunks", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(conversation, sizes, (bytes, sizes) => {
        expect(hear(bytes, sizes)).toEqual(hear(bytes, [bytes.length]))
      }),
      { numRuns: 200 }
    )
  })

  it("comes to the same byte by byte", () => {
    fc.assert(
      fc.property(conversation, (bytes) => {
        expect(hear(bytes, [1])).toEqual(hear(bytes, [bytes.length]))
      }),
      { numRuns: 50 }
    )
  })

  it("of two machines wired to each other makes both ready, in chunks of any size", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        const ends = [
          new PeerBench({ direction: "outbound", seed: 1 }),
          new PeerBench({ direction: "inbound", seed: 2 })
        ] as const
        let turns = 0
        let moved = true
        while (moved) {
          moved = false
          for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
            const bytes = concat(from.writes())
            for (let at = 0; at < bytes.length; at += sizes[turns % sizes.length] as number) {
              to.receive(bytes.subarray(at, at + (sizes[turns % sizes.length] as number)))
              moved = true
            }
            turns += 1
          }
        }
        for (const bench of ends) {
          expect(bench.peer.snapshot()).toMatchObject({
            state: "ready",
            pingMs: 0,
            info: { userAgent: "/ours:1.0/", wtxidRelay: true, addrV2: true, startHeight: 100 }
          })
          expect(bench.outputs().map(({ _tag }) => _tag)).toEqual(["Ready", "Pong"])
        }
      })
    )
  })
})
