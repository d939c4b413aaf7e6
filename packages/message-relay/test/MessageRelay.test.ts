import { toHex } from "@satwire/bytes"
import { ChaChaRandom, makeSchnorrKey, portableSha256 } from "@satwire/crypto"
import { decodeEnvelope, encodeEnvelope, encodeSigned, withHops } from "@satwire/envelope"
import { UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { FORGIVEN_FAULTS, type RelayOptions } from "../src/index.ts"
import { RelayNetwork, START_UNIX } from "./RelayNetwork.ts"

const ok = Result.getOrThrow
const random = ChaChaRandom.fromNumber(77)
const key = makeSchnorrKey(random)
const envelope = {
  type: "test/1",
  origin: "mallory",
  nonce: 1,
  expires: UnixSeconds(START_UNIX + 600),
  target: undefined,
  body: Uint8Array.of(0x61),
  hops: 0,
  signature: undefined
}
const encoded = (changes: Partial<typeof envelope> = {}) => ok(encodeEnvelope({ ...envelope, ...changes }))
const signed = () => ok(encodeSigned(envelope, key, portableSha256, random.bytes(32)))

const line = (count: number, options: Partial<RelayOptions> = {}): RelayNetwork => {
  const network = new RelayNetwork(1)
  network.addMany(count, options)
  for (let n = 1; n < count; n++) network.join(n - 1, n)
  return network
}
/** Everybody is joined with everybody. */
const mesh = (count: number, seed: number, options: Partial<RelayOptions> = {}): RelayNetwork => {
  const network = new RelayNetwork(seed)
  network.addMany(count, options)
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) network.join(a, b)
  return network
}
/** Nodes 0 and 1, and what 1 says of bytes that come from 0. */
const pair = (options: Partial<RelayOptions> = {}): RelayNetwork => line(3, options)

describe("a message", () => {
  it("goes three hops along a line and no further", () => {
    const network = line(6)
    network.send(0, "hello")
    network.settle()
    expect([0, 1, 2, 3, 4, 5].map((n) => network.heard(n).length)).toEqual([0, 1, 1, 1, 0, 0])
    expect(network.outputs(3, "Deliver")[0]?.envelope.hops).toBe(2)
    expect(network.outputs(0, "Sent")[0]?.peers).toBe(1)
  })
  it("reaches all of a ring once, from both sides, and comes back to nobody", () => {
    for (let seed = 0; seed < 50; seed++) {
      const network = new RelayNetwork(seed)
      network.addMany(6)
      for (let n = 0; n < 6; n++) network.join(n, (n + 1) % 6)
      network.send(0, "round")
      network.settle()
      expect([1, 2, 3, 4, 5].map((n) => network.heard(n))).toEqual([1, 2, 3, 4, 5].map(() => ["round"]))
      expect(network.nodes.flatMap((_, n) => network.offences(n))).toEqual([])
    }
  })
  it("is forwarded by each node of a mesh at most once to each peer, never to whom it came from, nor to its origin", () => {
    for (let seed = 0; seed < 30; seed++) {
      const network = mesh(8, seed)
      network.send(3, "to all")
      network.settle()
      for (let n = 0; n < 8; n++) {
        const to = network.outputs(n, "Forward").map(({ peer }) => peer)
        expect(new Set(to).size).toBe(to.length)
        if (n === 3) continue
        expect(network.heard(n)).toEqual(["to all"])
        expect(to).not.toContain(3)
        expect(to).not.toContain(network.outputs(n, "Deliver")[0]?.from)
        expect(network.offences(n)).toEqual([])
      }
    }
  })
  it("of a node that was given the same seed goes the same way", () => {
    const trace = () => {
      const network = mesh(6, 9)
      network.send(0, "again")
      network.settle()
      return network.nodes.map(({ outputs }) => outputs)
    }
    expect(trace()).toEqual(trace())
  })
  it("that cannot be said is told to who sends it", () => {
    const network = pair()
    network.give(0, { _tag: "Send", type: "", body: new Uint8Array(1), target: undefined })
    expect(network.outputs(0, "Unsendable")).toHaveLength(1)
  })
  it("is delivered in memory of its own", () => {
    const network = pair()
    const bytes = signed()
    network.bring(0, 1, bytes)
    const delivered = network.outputs(1, "Deliver")[0]?.envelope
    expect(delivered).toEqual(ok(decodeEnvelope(bytes)))
    expect(network.outputs(1, "Forward").map((one) => one.bytes)).toEqual([withHops(bytes, 1)])
  })
})

