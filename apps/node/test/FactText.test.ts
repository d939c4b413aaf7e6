import { PeerId } from "@satwire/machine"
import type { NodeFact } from "@satwire/node"
import type { BlockHash } from "@satwire/primitives"
import { DialError } from "@satwire/transport"
import { describe, expect, it } from "vitest"
import { counted } from "../src/Numbers.ts"
import { factText } from "../src/node/FactText.ts"
import { somePeer } from "./SomePeer.ts"

const peer = PeerId(1)
const endpoint = { host: "192.0.2.1", port: 8333 }

const LINES: ReadonlyArray<readonly [text: string, fact: NodeFact]> = [
  [
    "Loaded 1 header from disk; the best chain has height 1.",
    { _tag: "HeadersLoaded", count: 1, height: 1, setAside: undefined }
  ],
  ["2 blocks are kept; the chain is followed up to height 2.", { _tag: "BlocksLoaded", count: 2, height: 2 }],
  ["Wrote 2 blocks to disk, 1,000 bytes.", { _tag: "BlocksStored", count: 2, bytes: 1000 }],
  ["Removed 3 old blocks to make room.", { _tag: "BlocksPruned", count: 3 }],
  [
    `Peers give 2 different filters of block 7 (${"00".repeat(32)}): the block shows which are false.`,
    { _tag: "FiltersDisputed", height: 7, hash: new Uint8Array(32) as BlockHash, versions: 2, isProven: true }
  ],
  [
    `Block 7 (${"00".repeat(32)}) breaks the rule "bad-cb-height": its chain is not followed.`,
    {
      _tag: "BlockInvalid",
      height: 7,
      hash: new Uint8Array(32) as BlockHash,
      rule: "bad-cb-height",
      transaction: 0
    }
  ],
  ["Listening on [::]:1.", { _tag: "Listening", endpoint: { host: "::", port: 1 } }],
  [
    "Shook hands with a:1, inbound, v2: /evil2J:1/ at height 921,000.",
    { _tag: "PeerReady", peer, address: "a:1", info: somePeer }
  ],
  [
    "Shook hands with a:1, inbound, v2: no user agent at height 921,000.",
    { _tag: "PeerReady", peer, address: "a:1", info: { ...somePeer, userAgent: "\n" } }
  ],
  [
    "Disconnected a:1: we were asked to disconnect.",
    {
      _tag: "PeerDisconnecting",
      peer,
      address: "a:1",
      reason: { _tag: "Requested" },
      cost: "disconnect",
      retryAsV1: false
    }
  ],
  [
    "192.0.2.1:8333 did not answer in time. Trying again in 2 s.",
    {
      _tag: "DialFailed",
      endpoint,
      kind: "manual",
      error: new DialError({ reason: "TimedOut", endpoint, code: "ETIMEDOUT" }),
      retryInMs: 2000
    }
  ],
  [
    "192.0.2.1:8333 is this node itself and is not dialled again until the next start.",
    { _tag: "PeerGivenUp", endpoint, because: "OurOwnAddress" }
  ]
]

describe("a line of the log", () => {
  it.each(LINES)("%s", (text, fact) => expect(factText(fact)?.text).toBe(text))

  it("is not written for what progress lines tell", () => {
    expect(factText({ _tag: "HeadersAccepted", count: 1, from: undefined })).toBeUndefined()
  })
})

describe("numbers", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [1_234_567.4, "1,234,567"]
  ])("%d is %s", (n, text) => expect(counted(n)).toBe(text))

  it("come with a noun", () => expect([counted(1, "peer"), counted(2, "peer")]).toEqual(["1 peer", "2 peers"]))
})
