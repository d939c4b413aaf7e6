import { toHex } from "@satwire/bytes"
import { ChaChaRandom, type SchnorrKey, makeSchnorrKey, portableSha256, portableSignatures } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { Ended } from "@satwire/transport"
import { describe, expect, it } from "vitest"
import {
  BEHIND_TIMEOUT_MS,
  Capability,
  FrameKind,
  HANDSHAKE_TIMEOUT_MS,
  type Hello,
  MAX_UNINTRODUCED,
  type OverlayInput,
  OverlayMachine,
  type OverlayMachineOptions,
  type OverlayOutput,
  PING_AFTER_MS,
  SILENCE_TIMEOUT_MS,
  describeEnd,
  encodeHello,
  frameOf,
  prove
} from "../src/index.ts"
import { platformDeflate } from "../src/node.ts"

const random = ChaChaRandom.fromNumber(8)
const key = makeSchnorrKey(random)
const P = PeerId(1)

/** A machine, and somebody by hand at the other end. */
class Bench {
  readonly machine: OverlayMachine
  readonly outputs: Array<OverlayOutput> = []
  ms = 0

  constructor(options: Partial<OverlayMachineOptions> = {}) {
    this.machine = new OverlayMachine({
      nodeId: "us",
      sha256: portableSha256,
      signatures: portableSignatures,
      random: ChaChaRandom.fromNumber(1),
      ...options
    })
  }

  get now(): Now {
    return { instant: Instant(this.ms), unix: UnixSeconds(1_767_225_600 + Math.floor(this.ms / 1000)) }
  }

  give(input: OverlayInput): ReadonlyArray<OverlayOutput> {
    const outputs: Array<OverlayOutput> = []
    this.machine.handle(input, this.now, outputs)
    this.outputs.push(...outputs)
    return outputs
  }

  frame(kind: number, payload: Uint8Array, peer: PeerId = P): ReadonlyArray<OverlayOutput> {
    return this.give({ _tag: "Bytes", peer, chunk: frameOf(kind as FrameKind, payload) })
  }

  open(peer: PeerId = P, isInbound = true): void {
    this.give({ _tag: "Opened", peer, isInbound })
  }

  /** A peer that has introduced itself. */
  join(nodeId: string, peer: PeerId = P): void {
    this.open(peer)
    this.frame(FrameKind.hello, hello(nodeId), peer)
  }

  elapse(ms: number): void {
    const end = this.ms + ms
    for (let at = this.machine.nextTimeout(); at !== undefined && at <= end; at = this.machine.nextTimeout()) {
      this.ms = Math.max(this.ms, at)
      this.give({ _tag: "Timeout" })
    }
    this.ms = end
  }

  get ends(): ReadonlyArray<string> {
    return this.outputs.flatMap((one) => (one._tag === "Ended" ? [one.end._tag] : []))
  }

  kinds(peer: PeerId = P): ReadonlyArray<number> {
    return this.outputs.flatMap((one) => (one._tag === "Write" && one.peer === peer ? [one.bytes[4] as number] : []))
  }
}

const challenge = random.bytes(32)
const said = (nodeId: string): Hello => ({ nodeId, capabilities: Capability.delta, challenge })
const hello = (nodeId: string) => encodeHello(said(nodeId))

