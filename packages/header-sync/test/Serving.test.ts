import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { type BlockHash, type ChainParams, HEADER_SIZE, mainnet, regtest } from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import {
  type GetHeaders,
  type Headers,
  Inventory,
  MAX_HEADERS_RESULTS,
  MSG_BLOCK,
  PROTOCOL_VERSION
} from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { HeaderSync, HeaderTree, MAX_BLOCKS_TO_ANNOUNCE, RECENT_TIP_SECONDS, locator } from "../src/index.ts"
import { extend } from "./TestHeaders.ts"
import { SyncHarness } from "./SyncHarness.ts"

const START = 1_700_000_000
const params: ChainParams = fastTestNetwork({ genesis: { ...regtest.genesis, time: START } })
const world = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
const tip = extend(world, 0, 2150, 1)
const fork = extend(world, world.ancestor(tip, 2090), 5, 2)
const NOW = world.time(tip)

const part = (from: number, to: number, head = tip): Uint8Array => world.rawChain(head, from, to)
const hashAt = (height: number, head = tip): BlockHash => world.hash(world.ancestor(head, height))

/** A machine that has the first `height` headers of the chain, with peer 1 synced, ten minutes after the last of them. */
const machine = (
  height: number,
  changes: Partial<ChainParams> = {},
  unix = world.time(world.ancestor(tip, height)) + 600
): SyncHarness => {
  const sync = new SyncHarness({ params: { ...params, ...changes }, unix, chain: part(1, height) })
  sync.ready(1).headers(1, new Uint8Array(0)).takeSent()
  return sync
}

