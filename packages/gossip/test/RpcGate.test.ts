/** The gate alone, before something that stands for gossipsub. */
import type { GossipSub } from "@libp2p/gossipsub"
import { RPC } from "@libp2p/gossipsub/message"
import type { PeerId } from "@libp2p/interface"
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { MAX_FRAME_FIELDS, entriesOf } from "../src/FrameFields.ts"
import { PeerTurns } from "../src/PeerTurns.ts"
import { type Rpc, gated } from "../src/RpcGate.ts"

const peer = { toString: () => "peer" } as PeerId
const many = <A>(count: number, one: A): Array<A> => Array.from({ length: count }, () => one)

const id = new Uint8Array(32)
const NOTHING = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] }
const encoded = (rpc: Partial<Parameters<typeof RPC.encode>[0]>): Uint8Array =>
  RPC.encode({ subscriptions: [], messages: [], ...rpc })

/** A field of a number, with nothing in it. */
const empty = (number: number): ReadonlyArray<number> => [8 * number + 2, 0]

it("counts all that a frame says: a small one holds thousands of words about a mesh", () => {
  const subscription = { topic: "words", subscribe: true }
  const message = { topic: "words", data: new Uint8Array(100_000) }
  const has = (ids: number) => ({ ...NOTHING, ihave: [{ topicID: "words", messageIDs: many(ids, id) }] })
  /** In fiftieths, which is what an id counts. */
  const entries = (frame: Uint8Array): unknown => {
    const counted = entriesOf(frame)
    return typeof counted === "number" ? Math.round(50 * counted) : counted
  }
  assert.strictEqual(entries(encoded({})), 50)
  assert.strictEqual(entries(encoded({ subscriptions: many(7, subscription) })), 7 * (50 + 2))
  assert.strictEqual(entries(encoded({ messages: many(3, message) })), 3 * (50 + 2))
  const words = { ...NOTHING, graft: many(4000, {}), prune: many(1000, { peers: [] }) }
  assert.strictEqual(entries(encoded({ control: words })), 50 * 5001)
  assert.strictEqual(entries(encoded({ control: has(5000) })), 50 * 2 + 5001)
  assert.strictEqual(entries(encoded({ control: has(MAX_FRAME_FIELDS - 3) })), 50 * 2 + MAX_FRAME_FIELDS - 2)
  assert.strictEqual(entries(encoded({ control: has(MAX_FRAME_FIELDS - 2) })), "flood")
})

it("finds many fields wherever they lie", () => {
  const within = (number: number, inside: ReadonlyArray<number>): ReadonlyArray<number> => {
    const { length } = inside
    return [8 * number + 2, 128 + (length % 128), 128 + (Math.floor(length / 128) % 128), length >> 14, ...inside]
  }
  const crowd = (number: number): ReadonlyArray<number> => many(MAX_FRAME_FIELDS + 1, empty(number)).flat()
  const crowded = [
    crowd(1),
    crowd(9),
    within(1, crowd(2)),
    within(2, crowd(2)),
    within(3, crowd(3)),
    within(3, within(1, crowd(2))),
    within(3, within(4, within(2, crowd(1))))
  ]
  for (const bytes of crowded) {
    assert.strictEqual(entriesOf(Uint8Array.from(bytes)), "flood")
    // What is no message of gossip's is passed over by its length.
    assert.isBelow(entriesOf(Uint8Array.from(within(9, bytes))) as number, 2)
  }
})

it("never throws, and takes for gossip whatever gossipsub does", () => {
  const some = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(some, (bytes) => {
      const counted = entriesOf(bytes)
      let isGossip = true
      try {
        RPC.decode(bytes)
      } catch {
        isGossip = false
      }
      if (isGossip) assert.notStrictEqual(counted, "malformed")
    }),
    { numRuns: 2000 }
  )
})

it("decodes no frame that says too much or is none, nor any of a peer that is over its rate", async () => {
  const clock = { nowMs: 0 }
  const turns = new PeerTurns(
    { messages: { perSecond: 100, burst: 100 }, bytes: { perSecond: 1000, burst: 10_000 }, maxValidating: 1 },
    () => clock.nowMs
  )
  const decoded: Array<number> = []
  const faults: Array<string> = []
  const engine = {
    decodeRpc: ({ length }: Uint8Array): Rpc => {
      decoded.push(length)
      return { subscriptions: [], messages: [] }
    },
    handleReceivedRpc: () => Promise.resolve(),
    pipePeerReadStream: async (from: PeerId, frames: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const frame of frames) await engine.handleReceivedRpc(from, engine.decodeRpc(frame))
    },
    handlePeerReadStreamError: () => undefined
  } as {
    decodeRpc: (frame: Uint8Array) => Rpc
    handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
    pipePeerReadStream: (from: PeerId, frames: AsyncIterable<Uint8Array>) => Promise<void>
  }
  gated(engine as unknown as GossipSub, {
    fault: (_, fault, detail) => void faults.push(`${fault} at ${clock.nowMs}: ${detail}`),
    isBanned: () => false,
    mayRead: (one, bytes, entries) => turns.mayRead(one, bytes, entries),
    hasTopic: () => true,
    onMessage: () => true,
    turn: () => undefined
  })
  const words = (count: number): Uint8Array => Uint8Array.from(many(count, empty(1)).flat())
  const frames = async function* () {
    for (const [nowMs, frame] of [
      [0, words(60)],
      [0, words(60)],
      [0, words(MAX_FRAME_FIELDS + 1)],
      [0, Uint8Array.of(0x0a, 9)],
      [500, words(61)],
      [900, Uint8Array.of(0x4a, 0xa0, 0x9c, 0x01, ...new Uint8Array(20_000))]
    ] as const) {
      clock.nowMs = nowMs
      yield frame
    }
  }
  await engine.pipePeerReadStream(peer, frames())
  assert.deepStrictEqual(decoded, [120, 122])
  assert.deepStrictEqual(faults, [
    "flood at 0: more than a peer may send",
    "flood at 0: a frame that says more than any has to",
    "malformed at 0: no gossip",
    "flood at 900: more than a peer may send"
  ])
})
