/** The gate alone, before something that stands for gossipsub. */
import type { GossipSub } from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import { assert, it } from "@effect/vitest"
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
    handlePeerReadStreamError: () => undefined
  }
  gated(engine as unknown as GossipSub, {
    fault: () => undefined,
    isBanned: () => false,
    mayPass: (_, entries) => counted.push(entries) !== 3,
    hasTopic: () => true,
    onMessage: () => true,
    turn: () => undefined
  })
  for (const frame of frames) await engine.handleReceivedRpc(peer, frame)
  assert.deepStrictEqual(counted, [1, 10, 5000, 101])
  assert.strictEqual(handled.length, 3)
})