/** The heights of the headers that one answer holds, or `undefined` where there was not one answer. */
const answered = (sync: SyncHarness, peer = 1): ReadonlyArray<number> | undefined => {
  const [message, ...more] = sync.takeMessages(peer, "headers")
  if (message === undefined || more.length > 0) return undefined
  return Array.from({ length: message.count }, (_, i) => {
    const raw = message.headers.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE)
    for (let header = 0; header < world.size; header++) {
      const height = world.height(header)
      if (raw.every((byte, at) => byte === world.rawRange(header, 1)[at])) return height
    }
    return -1
  })
}

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe("a getheaders", () => {
  it("is answered from the first hash of its locator that is on our chain, up to our tip", () => {
    const sync = machine(60)
    sync.getheaders(1, [hashAt(100), hashAt(50), hashAt(20)])
    expect(answered(sync)).toEqual(range(51, 60))
    sync.getheaders(1, [new Uint8Array(32).fill(1) as BlockHash])
    expect(answered(sync)).toEqual(range(1, 60))
    sync.getheaders(1, locator(world, world.ancestor(tip, 55)))
    expect(answered(sync)).toEqual(range(56, 60))
  })

  it("is answered with at most 2,000 headers", () => {
    const sync = machine(2100)
    sync.getheaders(1, [hashAt(10)])
    const [message] = sync.takeMessages(1, "headers")
    expect(message?.count).toBe(MAX_HEADERS_RESULTS)
    expect(message?.headers).toEqual(part(11, 2010))
  })

  it("is answered up to its stop hash where that lies ahead, and past it where it does not", () => {
    const sync = machine(60)
    sync.getheaders(1, [hashAt(50)], hashAt(53))
    expect(answered(sync)).toEqual(range(51, 53))
    sync.getheaders(1, [hashAt(50)], hashAt(51))
    expect(answered(sync)).toEqual([51])
    sync.getheaders(1, [hashAt(50)], hashAt(50))
    expect(answered(sync)).toEqual(range(51, 60))
    sync.getheaders(1, [hashAt(50)], hashAt(10))
    expect(answered(sync)).toEqual(range(51, 60))
    sync.getheaders(1, [hashAt(50)], hashAt(90))
    expect(answered(sync)).toEqual(range(51, 60))
  })

  it("is answered with no headers where the asker has our tip", () => {
    const sync = machine(60)
    sync.getheaders(1, [hashAt(60)])
    expect(answered(sync)).toEqual([])
  })

  it("without a locator is answered with the one header that it names, genesis too", () => {
    const sync = machine(60)
    sync.getheaders(1, [], hashAt(7))
    expect(answered(sync)).toEqual([7])
    sync.getheaders(1, [], params.genesisHash)
    expect(answered(sync)).toEqual([0])
    sync.getheaders(1, [], hashAt(100))
    expect(answered(sync)).toBeUndefined()
  })

  it("does not bring stale headers to light, by stop hash or by locator", () => {
    const sync = machine(2100)
    sync.headers(1, part(2091, 2095, fork)).takeSent()
    expect(sync.tree.size).toBe(2106)
    sync.getheaders(1, [], hashAt(2095, fork))
    expect(answered(sync)).toBeUndefined()
    sync.getheaders(1, [hashAt(2095, fork), hashAt(2096)])
    expect(answered(sync)).toEqual(range(2097, 2100))
    sync.getheaders(1, [hashAt(2098)], hashAt(2095, fork))
    expect(answered(sync)).toEqual(range(2099, 2100))
  })

  it("is answered with no headers, whatever it asks for, until our chain has the minimum work", () => {
    const sync = machine(60, { minimumChainWork: world.chainWork(world.ancestor(tip, 61)) })
    sync.getheaders(1, [hashAt(10)])
    expect(answered(sync)).toEqual([])
    sync.getheaders(1, [], hashAt(10))
    expect(answered(sync)).toEqual([])
    sync.headers(1, part(61, 61)).takeSent()
    sync.getheaders(1, [hashAt(10)])
    expect(answered(sync)).toEqual(range(11, 61))
  })

  it("is not answered by a node that does not serve", () => {
    const sync = new SyncHarness({ params, unix: NOW, chain: part(1, 60), roles: { serve: false, announce: false } })
    sync.ready(1).takeSent()
    expect(sync.getheaders(1, [hashAt(10)]).takeSent()).toEqual([])
  })

  it("for a base known by its hash alone is not answered, as there is no header to give", () => {
    const base = { height: 40_000, hash: hashAt(1), bits: 0x1d00ffff, chainWork: 1n << 50n, periodFirstTime: START }
    const free = { ...mainnet, minimumChainWork: 0n }
    const tree = HeaderTree.fromBase(free, base, portableSha256, ChaChaRandom.fromNumber(1))
    const sync = new HeaderSync({
      tree,
      sha256: portableSha256,
      roles: { serve: true, announce: true },
      protocolVersion: PROTOCOL_VERSION,
      random: ChaChaRandom.fromNumber(11)
    })
    const { now } = machine(1)
    const sent: Array<unknown> = []
    const peer = 1 as never
    const ask = (locator: GetHeaders["locator"], stopHash: BlockHash): void => {
      const message: GetHeaders = { _tag: "getheaders", protocolVersion: 1, locator, stopHash }
      sync.handle({ _tag: "Received", peer, message }, now, {
        push: (output) => {
          if (output._tag === "Send") sent.push((output.message as Headers).count)
        }
      })
    }
    sync.handle({ _tag: "PeerReady", peer, outbound: true }, now, { push: () => {} })
    ask([], base.hash)
    expect(sent).toEqual([])
    ask([base.hash], base.hash)
    expect(sent).toEqual([0])
  })
})

