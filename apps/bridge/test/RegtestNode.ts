/** A real node of ours on loopback, with a chain. */
import { platformSha256 } from "@satwire/crypto/node"
import { DEFAULT_MAX_INBOUND, Node, type NodeFact, type NodeOptions } from "@satwire/node"
import {
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  encodeHeader,
  headerHash,
  regtest
} from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

/** `count` raw headers on top of genesis. */
export const regtestHeaders = (count: number): Uint8Array => {
  const chain = new Uint8Array(count * HEADER_SIZE)
  const { bits, time } = regtest.genesis
  const merkleRoot = new Uint8Array(32)
  const raw = encodeHeader({ version: 4, previousBlock: regtest.genesisHash, merkleRoot, time, bits, nonce: 0 })
  const view = new DataView(raw.buffer)
  for (let i = 0; i < count; i++) {
    view.setUint32(HEADER_TIME, time + 1 + i, true)
    for (let nonce = 0; ; nonce++) {
      view.setUint32(HEADER_NONCE, nonce, true)
      const hash = headerHash(platformSha256, raw)
      if ((hash[31] ?? 0) > 0x7e) continue
      chain.set(raw, i * HEADER_SIZE)
      raw.set(hash, HEADER_PREVIOUS)
      break
    }
  }
  return chain
}

const OPTIONS: NodeOptions = {
  params: regtest,
  roles: { headers: { serve: true, announce: true }, mining: undefined },
  userAgent: "/satwire-node-of-a-test:1.0/",
  services: 0n,
  connect: [],
  listen: { host: "127.0.0.1", port: 0 },
  maxInbound: DEFAULT_MAX_INBOUND,
  dialTimeoutMs: 5000
}

/** A node that has these headers, and what it tells. */
export const regtestNode = (headers: Uint8Array) =>
  Effect.gen(function* () {
    const edges = Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory))
    const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(OPTIONS), edges)), Node)
    const facts: Array<NodeFact> = []
    yield* Effect.forkScoped(
      Stream.runForEach(node.facts, (fact) => Effect.sync(() => facts.push(fact))),
      {
        startImmediately: true
      }
    )
    yield* node.submitHeaders(headers, headers.length / HEADER_SIZE)
    if (node.listening === undefined) throw new Error("the node does not listen")
    return { endpoint: node.listening, facts }
  })
