import { concat } from "@satwire/bytes"
import { FRAMES_PER_TURN, MAX_SEND_BUFFER_BYTES, type PeerOutput, TIMEOUT_INTERVAL_MS } from "@satwire/peer"
import { ZERO_HASH } from "@satwire/primitives"
import {
  type GetHeaders,
  MAX_HEADERS_RESULTS,
  SENDADDRV2,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  headersMessage
} from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { type BenchOptions, PeerBench } from "./PeerBench.ts"
import { framed, versionOf } from "./frames.ts"

const pings = (count: number, from = 0): ReadonlyArray<{ readonly _tag: "ping"; readonly nonce: bigint }> =>
  Array.from({ length: count }, (_, i) => ({ _tag: "ping", nonce: BigInt(from + i) }) as const)

const nonces = (bench: PeerBench): ReadonlyArray<bigint> =>
  bench.sent().flatMap((message) => (message._tag === "pong" ? [message.nonce] : []))

const upTo = (count: number): ReadonlyArray<bigint> => Array.from({ length: count }, (_, i) => BigInt(i))

const GETHEADERS: GetHeaders = { _tag: "getheaders", protocolVersion: 70016, locator: [], stopHash: ZERO_HASH }

/** Answers every `getheaders` at once with as many headers as a message holds, as a node's router does. */
const serving: BenchOptions = {
  onOutput: (output: PeerOutput, bench: PeerBench) => {
    if (output._tag !== "Received" || output.message._tag !== "getheaders") return
    const message = headersMessage(new Uint8Array(80 * MAX_HEADERS_RESULTS))
    bench.peer.handle({ _tag: "Send", message }, bench.now, { push() {} })
  }
}

describe("a peer that sends more than its share of a turn", () => {
  it("has the rest handled in turns of their own, in order, and is not read from until then", () => {
    const bench = PeerBench.ready()
    const count = 3 * FRAMES_PER_TURN + 10
    bench.receive(framed(...pings(count)))
    expect(bench.sent()).toHaveLength(FRAMES_PER_TURN)
    expect(bench.peer.shouldPause).toBe(true)
    expect(bench.peer.nextTimeout()).toBeLessThanOrEqual(bench.ms)
    bench.input({ _tag: "Timeout" })
    expect(nonces(bench)).toEqual(upTo(2 * FRAMES_PER_TURN).slice(FRAMES_PER_TURN))
    bench.settle()
    expect(nonces(bench)).toEqual(upTo(count).slice(2 * FRAMES_PER_TURN))
    expect(bench.peer.shouldPause).toBe(false)
    expect(bench.peer.nextTimeout()).toBeGreaterThan(bench.ms)
  })

  it("keeps its order when more comes before the rest is handled", () => {
    const bench = PeerBench.ready()
    const bytes = framed(...pings(4 * FRAMES_PER_TURN))
    const cut = bytes.length / 2 + 5
    bench.receive(bytes.subarray(0, cut))
    bench.receive(bytes.subarray(cut))
    bench.settle()
    expect(nonces(bench)).toEqual(upTo(4 * FRAMES_PER_TURN))
  })

  it("waits its turn behind those whose backlog is older", () => {
    const [first, second] = [PeerBench.ready(), PeerBench.ready()]
    second.elapse(5)
    for (const bench of [first, second]) bench.receive(framed(...pings(2 * FRAMES_PER_TURN)))
    expect(first.peer.nextTimeout()).toBe(0)
    expect(second.peer.nextTimeout()).toBe(5)
    first.elapse(7)
    first.receive(framed(...pings(2 * FRAMES_PER_TURN)))
    first.input({ _tag: "Timeout" })
    expect(first.peer.nextTimeout() ?? 0).toBeGreaterThanOrEqual(5)
  })

  it("cannot put its own end off by flooding", () => {
    const bench = new PeerBench()
    bench.elapse(59_999)
    bench.receive(framed(...pings(3 * FRAMES_PER_TURN)))
    bench.elapse(1)
    bench.settle()
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "HandshakeTimeout" } }])
  })
})

