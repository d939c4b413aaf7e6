import { PING_INTERVAL_MS, TIMEOUT_INTERVAL_MS, describePeerDisconnect } from "@satwire/peer"
import { BIP0031_VERSION, SENDHEADERS, VERACK } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { PeerBench } from "./PeerBench.ts"
import { frame, framed, versionOf } from "./frames.ts"

const SECOND = 1000
const MINUTE = 60 * SECOND

/** A bench whose first ping is out, and the nonce of that ping. */
const pinged = (): { readonly bench: PeerBench; readonly nonce: bigint } => {
  const bench = new PeerBench()
  bench.receive(framed(versionOf(), VERACK))
  bench.outputs()
  return { bench, nonce: nonceOf(bench) }
}

const nonceOf = (bench: PeerBench): bigint => {
  const ping = bench.sent().find((message) => message._tag === "ping")
  if (ping?._tag !== "ping") throw new Error("no ping")
  return ping.nonce
}

const pong = (bench: PeerBench, nonce: bigint): void => bench.receive(framed({ _tag: "pong", nonce }))

describe("our pings", () => {
  it("begin with the handshake's end and go on every two minutes, each with a nonce of its own", () => {
    const { bench, nonce } = pinged()
    pong(bench, nonce)
    const nonces = new Set([nonce])
    for (let i = 1; i <= 5; i++) {
      bench.elapse(PING_INTERVAL_MS - 1)
      expect(bench.sent()).toEqual([])
      bench.elapse(1)
      const next = nonceOf(bench)
      nonces.add(next)
      pong(bench, next)
    }
    expect(nonces.size).toBe(6)
    expect(nonces.has(0n)).toBe(false)
  })

  it("wait for the answer before the next one", () => {
    const { bench, nonce } = pinged()
    bench.elapse(3 * MINUTE)
    expect(bench.sent()).toEqual([])
    pong(bench, nonce)
    bench.elapse(0)
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("tell how long the way there and back takes, now and at least", () => {
    const { bench, nonce } = pinged()
    const { pingSince } = bench.peer.snapshot()
    expect(bench.peer.snapshot()).toMatchObject({ pingMs: undefined, minPingMs: undefined })
    expect(pingSince).toBe(bench.now.instant)
    bench.elapse(30)
    expect(bench.peer.snapshot().pingSince).toBe(pingSince)
    pong(bench, nonce)
    expect(bench.peer.snapshot().pingSince).toBeUndefined()
    expect(bench.outputs()).toEqual([{ _tag: "Pong", roundTripMs: 30 }])
    bench.elapse(PING_INTERVAL_MS)
    const second = nonceOf(bench)
    bench.elapse(50)
    pong(bench, second)
    expect(bench.peer.snapshot().minPingMs).toBe(30)
    expect(bench.peer.snapshot().pingMs).toBeGreaterThanOrEqual(50)
  })

  it("are not answered by another nonce, nor twice, nor out of the blue", () => {
    const { bench, nonce } = pinged()
    pong(bench, nonce ^ 1n)
    expect(bench.peer.snapshot().pingMs).toBeUndefined()
    bench.elapse(20)
    pong(bench, nonce)
    bench.elapse(20)
    pong(bench, nonce)
    expect(bench.outputs()).toEqual([{ _tag: "Pong", roundTripMs: 20 }])
    expect(bench.peer.snapshot().pingMs).toBe(20)
  })

  it.each([
    ["a pong of nonce 0", framed({ _tag: "pong", nonce: 0n })],
    ["a pong without its nonce", frame("pong", new Uint8Array(0))],
    ["a pong of half a nonce", frame("pong", new Uint8Array(4))]
  ])("are given up on %s, as Core does: no blame, and no latency", (_, bytes) => {
    const { bench } = pinged()
    bench.elapse(SECOND)
    bench.receive(bytes)
    expect(bench.peer.snapshot().pingMs).toBeUndefined()
    bench.elapse(PING_INTERVAL_MS - SECOND)
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("can be asked for, one at a time and not before the handshake is done", () => {
    const early = new PeerBench({ direction: "outbound" })
    early.sent()
    early.input({ _tag: "Ping" })
    expect(early.sent()).toEqual([])
    const { bench, nonce } = pinged()
    bench.input({ _tag: "Ping" })
    expect(bench.sent()).toEqual([])
    pong(bench, nonce)
    bench.elapse(SECOND)
    bench.input({ _tag: "Ping" })
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("end a connection that leaves one unanswered for 20 minutes, however much else it says", () => {
    const { bench } = pinged()
    for (let minute = 1; minute < 20; minute++) {
      bench.elapse(MINUTE)
      bench.receive(framed({ _tag: "ping", nonce: 5n }))
      expect(bench.outputs()).toEqual([])
    }
    bench.elapse(MINUTE - 1)
    expect(bench.outputs()).toEqual([])
    bench.elapse(1)
    const [output] = bench.outputs()
    expect(output).toEqual({ _tag: "Disconnect", reason: { _tag: "PingTimeout" }, cost: "disconnect" })
    if (output?._tag === "Disconnect")
      expect(describePeerDisconnect(output.reason)).toContain("TIMEOUT_INTERVAL (20 min)")
  })

  it("keep a connection of two honest sides up for ever", () => {
    const { bench, nonce } = pinged()
    pong(bench, nonce)
    bench.outputs()
    bench.elapseAnswering(24 * 60 * MINUTE)
    expect(bench.outputs().every(({ _tag }) => _tag === "Pong")).toBe(true)
  })
})

describe("their pings", () => {
  it("are answered with their nonce, in order, all in one write", () => {
    const bench = PeerBench.ready()
    bench.writes()
    bench.receive(framed(...[1n, 0n, 2n ** 64n - 1n].map((nonce) => ({ _tag: "ping", nonce }) as const)))
    const writes = bench.writes()
    expect(writes).toHaveLength(1)
    expect(writes[0]).toEqual(framed(...[1n, 0n, 2n ** 64n - 1n].map((nonce) => ({ _tag: "pong", nonce }) as const)))
  })

  it(`are not answered where both speak no more than ${BIP0031_VERSION}`, () => {
    for (const bench of [
      PeerBench.ready({ theirVersion: BIP0031_VERSION }),
      PeerBench.ready({ protocolVersion: BIP0031_VERSION })
    ]) {
      bench.receive(framed({ _tag: "ping", nonce: 5n }))
      bench.receive(frame("ping", new Uint8Array(0)))
      expect(bench.sent()).toEqual([])
      expect(bench.peer.snapshot().state).toBe("ready")
    }
  })

  it(`are answered from ${BIP0031_VERSION + 1} on`, () => {
    const bench = PeerBench.ready({ theirVersion: BIP0031_VERSION + 1 })
    bench.receive(framed({ _tag: "ping", nonce: 5n }))
    expect(bench.sentCommands()).toEqual(["pong"])
  })
})

describe("a peer too old to answer pings", () => {
  it("is pinged as a sign of life and never blamed for its silence on them", () => {
    const bench = PeerBench.ready({ theirVersion: BIP0031_VERSION })
    for (let minute = 0; minute < 60; minute++) {
      bench.elapse(MINUTE)
      bench.receive(framed(SENDHEADERS))
    }
    expect(bench.sentCommands()).toEqual(Array.from({ length: 30 }, () => "ping"))
    expect(bench.outputs().filter(({ _tag }) => _tag === "Disconnect")).toEqual([])
  })

  it("is let go when it has been silent altogether for 20 minutes", () => {
    const bench = PeerBench.ready({ theirVersion: BIP0031_VERSION })
    bench.elapse(TIMEOUT_INTERVAL_MS - 1)
    expect(bench.outputs()).toEqual([])
    bench.elapse(1)
    const [output] = bench.outputs()
    expect(output).toEqual({
      _tag: "Disconnect",
      reason: { _tag: "Inactive", side: "receive" },
      cost: "disconnect"
    })
    if (output?._tag === "Disconnect") expect(describePeerDisconnect(output.reason)).toContain("nothing was received")
  })
})

describe("our user's patience", () => {
  it("sets how often pings go out", () => {
    const bench = PeerBench.ready({ patience: { connectMs: MINUTE, pingIntervalMs: 300 * SECOND } })
    bench.elapse(PING_INTERVAL_MS + SECOND)
    expect(bench.sentCommands()).toEqual([])
    bench.elapse(180 * SECOND)
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("sets how long hands may take to be shaken, and until when nobody is ended for silence", () => {
    const patience = { connectMs: 10 * TIMEOUT_INTERVAL_MS, pingIntervalMs: PING_INTERVAL_MS }
    const early = new PeerBench({ patience })
    expect(early.peer.nextTimeout()).toBe(10 * TIMEOUT_INTERVAL_MS)
    const bench = new PeerBench({ patience })
    bench.receive(framed(versionOf(), VERACK))
    bench.outputs()
    expect(bench.peer.nextTimeout()).toBe(10 * TIMEOUT_INTERVAL_MS)
    bench.elapse(10 * TIMEOUT_INTERVAL_MS - 1)
    expect(bench.outputs()).toEqual([])
    bench.elapse(1)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "PingTimeout" } }])
  })
})
