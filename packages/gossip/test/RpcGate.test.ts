/** The gate alone, before something that stands for gossipsub. */
import type { GossipSub } from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import { assert, it } from "@effect/vitest"
import { PeerTurns } from "../src/PeerTurns.ts"
import { type Rpc, gated } from "../src/RpcGate.ts"

const peer = { toString: () => "peer" } as PeerId
const many = <A>(count: number, one: A): Array<A> => Array.from({ length: count }, () => one)

it("counts all that a frame says against a rate: a small one holds thousands of words about a mesh", async () => {
  const counted: Array<number> = []
  const handled: Array<Rpc> = []
  const frames: Array<Rpc> = [
    { subscriptions: [], messages: [] },
    { subscriptions: many(7, { topic: "words" }), messages: many(3, { topic: "words" }) },
    { subscriptions: [], messages: [], control: { prune: many(4000, {}), graft: many(1000, {}) } },
    { subscriptions: [], messages: [], control: { ihave: [{ messageIDs: many(5000, 0) }], iwant: [] } }
  ]
  const engine = {
    decodeRpc: () => frames[0] as Rpc,
    handleReceivedRpc: (_: PeerId, rpc: Rpc) => Promise.resolve(void handled.push(rpc)),
    pipePeerReadStream: () => Promise.resolve(),
    handlePeerReadStreamError: () => undefined
  }
  gated(engine as unknown as GossipSub, {
    fault: () => undefined,
    isBanned: () => false,
    mayRead: () => true,
    mayPass: (_, entries) => counted.push(entries) !== 3,
    hasTopic: () => true,
    onMessage: () => true,
    turn: () => undefined
  })
  for (const frame of frames) await engine.handleReceivedRpc(peer, frame)
  assert.deepStrictEqual(counted, [1, 10, 5000, 101])
  assert.strictEqual(handled.length, 3)
})

it("decodes nothing of a peer that is over its rate, until it is within it again", async () => {
  const clock = { nowMs: 0 }
  const rate = { perSecond: 100, burst: 100 }
  const turns = new PeerTurns(
    { messages: rate, bytes: { perSecond: 1000, burst: 1000 }, maxValidating: 1 },
    () => clock.nowMs
  )
  const decoded: Array<number> = []
  const faults: Array<number> = []
  const engine = {
    decodeRpc: ({ length }: { readonly length: number }): Rpc => {
      decoded.push(length)
      return { subscriptions: many(60, { topic: "words" }), messages: [] }
    },
    handleReceivedRpc: () => Promise.resolve(),
    pipePeerReadStream: async (from: PeerId, frames: AsyncIterable<{ readonly length: number }>): Promise<void> => {
      for await (const frame of frames) await engine.handleReceivedRpc(from, engine.decodeRpc(frame))
    },
    handlePeerReadStreamError: () => undefined
  } as {
    decodeRpc: (frame: { readonly length: number }) => Rpc
    handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
    pipePeerReadStream: (from: PeerId, frames: AsyncIterable<{ readonly length: number }>) => Promise<void>
  }
  gated(engine as unknown as GossipSub, {
    fault: () => void faults.push(clock.nowMs),
    isBanned: () => false,
    mayRead: (one, bytes) => turns.mayRead(one, bytes),
    mayPass: (one, entries) => turns.mayPass(one, entries),
    hasTopic: () => true,
    onMessage: () => true,
    turn: () => undefined
  })
  const frames = async function* () {
    // The second says more than it may; the third and fourth come while it owes that; the fifth is too large for what is left of bytes.
    for (const [nowMs, length] of [
      [0, 10],
      [0, 11],
      [0, 12],
      [100, 13],
      [1000, 2000],
      [1000, 14]
    ] as const) {
      clock.nowMs = nowMs
      yield { length }
    }
  }
  await engine.pipePeerReadStream(peer, frames())
  assert.deepStrictEqual(decoded, [10, 11, 14])
  assert.deepStrictEqual(faults, [0, 0, 100, 1000])
})