describe("a handshake", () => {
  it("joins who says hello", () => {
    const bench = new Bench()
    bench.join("alice")
    expect(bench.outputs.at(-1)).toEqual({ _tag: "Joined", peer: P, info: { nodeId: "alice", isProven: false } })
    expect(bench.machine.size).toEqual({ sessions: 1, peers: 1, seen: 0 })
    bench.give({ _tag: "Gone", peer: P, reason: Ended })
    expect(bench.machine.size).toEqual({ sessions: 0, peers: 0, seen: 0 })
    expect(bench.machine.nextTimeout()).toBeUndefined()
  })
  it("makes who is named by a key prove it, to us and for nobody else", () => {
    const proofFor = (bench: Bench, signer: SchnorrKey, claimed: string) => {
      bench.open()
      bench.frame(FrameKind.hello, hello(claimed))
      expect(bench.machine.size.peers).toBe(0)
      const [first] = bench.outputs
      const theirs = first?._tag === "Write" ? first.bytes.slice(5) : new Uint8Array()
      const at = "satwire-overlay".length
      const ours = { nodeId: "us", capabilities: theirs[at + 1] as number, challenge: theirs.slice(at + 2, at + 34) }
      return prove(signer, said(claimed), ours, new Uint8Array(32))
    }
    const name = toHex(key.publicKey)
    const honest = new Bench()
    honest.frame(FrameKind.proof, proofFor(honest, key, name))
    expect(honest.outputs.at(-1)).toEqual({ _tag: "Joined", peer: P, info: { nodeId: name, isProven: true } })
    const thief = new Bench()
    thief.frame(FrameKind.proof, proofFor(thief, makeSchnorrKey(random), name))
    expect(thief.ends).toEqual(["BadProof"])
    // What was said to one is worth nothing to another, whose challenge is another.
    const overheard = proofFor(new Bench(), key, name)
    const other = new Bench({ random: ChaChaRandom.fromNumber(2) })
    other.open()
    other.frame(FrameKind.hello, hello(name))
    other.frame(FrameKind.proof, overheard)
    expect(other.ends).toEqual(["BadProof"])
  })
  it.each<[string, number, Uint8Array]>([
    ["OtherProtocol", FrameKind.hello, new Uint8Array(80)],
    ["OtherProtocol", FrameKind.envelope, hello("alice")],
    ["OtherVersion", FrameKind.hello, hello("alice").with(15, 9)],
    ["BadHello", FrameKind.hello, hello("alice").subarray(0, 40)],
    ["BadHello", FrameKind.hello, hello("al ice")],
    ["Ourselves", FrameKind.hello, hello("us")]
  ])("ends with %s", (tag, kind, payload) => {
    const bench = new Bench()
    bench.open()
    bench.frame(kind, payload)
    expect(bench.ends).toEqual([tag])
    expect(bench.machine.size.sessions).toBe(0)
    const end = bench.outputs.find((one) => one._tag === "Ended")
    expect(end && describeEnd(end.end)).toMatch(/^The .*\.$/)
  })
  it("ends where the other end says nothing in time", () => {
    const bench = new Bench()
    bench.open()
    bench.elapse(HANDSHAKE_TIMEOUT_MS - 1)
    expect(bench.ends).toEqual([])
    bench.elapse(1)
    expect(bench.ends).toEqual(["HandshakeTimeout"])
  })
  it("ends where there is a session with that node, and leaves that one alone", () => {
    const bench = new Bench()
    bench.join("alice")
    bench.join("alice", PeerId(2))
    expect(bench.ends).toEqual(["KnownAlready"])
    expect(bench.machine.size.peers).toBe(1)
  })
  it("is open to so many that came in, and to no more than there is room for", () => {
    const bench = new Bench({ maxPeers: 2 })
    for (let i = 1; i <= MAX_UNINTRODUCED + 1; i++) bench.open(PeerId(i))
    // Who has been silent for longest has made room.
    expect(bench.ends).toEqual(["NoRoom"])
    expect(bench.machine.size.sessions).toBe(MAX_UNINTRODUCED)
    for (const i of [MAX_UNINTRODUCED + 1, 2, 3]) bench.frame(FrameKind.hello, hello(`node-${i}`), PeerId(i))
    expect(bench.machine.size.peers).toBe(2)
    expect(bench.ends).toEqual(["NoRoom", "NoRoom"])
  })
})