describe("a mode", () => {
  const star = (options: Partial<RelayOptions>): RelayNetwork => {
    const network = new RelayNetwork(4)
    network.add(options)
    network.addMany(4)
    for (let n = 1; n <= 4; n++) network.join(0, n)
    network.send(0, "x")
    network.settle()
    return network
  }
  const heardBy = (network: RelayNetwork) => [1, 2, 3, 4].filter((n) => network.heard(n).length > 0)
  it("selective passes on to peers of a score of 50 and more", () => {
    const scores = {
      score: (nodeId: string) => ({ "node-1": 49, "node-2": 50, "node-3": 100 })[nodeId] ?? 0
    }
    expect(heardBy(star({ mode: "selective", scores }))).toEqual([2, 3])
    expect(heardBy(star({ mode: "selective", scores, threshold: 0 }))).toEqual([1, 2, 3, 4])
    expect(heardBy(star({ mode: "selective" }))).toEqual([])
  })
  it("validator-only passes on to validators", () => {
    expect(heardBy(star({ mode: "validator-only", validators: new Set(["node-4"]) }))).toEqual([4])
    expect(heardBy(star({ mode: "validator-only" }))).toEqual([])
  })
})

describe("a message for one node", () => {
  it("goes to it alone where it is connected", () => {
    const network = mesh(5, 2)
    network.send(0, "psst", "node-3")
    network.settle()
    expect(network.nodes.map((_, n) => network.heard(n).length)).toEqual([0, 0, 0, 1, 0])
    expect(network.outputs(0, "Forward").map(({ peer }) => peer)).toEqual([3])
    expect(network.outputs(3, "Forward")).toEqual([])
  })
  it("is handed on towards it where it is not, and delivered nowhere else", () => {
    const network = line(5)
    network.send(0, "psst", "node-3")
    network.settle()
    expect(network.nodes.map((_, n) => network.heard(n).length)).toEqual([0, 0, 0, 1, 0])
    network.send(0, "too far", "node-4")
    network.settle()
    expect(network.heard(4)).toEqual([])
  })
  it("goes to it still where another one claimed its id and left", () => {
    const network = new RelayNetwork(6)
    network.addMany(6)
    network.add({ nodeId: "node-1" })
    for (let n = 1; n <= 6; n++) network.join(0, n)
    network.part(0, 6)
    network.send(0, "psst", "node-1")
    expect(network.outputs(0, "Forward").map(({ peer }) => peer)).toEqual([1])
  })
  it("is given to three peers of many, and to fewer where so is asked", () => {
    for (const [targetFanout, given] of [
      [undefined, 3],
      [1, 1]
    ] as const) {
      const network = mesh(9, 5, { targetFanout })
      network.send(0, "where are you", "nobody")
      expect(network.outputs(0, "Sent")[0]?.peers).toBe(given)
      network.settle()
      expect(network.nodes.flatMap((_, n) => network.heard(n))).toEqual([])
    }
  })
})