describe("a peer that asks for more than it may be sent at once", () => {
  it("gets a bounded write in each turn, and everything in the end", () => {
    const bench = PeerBench.ready(serving)
    const asked = 40
    bench.receive(framed(...Array.from({ length: asked }, () => GETHEADERS)))
    bench.settle()
    const writes = bench.writes()
    const answer = framed(headersMessage(new Uint8Array(80 * MAX_HEADERS_RESULTS))).length
    expect(writes.length).toBeGreaterThan(1)
    for (const write of writes) expect(write.length).toBeLessThanOrEqual(MAX_SEND_BUFFER_BYTES + answer)
    expect(writes.reduce((sum, { length }) => sum + length, 0)).toBe(asked * answer)
  })

  it("gets nothing more while it does not take what it got", () => {
    const bench = PeerBench.ready(serving)
    bench.input({ _tag: "SendBlocked", blocked: true })
    expect(bench.peer.shouldPause).toBe(true)
    bench.receive(framed(...Array.from({ length: 40 }, () => GETHEADERS)))
    bench.receive(framed(...pings(3)))
    expect(bench.settle()).toBe(0)
    expect(bench.writes()).toEqual([])
    bench.input({ _tag: "SendBlocked", blocked: false })
    bench.input({ _tag: "SendBlocked", blocked: true })
    expect(bench.settle()).toBe(0)
    expect(bench.writes()).toHaveLength(1)
    bench.input({ _tag: "SendBlocked", blocked: false })
    bench.settle()
    expect(nonces(bench)).toEqual([0n, 1n, 2n])
    expect(bench.peer.shouldPause).toBe(false)
  })

  it("is let go when it has taken nothing for 20 minutes, though we have much to say", () => {
    const bench = PeerBench.ready()
    bench.elapse(1000)
    bench.input({ _tag: "SendBlocked", blocked: true })
    const { lastSent } = bench.peer.snapshot()
    for (let minute = 1; minute < 20; minute++) {
      bench.elapse(60_000)
      bench.send(SENDHEADERS)
    }
    expect(bench.peer.snapshot().lastSent).toBe(lastSent)
    expect(bench.outputs()).toEqual([])
    bench.elapse(60_000)
    const [output] = bench.outputs()
    expect(output).toMatchObject({ _tag: "Disconnect", reason: { _tag: "Inactive", side: "send" }, cost: "disconnect" })
  })

  it("has its 20 minutes again once it took something", () => {
    const bench = PeerBench.ready()
    for (let round = 0; round < 4; round++) {
      bench.input({ _tag: "SendBlocked", blocked: true })
      bench.elapse(TIMEOUT_INTERVAL_MS / 2)
      bench.input({ _tag: "SendBlocked", blocked: false })
      for (const message of bench.sent()) {
        if (message._tag === "ping") bench.receive(framed({ _tag: "pong", nonce: message.nonce }))
      }
    }
    expect(bench.outputs().filter(({ _tag }) => _tag === "Disconnect")).toEqual([])
  })
})