describe("a session", () => {
  it.each<[string, number, Uint8Array]>([
    ["BadFrame", 99, new Uint8Array(3)],
    ["BadFrame", FrameKind.hello, hello("alice")],
    ["BadFrame", FrameKind.ping, new Uint8Array(1)],
    ["BadCompression", FrameKind.deflated, random.bytes(30)],
    ["BadCompression", FrameKind.deflated, platformDeflate.deflate(new Uint8Array(2_000_000))],
    ["BadCompression", FrameKind.delta, Uint8Array.of(1, 65, 4)],
    ["Offence", FrameKind.envelope, random.bytes(100)]
  ])("ends with %s, and others are unharmed", (tag, kind, payload) => {
    const bench = new Bench({ deflate: platformDeflate, maxBytes: 1_000_000 })
    bench.join("alice")
    bench.join("bob", PeerId(2))
    bench.frame(kind, payload)
    expect(bench.ends).toEqual([tag])
    expect(bench.machine.size).toMatchObject({ sessions: 1, peers: 1 })
  })
  it("hears no more of a chunk in which it ended", () => {
    const bench = new Bench()
    bench.join("alice")
    const bad = frameOf(FrameKind.envelope, random.bytes(50))
    bench.give({ _tag: "Bytes", peer: P, chunk: Uint8Array.from([...bad, ...bad, ...bad]) })
    expect(bench.outputs.filter((one) => one._tag === "Offended")).toHaveLength(1)
  })
  it("is asked whether it is there after a minute, and given up after two", () => {
    const bench = new Bench()
    bench.join("alice")
    bench.elapse(PING_AFTER_MS)
    expect(bench.kinds().at(-1)).toBe(FrameKind.ping)
    bench.frame(FrameKind.pong, new Uint8Array(0))
    bench.elapse(SILENCE_TIMEOUT_MS - 1)
    expect(bench.ends).toEqual([])
    bench.elapse(1)
    expect(bench.ends).toEqual(["Silent"])
  })
  it("answers a ping a second", () => {
    const bench = new Bench()
    bench.join("alice")
    for (let i = 0; i < 10; i++) bench.frame(FrameKind.ping, new Uint8Array(0))
    expect(bench.kinds().filter((kind) => kind === FrameKind.pong)).toHaveLength(1)
  })
  it("that is behind gets nothing until it has caught up, and is given up after half a minute", () => {
    const bench = new Bench()
    bench.join("alice")
    const send = () => bench.give({ _tag: "Send", type: "a/1", body: Uint8Array.of(1), target: undefined })
    bench.give({ _tag: "Behind", peer: P, isBehind: true })
    expect(send().map(({ _tag }) => _tag)).toEqual(["Sent"])
    bench.elapse(BEHIND_TIMEOUT_MS - 1)
    bench.give({ _tag: "Behind", peer: P, isBehind: false })
    expect(send().map(({ _tag }) => _tag)).toEqual(["Sent", "Write"])
    bench.give({ _tag: "Behind", peer: P, isBehind: true })
    send()
    bench.elapse(BEHIND_TIMEOUT_MS)
    expect(bench.outputs.at(-1)).toEqual({ _tag: "Ended", peer: P, end: { _tag: "Behind" }, missed: 2 })
  })
  it("takes one write a turn", () => {
    const sender = new Bench({ nodeId: "alice" })
    sender.join("us")
    const frames = Array.from({ length: 50 }, () =>
      sender.give({ _tag: "Send", type: "a/1", body: Uint8Array.of(1), target: undefined })
    ).flatMap((outputs) => outputs.flatMap((one) => (one._tag === "Write" ? [...one.bytes] : [])))
    const bench = new Bench()
    bench.join("alice")
    bench.join("bob", PeerId(2))
    const outputs = bench.give({ _tag: "Bytes", peer: P, chunk: Uint8Array.from(frames) })
    expect(outputs.filter((one) => one._tag === "Deliver")).toHaveLength(50)
    expect(outputs.filter((one) => one._tag === "Write")).toHaveLength(1)
  })
})
