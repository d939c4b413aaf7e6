/** The same machine on either transport: it does not know on which it stands. */
import { concat } from "@satwire/bytes"
import { ChaChaRandom, portableAead, portableCurve, portableSha256 } from "@satwire/crypto"
import {
  type Framing,
  type FramingFault,
  InboundFraming,
  V1Framing,
  V2Framing,
  shouldRetryAsV1
} from "@satwire/framing"
import {
  DEFAULT_PEER_CONNECT_TIMEOUT_MS,
  FRAMES_PER_TURN,
  type PeerOutput,
  V2_ANSWER_TIMEOUT_MS,
  describePeerDisconnect
} from "@satwire/peer"
import { regtest } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { PeerBench } from "./PeerBench.ts"

const options = (seed: number) => ({
  magic: regtest.magic,
  sha256: portableSha256,
  aead: portableAead,
  curve: portableCurve,
  random: ChaChaRandom.fromNumber(seed)
})
const v1 = (): V1Framing => new V1Framing(options(0))
const v2 = (): V2Framing => new V2Framing({ ...options(1), initiating: true })
const inbound = (deferExchange = false): InboundFraming => new InboundFraming({ ...options(2), deferExchange })

interface Ends {
  readonly dialler: PeerBench
  readonly listener: PeerBench
}

const ends = (dialler: Framing, listener: Framing): Ends => ({
  dialler: new PeerBench({ direction: "outbound", seed: 1, framing: dialler }),
  listener: new PeerBench({ direction: "inbound", seed: 2, framing: listener })
})

/** Carries bytes until both are silent, in chunks of these sizes over and over. */
const converse = ({ dialler, listener }: Ends, sizes: ReadonlyArray<number> = [1460]): void => {
  let turns = 0
  const carry = (from: PeerBench, to: PeerBench): boolean => {
    const bytes = concat(from.writes())
    for (let at = 0; at < bytes.length;) {
      const size = sizes[turns++ % sizes.length] as number
      to.receive(bytes.subarray(at, at + size))
      to.settle()
      at += size
    }
    return bytes.length > 0
  }
  for (;;) if (![carry(dialler, listener), carry(listener, dialler)].includes(true)) return
}

/** What came out, without what may differ: the transport and its session. */
const alike = (outputs: ReadonlyArray<PeerOutput>): ReadonlyArray<unknown> =>
  outputs.map((output) =>
    output._tag === "Ready" ? { ...output, info: { ...output.info, transport: "", sessionId: undefined } } : output
  )

/** Shakes hands and talks, and gives what came out on both sides. */
const conversation = (both: Ends, sizes?: ReadonlyArray<number>): ReadonlyArray<unknown> => {
  converse(both, sizes)
  both.dialler.send({ _tag: "getaddr" })
  both.listener.send({ _tag: "sendheaders" })
  both.dialler.input({ _tag: "Ping" })
  converse(both, sizes)
  return [alike(both.dialler.outputs()), alike(both.listener.outputs())]
}

describe("two machines", () => {
  it("come to the same over v1, over v2, and where the listener finds out which", () => {
    const plain = conversation(ends(v1(), v1()))
    expect(plain.flat()).toContainEqual(expect.objectContaining({ _tag: "Ready" }))
    for (const sizes of [[1460], [1], [7, 900]]) {
      expect(conversation(ends(v1(), inbound()), sizes)).toEqual(plain)
      expect(conversation(ends(v2(), inbound()), sizes)).toEqual(plain)
    }
  })

  it("tell on which transport they are, and the session that both have", () => {
    const both = ends(v2(), inbound())
    const states = (): ReadonlyArray<string> =>
      [both.dialler, both.listener].map(({ peer }) => peer.snapshot().transport)
    expect(states()).toEqual(["detecting", "detecting"])
    converse(both)
    expect(states()).toEqual(["v2", "v2"])
    const [ours, theirs] = [both.dialler, both.listener].map(({ peer }) => peer.snapshot().info)
    expect(ours?.transport).toBe("v2")
    expect(ours?.sessionId).toHaveLength(32)
    expect(theirs?.sessionId).toEqual(ours?.sessionId)
  })

  it("shake hands also where the costly steps are done between turns", () => {
    const framing = inbound(true)
    const both = ends(v2(), framing)
    let exchanges = 0
    for (let rounds = 0; rounds < 10; rounds++) {
      converse(both)
      if (!framing.needsExchange) continue
      framing.exchange()
      exchanges += 1
      // Nothing came, but what had come can be read on.
      both.listener.receive(new Uint8Array(0))
    }
    expect(exchanges).toBe(1)
    expect(both.listener.peer.snapshot().state).toBe("ready")
    expect(both.dialler.peer.snapshot().state).toBe("ready")
  })
})