describe("a peer that we hold back", () => {
  it("is not heard until we let it go on, and then in order", () => {
    const bench = PeerBench.ready()
    bench.input({ _tag: "Hold", held: true })
    expect(bench.peer.shouldPause).toBe(true)
    bench.receive(framed(...pings(3), SENDHEADERS))
    expect(bench.settle()).toBe(0)
    expect(bench.outputs()).toEqual([])
    bench.input({ _tag: "Hold", held: false })
    expect(nonces(bench)).toEqual([0n, 1n, 2n])
    expect(bench.outputs()).toEqual([{ _tag: "Received", message: SENDHEADERS }])
  })

  it("stops in the middle of a chunk when the one who takes its messages says so", () => {
    const bench = PeerBench.ready({
      onOutput: (output, self) => {
        if (output._tag === "Received") self.peer.handle({ _tag: "Hold", held: true }, self.now, { push() {} })
      }
    })
    bench.receive(framed(SENDHEADERS, SENDHEADERS))
    expect(bench.outputs()).toHaveLength(1)
    bench.input({ _tag: "Hold", held: false })
    expect(bench.outputs()).toHaveLength(1)
  })

  it("is not blamed for what we do not listen to, and hears that we live", () => {
    const bench = PeerBench.ready()
    bench.elapse(60_000)
    bench.input({ _tag: "Ping" })
    bench.sent()
    bench.input({ _tag: "Hold", held: true })
    bench.elapse(2 * TIMEOUT_INTERVAL_MS)
    expect(bench.outputs()).toEqual([])
    expect(bench.sentCommands().length).toBeGreaterThanOrEqual(18)
    bench.input({ _tag: "Hold", held: false })
    bench.elapse(0)
    expect(bench.outputs()).toEqual([])
    // From now on the rules hold again.
    bench.elapse(TIMEOUT_INTERVAL_MS + 120_000)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect" }])
  })

  it("is still let go when it takes nothing that we send", () => {
    const bench = PeerBench.ready()
    bench.input({ _tag: "Hold", held: true })
    bench.input({ _tag: "SendBlocked", blocked: true })
    bench.elapse(TIMEOUT_INTERVAL_MS)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "Inactive", side: "send" } }])
  })
})

describe("a peer that is closed by us", () => {
  it("has nothing more to say, in the very chunk that was its last", () => {
    const bench = PeerBench.ready({
      onOutput: (output, self) => {
        if (output._tag === "Received") self.peer.handle({ _tag: "Close" }, self.now, { push() {} })
      }
    })
    bench.receive(
      framed({ _tag: "ping", nonce: 1n }, SENDHEADERS, { _tag: "ping", nonce: 2n }, SENDHEADERS, WTXIDRELAY)
    )
    expect(bench.outputs()).toEqual([{ _tag: "Received", message: SENDHEADERS }])
    expect(nonces(bench)).toEqual([1n])
    expect(bench.peer.nextTimeout()).toBeUndefined()
    expect(bench.peer.snapshot().state).toBe("disconnecting")
  })

  it("has not even what it said before verack delivered, if it is closed on Ready", () => {
    const bench = new PeerBench({
      onOutput: (output, self) => {
        if (output._tag === "Ready") self.peer.handle({ _tag: "Close" }, self.now, { push() {} })
      }
    })
    bench.receive(framed(versionOf(), SENDHEADERS, VERACK))
    expect(bench.outputs().map(({ _tag }) => _tag)).toEqual(["Ready"])
  })
})

describe("what is counted", () => {
  it("are the bytes of both ways, and the messages by command", () => {
    const bench = new PeerBench()
    const bytes = concat([framed(versionOf(), WTXIDRELAY, SENDADDRV2, VERACK), framed(...pings(2))])
    bench.receive(bytes)
    const written = bench.writes().reduce((sum, { length }) => sum + length, 0)
    const { bytesReceived, bytesSent, received, sent, lastReceived, lastSent } = bench.peer.snapshot()
    expect({ bytesReceived, bytesSent, lastReceived, lastSent }).toEqual({
      bytesReceived: bytes.length,
      bytesSent: written,
      lastReceived: 0,
      lastSent: 0
    })
    expect([...received].map(([label, { messages }]) => [label, messages])).toEqual([
      ["version", 1],
      ["wtxidrelay", 1],
      ["sendaddrv2", 1],
      ["verack", 1],
      ["ping", 2]
    ])
    expect([...received.values()].reduce((sum, count) => sum + count.bytes, 0)).toBe(bytes.length)
    expect(sent.get("pong")?.messages).toBe(2)
  })

  it("is told as it was at the time of asking", () => {
    const bench = PeerBench.ready()
    const before = bench.peer.snapshot()
    const { bytesReceived } = before
    const pingsBefore = before.received.get("ping")?.messages ?? 0
    bench.receive(framed(...pings(2)))
    expect(before.bytesReceived).toBe(bytesReceived)
    expect(before.received.get("ping")?.messages ?? 0).toBe(pingsBefore)
  })
})