describe("a new tip", () => {
  it("is announced by its hash to peers that did not ask for headers, and not to the one that brought it", () => {
    const sync = machine(60).ready(2).headers(2, part(60, 60))
    sync.takeSent()
    sync.headers(1, part(61, 61))
    const sent = sync.take("Send").filter(({ message }) => message._tag === "inv")
    expect(sent).toMatchObject([{ peer: 2 }])
    const [first] = sent
    expect(first?.message._tag === "inv" && [...first.message.inventory]).toEqual([{ type: 2, hash: hashAt(61) }])
  })

  it("is announced by the headers that a peer lacks where it sent sendheaders", () => {
    const sync = machine(60).headers(1, part(60, 60)).sendheaders(1)
    sync.takeSent()
    sync.submit(part(61, 61))
    expect(answered(sync)).toEqual([61])
    // It has 61 from us now, and is not told twice.
    sync.submit(part(62, 63))
    expect(answered(sync)).toEqual([62, 63])
  })

  it("is announced by headers up to eight, and by its hash beyond", () => {
    expect(MAX_BLOCKS_TO_ANNOUNCE).toBe(8)
    const eight = machine(60).headers(1, part(60, 60)).sendheaders(1)
    eight.submit(part(61, 68))
    expect(answered(eight)).toEqual(range(61, 68))
    const nine = machine(60).headers(1, part(60, 60)).sendheaders(1)
    nine.takeSent()
    expect(nine.submit(part(61, 69)).takeSent()).toEqual(["1 inv"])
    // The hash alone gave it nothing to connect the next header to.
    expect(nine.submit(part(70, 70)).takeSent()).toEqual(["1 inv"])
    nine.getheaders(1, [hashAt(60)]).takeSent()
    expect(nine.submit(part(71, 71)).takeSent()).toEqual(["1 headers"])
  })

  it("is announced by its hash where we do not know what the peer has, however short our chain", () => {
    for (const height of [60, 3]) {
      const sync = machine(height).sendheaders(1)
      expect(sync.submit(part(height + 1, height + 1)).takeSent()).toEqual(["1 inv"])
    }
  })

  it("is announced by its header to a peer whose question showed that it has all we have", () => {
    const sync = machine(60)
      .sendheaders(1)
      .getheaders(1, [hashAt(60)])
    sync.takeSent()
    expect(sync.submit(part(61, 61)).takeSent()).toEqual(["1 headers"])
  })

  it("is announced from the fork on after a reorganisation", () => {
    const sync = machine(2093).headers(1, part(2093, 2093)).sendheaders(1)
    sync.takeSent()
    sync.submit(part(2091, 2095, fork))
    const [message] = sync.takeMessages(1, "headers")
    expect(message?.headers).toEqual(part(2091, 2095, fork))
  })

  it("is not announced to peers that have it, be it that they announced it before we knew it", () => {
    const sync = machine(60).ready(2).ready(3)
    for (const peer of [1, 2, 3]) sync.headers(peer, part(60, 60))
    sync.inv(2, hashAt(61)).headers(3, part(62, 62)).takeSent()
    sync.submit(part(61, 61))
    expect(sync.takeSent()).toEqual(["1 inv", "3 inv"])
    sync.submit(part(62, 62))
    expect(sync.takeSent()).toEqual(["1 inv", "2 inv"])
  })

  it("is not announced to who announced it in a message whose memory was used again since", () => {
    const sync = machine(60)
    const inventory = Inventory.ofType(MSG_BLOCK, [hashAt(61)])
    sync.received(1, { _tag: "inv", inventory }).takeSent()
    inventory.raw.fill(0)
    expect(sync.submit(part(61, 61)).takeSent()).toEqual(["1 sendheaders"])
  })

  it("is not announced while it is old, of too little work, or where the node announces nothing", () => {
    const old = machine(60, {}, NOW + 2 * RECENT_TIP_SECONDS).headers(1, part(60, 60))
    old.takeSent()
    expect(old.submit(part(61, 61)).takeSent()).toEqual([])
    const light = machine(60, { minimumChainWork: 1n << 100n })
    expect(light.submit(part(61, 61)).takeSent()).toEqual([])
    const quiet = new SyncHarness({ params, unix: NOW, chain: part(1, 60), roles: { serve: true, announce: false } })
    quiet.ready(1).headers(1, part(60, 60)).takeSent()
    expect(quiet.submit(part(61, 61)).takeSent()).toEqual([])
  })
})

describe("sendheaders", () => {
  it("is sent once, and only when the peer's best header has more than the minimum work", () => {
    const minimumChainWork = world.chainWork(world.ancestor(tip, 65))
    const sync = machine(64, { minimumChainWork }, NOW + 2 * RECENT_TIP_SECONDS)
    expect(sync.headers(1, part(60, 64)).takeSent()).toEqual([])
    expect(sync.headers(1, part(65, 65)).takeSent()).toEqual([])
    expect(sync.headers(1, part(66, 66)).takeSent()).toEqual(["1 sendheaders"])
    expect(sync.headers(1, part(67, 67)).takeSent()).toEqual([])
  })

  it("counts what the peer announced by hash", () => {
    const sync = machine(60)
    expect(sync.inv(1, hashAt(40)).takeSent()).toEqual(["1 sendheaders"])
  })

  it("does not go to a peer that is about to be disconnected for what it sent", () => {
    const sync = machine(60, {}, NOW + 2 * RECENT_TIP_SECONDS)
    const bad = new Uint8Array(part(61, 62))
    bad.set(bad.subarray(0, HEADER_SIZE), HEADER_SIZE)
    sync.headers(1, bad)
    expect(sync.takeSent()).toEqual([])
  })
})