describe("a peer that is dialled in v2", () => {
  it("and says nothing for ten seconds is taken for one that knows v1 alone", () => {
    const framing = v2()
    const bench = new PeerBench({ kind: "manual", framing })
    bench.elapse(V2_ANSWER_TIMEOUT_MS - 1)
    expect(bench.outputs()).toEqual([])
    bench.elapse(1)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "NoAnswerInV2" } }])
    expect(shouldRetryAsV1(framing.attempt)).toBe(true)
  })

  it("and says anything has its minute", () => {
    const bench = new PeerBench({ kind: "manual", framing: v2() })
    bench.receive(Uint8Array.of(7))
    bench.elapse(DEFAULT_PEER_CONNECT_TIMEOUT_MS - 1)
    expect(bench.outputs()).toEqual([])
    bench.elapse(1)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "HandshakeTimeout" } }])
  })
})

describe("a peer of ill will over v2", () => {
  it("that dribbles garbage is given 60 seconds for all of its handshake, not for each byte", () => {
    const listener = new PeerBench({ direction: "inbound", framing: inbound() })
    for (let second = 0; second < 59; second++) {
      listener.receive(Uint8Array.of(second, second))
      listener.elapse(1000)
    }
    expect(listener.outputs()).toEqual([])
    listener.elapse(DEFAULT_PEER_CONNECT_TIMEOUT_MS - 59_000)
    expect(listener.outputs()).toMatchObject([
      { _tag: "Disconnect", reason: { _tag: "HandshakeTimeout", heard: true } }
    ])
  })

  it("that floods with decoys has its share of a turn and no more, and each is counted", () => {
    const framing = v2()
    const both = ends(framing, inbound())
    converse(both)
    both.listener.outputs()
    const count = 2 * FRAMES_PER_TURN + 10
    for (let i = 0; i < count; i++) framing.sendDecoy(0)
    both.listener.receive(framing.takeOutput() ?? new Uint8Array(0))
    expect(both.listener.peer.shouldPause).toBe(true)
    expect(both.listener.settle()).toBe(2)
    expect(both.listener.peer.shouldPause).toBe(false)
    expect(both.listener.peer.snapshot().received.get("*decoy*")).toEqual({ messages: count, bytes: 20 * count })
    expect(both.listener.outputs()).toEqual([])
  })

  it("that changes a byte is disconnected, with a reason that says so", () => {
    const both = ends(v2(), inbound())
    converse(both)
    both.listener.outputs()
    both.dialler.send({ _tag: "getaddr" })
    const bytes = concat(both.dialler.writes())
    bytes[10] = (bytes[10] as number) ^ 1
    both.listener.receive(bytes)
    const [output] = both.listener.outputs()
    expect(output).toMatchObject({ _tag: "Disconnect", cost: "disconnect", reason: { _tag: "BadPacket" } })
    if (output?._tag === "Disconnect") expect(describePeerDisconnect(output.reason)).toContain("33 bytes")
  })
})

describe("a fault of the encrypted transport", () => {
  const faults: ReadonlyArray<FramingFault> = [
    { _tag: "PeerIsV1" },
    { _tag: "MissingTerminator" },
    { _tag: "OversizedPacket", sizeBytes: 4_000_014 },
    { _tag: "BadPacket", sizeBytes: 20 },
    { _tag: "HandshakeTooLong", sizeBytes: 30 },
    { _tag: "DecoyFlood", sizeBytes: 40 }
  ]

  it.each(faults)("$_tag is one sentence that names its BIP or constant", (fault) => {
    expect(describePeerDisconnect(fault)).toMatch(/^[^.\n]+(?:BIP-0324|MAX_[A-Z_]+ \(\d+\))[^.\n]*$/u)
  })
})
