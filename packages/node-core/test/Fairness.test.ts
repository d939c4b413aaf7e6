/** What all peers share and none may take for itself: key exchanges, memory, turns, upload. */
import { portableAead, portableCurve } from "@satwire/crypto"
import { V1Framing, V2Framing } from "@satwire/framing"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { MAX_EXCHANGES_WAITING, type NodeCoreFact, TIMEOUTS_PER_TURN, describeDisconnect } from "@satwire/node-core"
import { REPLY_BYTES_PER_TURN } from "@satwire/peer"
import { ZERO_HASH, regtest } from "@satwire/primitives"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { type GetHeaders, Inventory, MSG_TX, type Message, VERACK } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { HistoricUpload } from "../src/HistoricUpload.ts"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, isFact, sentTo } from "./NodeBench.ts"
import { chain } from "./chains.ts"

const v2 = { aead: portableAead, curve: portableCurve }
const ping = (nonce: bigint): Message => ({ _tag: "ping", nonce })

const dialler = (seed: number): V2Framing =>
  new V2Framing({ ...v2, magic: regtest.magic, initiating: true, random: ChaChaRandom.fromNumber(seed) })

const ends = (facts: ReadonlyArray<NodeCoreFact>): ReadonlyArray<string> =>
  facts.flatMap((fact) => (fact._tag === "PeerDisconnecting" ? [`${fact.peer} ${fact.reason._tag}`] : []))

describe("the encrypted transport", () => {
  it("is answered to those who dial in it, one exchange a turn", () => {
    const bench = new NodeBench({ v2 })
    const framings = [1, 2, 3].map((seed) => dialler(seed))
    const peers = framings.map(() => bench.open("inbound"))
    framings.forEach((framing, i) => {
      const outputs = bench.receive(peers[i] as PeerId, framing.takeOutput() ?? new Uint8Array(0))
      expect(outputs).toEqual([{ _tag: "Pause", peer: peers[i], paused: true }])
    })
    bench.outputs()
    for (let turn = 0; turn < 3; turn++) {
      const written = bench.input({ _tag: "Timeout" }).flatMap((out) => (out._tag === "Write" ? [out.peer] : []))
      expect(written).toEqual([peers[turn]])
    }
    expect(bench.core.nextTimeout()).toBeGreaterThan(bench.clock.ms)
  })

  it("is spoken to those who are dialled, and v1 where it was tried in vain", () => {
    const bench = new NodeBench({ v2 })
    const encrypted = bench.open("outbound")
    const [first] = bench.outputs().flatMap((output) => (output._tag === "Write" ? [output.bytes] : []))
    expect(first?.length).toBeGreaterThanOrEqual(64)
    bench.input({ _tag: "ConnectionClosed", peer: encrypted, how: "reset" })
    expect(bench.facts().find(({ _tag }) => _tag === "PeerDisconnecting")).toMatchObject({ retryAsV1: true })
    const peer = PeerId(77)
    const outputs = bench.input({ _tag: "ConnectionOpened", peer, kind: "manual", address: "x", transport: "v1" })
    expect(sentTo(peer, outputs)).toMatchObject([{ _tag: "version" }])
    bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
    expect(bench.facts().find(({ _tag }) => _tag === "PeerDisconnecting")).toMatchObject({ retryAsV1: false })
    expect(bench.core.isEmpty).toBe(true)
  })

  it("costs a flood of strangers their own place: the one that waits for longest goes, and who we dial is never dropped", () => {
    const bench = new NodeBench({ v2 })
    const ours = bench.open("outbound")
    bench.receive(ours, new Uint8Array(64).fill(7))
    const strangers = Array.from({ length: MAX_EXCHANGES_WAITING + 3 }, () => bench.open("inbound"))
    bench.outputs()
    for (const peer of strangers) bench.receive(peer, new Uint8Array(64).fill(9))
    const facts = bench.facts()
    expect(ends(facts)).toEqual(strangers.slice(0, 3).map((peer) => `${peer} ExchangeCrowdedOut`))
    const end = facts.find(({ _tag }) => _tag === "PeerDisconnecting")
    if (end?._tag === "PeerDisconnecting") expect(describeDisconnect(end.reason)).toContain("BIP-0324")
    for (let turns = 0; turns <= MAX_EXCHANGES_WAITING; turns++) {
      expect(bench.core.nextTimeout()).toBeLessThanOrEqual(bench.clock.ms)
      bench.input({ _tag: "Timeout" })
    }
    expect(bench.core.nextTimeout()).toBeGreaterThan(bench.clock.ms)
    for (const peer of [ours, ...strangers]) bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
    expect(bench.core.isEmpty).toBe(true)
  })

  it("waits for nobody who leaves", () => {
    const bench = new NodeBench({ v2 })
    const peer = bench.open("inbound")
    bench.receive(peer, new Uint8Array(64).fill(9))
    bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
    expect(bench.core.isEmpty).toBe(true)
    expect(bench.core.nextTimeout()).toBeUndefined()
  })
})