describe("a peer is told by what it does wrong", () => {
  it.each<[string, () => Uint8Array, Partial<RelayOptions>]>([
    ["Invalid", () => random.bytes(50), {}],
    ["Invalid", () => new Uint8Array(0), {}],
    ["Oversized", () => encoded({ body: new Uint8Array(1000) }), { maxBytes: 1000 }],
    ["TooManyHops", () => encoded({ hops: 3 }), {}],
    ["Unsigned", () => encoded(), { mustBeSigned: true }],
    [
      "Forged",
      () => {
        const bytes = signed()
        bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
        return bytes
      },
      {}
    ],
    [
      "Forged",
      () => {
        const bytes = signed()
        bytes[12] = (bytes[12] as number) ^ 1
        return bytes
      },
      {}
    ]
  ])("%s, and is let go at once, without harm to others", (tag, bytes, options) => {
    const network = pair(options)
    network.bring(0, 1, bytes())
    expect(network.offences(1)).toEqual([tag])
    expect(network.node(1).relay.size).toEqual({ peers: 1, seen: 0 })
    expect(network.outputs(1, "Forward")).toEqual([])
    network.bring(2, 1, signed())
    expect(network.heard(1)).toEqual(["a"])
  })
  it.each<[string, () => Uint8Array]>([
    ["Expired", () => encoded({ expires: UnixSeconds(START_UNIX - 60) })],
    ["ExpiresTooLate", () => encoded({ expires: UnixSeconds(START_UNIX + 3721) })],
    ["Looping", () => encoded({ origin: "node-1" })],
    ["Replayed", () => encoded()]
  ])("%s, and is let go when it does not leave off", (tag, bytes) => {
    const network = pair()
    if (tag === "Replayed") network.bring(0, 1, bytes())
    for (let i = 0; i < FORGIVEN_FAULTS; i++) network.bring(0, 1, bytes())
    expect(network.offences(1)).toEqual(Array(FORGIVEN_FAULTS).fill(tag))
    expect(network.node(1).relay.size.peers).toBe(2)
    network.bring(0, 1, bytes())
    expect(network.node(1).relay.size.peers).toBe(1)
    expect(network.heard(1)).toHaveLength(tag === "Replayed" ? 1 : 0)
  })
  it("and not where its clock is a little late or ahead", () => {
    const network = pair()
    network.bring(0, 1, encoded({ expires: UnixSeconds(START_UNIX - 59) }))
    // As a node passes it on whose clock is a minute ahead of ours.
    network.bring(0, 1, encoded({ expires: UnixSeconds(START_UNIX + 3720) }))
    expect(network.offences(1)).toEqual([])
    expect(network.heard(1)).toEqual([])
  })
  it("and not for what two of them send", () => {
    const network = pair()
    network.bring(0, 1, encoded())
    network.bring(2, 1, encoded())
    expect(network.offences(1)).toEqual([])
    expect(network.heard(1)).toEqual(["a"])
  })
  it("Flooding, where it does not stop when it is not read", () => {
    const rates = { messagesPerSecond: 10, burstMessages: 100 }
    const network = pair({ rates })
    for (let i = 0; i < 101; i++) network.bring(0, 1, encoded({ nonce: i }))
    expect(network.outputs(1, "Pause").map(({ paused }) => paused)).toEqual([true])
    expect(network.offences(1)).toEqual([])
    for (let i = 101; i < 201; i++) network.bring(0, 1, encoded({ nonce: i }))
    expect(network.offences(1)).toEqual(["Flooding"])
    expect(network.node(1).relay.size.peers).toBe(1)
    network.send(2, "unharmed")
    network.settle()
    expect(network.heard(1)).toContain("unharmed")
  })
  it("Flooding, where it is faster than it may be for a minute on end, though it is paused each time", () => {
    const network = pair({ rates: { bytesPerSecond: 1000, burstBytes: 1000 } })
    let nonce = 0
    for (let step = 0; step < 1200 && network.offences(1).length === 0; step++) {
      const isPaused = network.outputs(1, "Pause").at(-1)?.paused === true
      for (let i = 0; i < 10 && !isPaused; i++) network.bring(0, 1, encoded({ nonce: ++nonce }))
      network.elapse(100)
    }
    expect(network.offences(1)).toEqual(["Flooding"])
    expect(network.now.instant).toBeGreaterThan(50_000)
  })
  it("and not where others flood it within their rates: a part of what one brings goes on, half of all, and the rest is told", () => {
    const network = new RelayNetwork(1)
    network.addMany(9, { rates: { messagesPerSecond: 40, burstMessages: 200 } })
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) network.join(0, n)
    let nonce = 0
    const flood = (from: number, seconds: number): number => {
      const before = network.outputs(0, "Forward").filter(({ peer }) => peer === 8).length
      for (let second = 0; second < seconds; second++) {
        for (let i = 0; i < 38; i++) for (let n = from; n <= 7; n++) network.bring(n, 0, encoded({ nonce: ++nonce }))
        network.settle()
        network.elapse(1000)
      }
      return network.outputs(0, "Forward").filter(({ peer }) => peer === 8).length - before
    }
    // An eighth: 25 at once, and 5 a second.
    expect(flood(7, 10)).toBeLessThanOrEqual(25 + 50)
    // Half: 100 at once, and 20 a second.
    expect(flood(1, 20)).toBeLessThanOrEqual(100 + 400)
    expect(network.nodes.flatMap((_, n) => network.offences(n))).toEqual([])
    expect(network.heard(0)).toHaveLength(nonce)
    const crowded = network.outputs(0, "Crowded")
    expect(crowded.length).toBeLessThanOrEqual(30 * 7)
    expect(crowded.reduce((sum, { messages }) => sum + messages, 0)).toBeGreaterThan(nonce / 2)
  })
  it("and is read again when it has waited", () => {
    const network = pair({ rates: { messagesPerSecond: 10, burstMessages: 100 } })
    for (let i = 0; i < 101; i++) network.bring(0, 1, encoded({ nonce: i }))
    network.elapse(5000)
    expect(network.outputs(1, "Pause").map(({ paused }) => paused)).toEqual([true])
    network.elapse(200)
    expect(network.outputs(1, "Pause").map(({ paused }) => paused)).toEqual([true, false])
  })
})

