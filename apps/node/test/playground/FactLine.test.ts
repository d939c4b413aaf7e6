import { assert, describe, it } from "@effect/vitest"
import { PeerId } from "@satwire/machine"
import { blockHashFromHex } from "@satwire/primitives"
import { factLine } from "../../src/playground/FactLine.ts"

const hash = blockHashFromHex("00000000000000000000000000000000000000000000000000000123456789ab")

describe("a line for a fact", () => {
  it("names the block up to which all are there, its height and what it replaced", () => {
    const tip = { height: 12, hash, time: 1_750_000_000 }
    const fact = { _tag: "BlockTipChanged", tip, forkHeight: 10, removed: 1, added: 2 } as const
    const line = "bob       has all blocks up to …0123456789ab at height 12, 1 replaced"
    assert.strictEqual(factLine("bob", fact), line)
  })

  it("says why a peer was lost, in a sentence", () => {
    const reason = { _tag: "PingTimeout" } as const
    const fact = {
      _tag: "PeerDisconnecting",
      peer: PeerId(1),
      address: "127.0.0.1:1",
      reason,
      cost: "disconnect",
      retryAsV1: false
    } as const
    assert.match(
      factLine("bob", fact) ?? "",
      /^bob +lost 127\.0\.0\.1:1: a ping was not answered within TIMEOUT_INTERVAL/
    )
  })

  it("never prints what a peer sent as it came", () => {
    const info = {
      kind: "inbound",
      direction: "inbound",
      transport: "v1",
      sessionId: undefined,
      protocolVersion: 70016,
      commonVersion: 70016,
      services: 0n,
      userAgent: "/evil\u001b[2J\n:1/",
      startHeight: 0,
      relay: true,
      wtxidRelay: true,
      addrV2: true,
      reconciliation: undefined,
      features: undefined,
      timeOffsetSeconds: 0
    } as const
    const line = factLine("bob", { _tag: "PeerReady", peer: PeerId(1), address: "127.0.0.1:1", info }) ?? ""
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    assert.notMatch(line, /[\u0000-\u001f]/)
  })

  it("says what a block in short saved and how long it took", () => {
    const stats = {
      transactions: 21,
      prefilled: 1,
      fromPools: [19, 0],
      fetched: 1,
      blockBytes: 3000,
      messageBytes: 600
    }
    const fact = {
      _tag: "CompactReconstructed",
      peer: PeerId(1),
      header: 9,
      stats,
      roundTrips: 1,
      tookMs: 2.25
    } as const
    const text =
      "21 transactions, 1 of them fetched, 600 of 3,000 bytes moved, 80.0 % saved, put together in 2.3 ms, 1 round trip"
    assert.strictEqual(factLine("bob", fact), `bob       has a block in short: ${text}`)
  })

  it("has none for what only programs want to know", () => {
    assert.isUndefined(factLine("bob", { _tag: "HeadersStored", count: 3 }))
  })
})