describe("memory", () => {
  it("that all peers together hold of unfinished messages is bounded: who has most is let go, and nobody else", () => {
    const bench = new NodeBench({ maxReceivedBytes: 100_000 })
    const [small, large, last] = [bench.ready(), bench.ready(), bench.ready()]
    const part = (bytes: number): Uint8Array => {
      const framing = new V1Framing({ magic: regtest.magic, sha256: portableSha256 })
      framing.send({ _tag: "cfilter", filterType: 0, blockHash: ZERO_HASH, filter: new Uint8Array(1_000_000) } as never)
      return (framing.takeOutput() ?? new Uint8Array(0)).subarray(0, bytes)
    }
    bench.receive(small, part(20_000))
    bench.receive(large, part(60_000))
    expect(ends(bench.facts())).toEqual([])
    bench.receive(last, part(30_000))
    expect(ends(bench.facts())).toEqual([`${large} HeldTooMuch`])
    bench.receive(last, part(0))
    expect(bench.core.query("peers").map(({ peer }) => peer)).toEqual([small, last])
    for (const peer of [small, last]) bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
    expect(bench.core.isEmpty).toBe(true)
  })
})

describe("lists that are gone through over several turns", () => {
  it("count as memory that all peers together hold, until they are gone through", () => {
    const bench = new NodeBench({ maxReceivedBytes: 200_000, roles: { transactions: { relays: true } } })
    const [small, large, last] = [bench.ready(), bench.ready(), bench.ready()]
    const ask = (peer: PeerId, count: number): unknown => {
      const hashes = Array.from({ length: count }, () => new Uint8Array(32))
      return bench.receive(peer, framed({ _tag: "getdata", inventory: Inventory.ofType(MSG_TX, hashes) }))
    }
    ask(small, 1100)
    ask(large, 3000)
    expect(ends(bench.facts())).toEqual([])
    ask(last, 2000)
    expect(ends(bench.facts())).toEqual([`${large} HeldTooMuch`])
    bench.settle()
    ask(small, 4000)
    expect(ends(bench.facts())).toEqual([])
    for (const peer of [small, last]) bench.input({ _tag: "ConnectionClosed", peer, how: "reset" })
    expect(bench.core.isEmpty).toBe(true)
  })
})

describe("a turn", () => {
  it("builds no more for those with something due than a bound, and goes on with the others in the next", () => {
    const bench = new NodeBench()
    bench.input({ _tag: "SubmitHeaders", headers: chain(2000, { time: START_UNIX - 600 * 2000 }), count: 2000 })
    const ask: GetHeaders = { _tag: "getheaders", protocolVersion: 70016, locator: [], stopHash: ZERO_HASH }
    const asked: GetHeaders = { ...ask, locator: [regtest.genesisHash] }
    const peers = Array.from({ length: TIMEOUTS_PER_TURN }, () => bench.ready())
    for (const peer of peers) bench.receive(peer, framed(asked, asked, asked, asked))
    bench.outputs()
    const sizes: Array<number> = []
    while ((bench.core.nextTimeout() ?? Infinity) <= bench.clock.ms) {
      const outputs = bench.input({ _tag: "Timeout" })
      sizes.push(outputs.reduce((sum, output) => sum + (output._tag === "Write" ? output.bytes.length : 0), 0))
    }
    expect(Math.max(...sizes)).toBeGreaterThan(REPLY_BYTES_PER_TURN)
    expect(Math.max(...sizes)).toBeLessThan(262_144 + 170_000)
  })

  it("says nothing of a node that is unsent, and all that is known of who answers", () => {
    const bench = new NodeBench()
    const peer = bench.open("outbound", "there:1")
    const outputs = bench.receive(peer, framed(THEIR_VERSION, VERACK))
    const facts = outputs.filter(isFact).map(({ _tag }) => _tag)
    expect(facts).toEqual(["PeerIntroduced", "PeerReady"])
    expect(sentTo(peer, bench.receive(peer, framed(ping(3n))))).toEqual([{ _tag: "pong", nonce: 3n }])
  })
})

describe("old blocks", () => {
  const at = (ms: number): Now => ({ instant: Instant(ms), unix: UnixSeconds(START_UNIX) })

  it("leave one a turn over all peers, first come first served", () => {
    const upload = new HistoricUpload(undefined)
    const [one, two] = [{}, {}]
    upload.beginTurn()
    expect(upload.take(one, 1_000_000, at(0))).toBeUndefined()
    expect(upload.take(two, 1, at(0))).toBe(0)
    expect(upload.take(one, 1, at(0))).toBe(0)
    upload.beginTurn()
    expect(upload.take(one, 1, at(0))).toBe(1)
    expect(upload.take(two, 1, at(0))).toBeUndefined()
    upload.beginTurn()
    expect(upload.take(one, 1, at(1))).toBeUndefined()
    expect(upload.size).toBe(0)
  })

  it("are not faster than their rate, over any time, whatever their size", () => {
    const rate = 1_000_000
    const upload = new HistoricUpload(rate)
    const who = {}
    let sent = 0
    for (let ms = 0; ms <= 20_000;) {
      upload.beginTurn()
      const size = sent % 3 === 0 ? 2_500_000 : 300_001
      const again = upload.take(who, size, at(ms))
      if (again === undefined) sent += size
      else ms = again
    }
    expect(sent).toBeGreaterThan(19 * rate)
    expect(sent).toBeLessThan(21 * rate + 2_500_000)
  })

  it("wait for nobody who left", () => {
    const upload = new HistoricUpload(1000)
    const [one, two] = [{}, {}]
    upload.beginTurn()
    expect(upload.take(one, 1000, at(0))).toBeUndefined()
    expect(upload.take(one, 1000, at(0))).toBeDefined()
    upload.beginTurn()
    expect(upload.take(two, 1000, at(0))).toBe(1)
    upload.forget(one)
    upload.beginTurn()
    expect(upload.take(two, 1000, at(0))).toBe(1000)
  })
})