describe("a relay that drops or alters", () => {
  it("keeps nothing from those who have another way", () => {
    for (let seed = 0; seed < 20; seed++) {
      const network = mesh(6, seed)
      network.meddlers.set(2, () => undefined)
      network.send(0, "news")
      network.settle()
      expect([1, 2, 3, 4, 5].map((n) => network.heard(n))).toEqual([1, 2, 3, 4, 5].map(() => ["news"]))
    }
  })
  it("is told as forging where messages are signed, and parted from, while all hear the true one", () => {
    const keys = Array.from({ length: 5 }, () => makeSchnorrKey(random))
    for (let seed = 0; seed < 4; seed++) {
      const network = new RelayNetwork(seed)
      for (const key of keys) network.add({ key, nodeId: toHex(key.publicKey), mustBeSigned: true })
      for (let a = 0; a < 5; a++) for (let b = a + 1; b < 5; b++) if (a + b !== 4 || a === 2) network.join(a, b)
      network.meddlers.set(1, (bytes) => {
        const altered = bytes.slice()
        altered[bytes.length - 67] = 0x7a
        return altered
      })
      network.send(0, "true")
      network.settle()
      expect([2, 3, 4].map((n) => network.heard(n))).toEqual([["true"], ["true"], ["true"]])
      expect(network.nodes.flatMap((_, n) => network.offences(n)).filter((tag) => tag !== "Forged")).toEqual([])
      expect([2, 3, 4].flatMap((n) => network.offences(n))).toContain("Forged")
    }
  })
})

describe("what is remembered", () => {
  it("is bounded: of 4,096 ids the oldest makes room", () => {
    const network = line(2, { maxSeen: 4096, rates: { burstMessages: 1e6 } })
    for (let i = 0; i <= 4096; i++) network.bring(0, 1, encoded({ nonce: i }))
    expect(network.node(1).relay.size.seen).toBe(4096)
    network.bring(0, 1, encoded({ nonce: 4096 }))
    expect(network.offences(1)).toEqual(["Replayed"])
    network.bring(0, 1, encoded({ nonce: 0 }))
    expect(network.offences(1)).toEqual(["Replayed"])
    expect(network.heard(1)).toHaveLength(4098)
  })
  it("of a peer that floods makes room for what it sends, and not what others brought, nor what it was the first to bring", () => {
    const network = new RelayNetwork(1)
    network.addMany(4, { maxSeen: 64, rates: { burstMessages: 1e6 } })
    for (const n of [0, 2, 3]) network.join(1, n)
    const [brought, first] = [encoded({ nonce: 7000 }), encoded({ nonce: 7001 })]
    network.bring(2, 1, brought)
    for (let i = 0; i < 1000; i++) {
      network.bring(0, 1, i === 0 ? first : encoded({ nonce: i }))
      if (i === 9) network.bring(3, 1, first)
    }
    const heard = network.heard(1).length
    for (const bytes of [brought, first]) network.bring(0, 1, bytes)
    expect(network.node(1).relay.size.seen).toBe(64)
    expect(network.heard(1)).toHaveLength(heard)
    // What it alone brought it may bring again, as it may bring what is new.
    network.bring(0, 1, encoded({ nonce: 1 }))
    expect(network.heard(1)).toHaveLength(heard + 1)
  })
  it("is forgotten five minutes after it expired at the latest, and then nothing is left of anybody", () => {
    const network = mesh(4, 3)
    for (let n = 0; n < 4; n++) network.send(n, `from ${n}`)
    network.settle()
    for (let a = 0; a < 4; a++) for (let b = a + 1; b < 4; b++) network.part(a, b)
    expect(network.node(0).relay.size).toEqual({ peers: 0, seen: 4 })
    network.elapse(3_600_000 + 300_000)
    for (const { relay } of network.nodes) {
      expect(relay.size).toEqual({ peers: 0, seen: 0 })
      expect(relay.nextTimeout()).toBeUndefined()
    }
  })
  it("of a peer is not held against the one that comes after it", () => {
    const network = line(2, { maxPeers: 1 })
    network.bring(0, 1, encoded())
    network.part(0, 1)
    network.join(0, 1)
    network.bring(0, 1, encoded())
    expect(network.offences(1)).toEqual([])
    expect(network.heard(1)).toHaveLength(1)
  })
})
