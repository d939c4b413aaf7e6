import {
  ADDR_FETCH_TIMEOUT_MS,
  type ConnectionKind,
  KIND_RULES,
  PING_INTERVAL_MS,
  PRIVATE_BROADCAST_LIFETIME_MS,
  describePeerDisconnect,
  directionOf
} from "@satwire/peer"
import { ZERO_HASH } from "@satwire/primitives"
import {
  Inventory,
  MSG_TX,
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  NO_ADDRESS,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY
} from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { PeerBench, START_UNIX } from "./PeerBench.ts"
import { framed, versionOf } from "./frames.ts"

const kinds = Object.keys(KIND_RULES) as ReadonlyArray<ConnectionKind>
const outbound = kinds.filter((kind) => directionOf(kind) === "outbound")
const versionSent = (bench: PeerBench): Message & { readonly _tag: "version" } => {
  const [message] = bench.sent()
  if (message?._tag !== "version") throw new Error("no version was sent")
  return message
}
const reasons = (bench: PeerBench): ReadonlyArray<string> =>
  bench.outputs().map((output) => (output._tag === "Disconnect" ? output.reason._tag : output._tag))

describe("a connection of each kind", () => {
  it.each(kinds)("%s is told in what the handshake brings to light", (kind) => {
    const bench = new PeerBench({ kind })
    bench.receive(framed(versionOf(), VERACK))
    const [introduced] = bench.introductions()
    expect(introduced?.info).toMatchObject({ kind, direction: directionOf(kind) })
    expect(bench.peer.snapshot().kind).toBe(kind)
  })

  it.each(kinds)("%s asks for transactions only where its kind wants them", (kind) => {
    const bench = new PeerBench({ kind, says: { relay: true } })
    if (kind === "inbound") bench.receive(framed(versionOf()))
    expect(versionSent(bench).relay).toBe(["inbound", "manual", "outbound-full-relay", "addr-fetch"].includes(kind))
  })

  it.each(outbound)("%s ends where the services that we want are missing, if it was our own idea to dial", (kind) => {
    const bench = new PeerBench({ kind, wants: (services) => (services & NODE_WITNESS) !== 0n })
    bench.receive(framed(versionOf({ services: NODE_NETWORK }), VERACK))
    const expected = {
      manual: ["Ready"],
      feeler: ["FeelerDone"]
    } as const
    expect(reasons(bench)).toEqual(expected[kind as "manual" | "feeler"] ?? ["LacksServices"])
  })

  it("says where they see us, and names where we see them", () => {
    const receiver = { ...NO_ADDRESS, port: 8333 }
    const bench = new PeerBench({ kind: "manual", receiver })
    expect(versionSent(bench).receiver.port).toBe(8333)
    bench.receive(framed(versionOf({ receiver: { ...NO_ADDRESS, port: 18333 } })))
    expect(bench.introductions()).toMatchObject([{ seenAs: { port: 18333 } }])
  })
})

describe("a feeler", () => {
  it("has learnt all it wanted when their version comes, and leaves", () => {
    const bench = new PeerBench({ kind: "feeler" })
    bench.receive(framed(versionOf(), VERACK))
    expect(bench.introductions()).toHaveLength(1)
    const outputs = bench.outputs()
    expect(outputs).toEqual([{ _tag: "Disconnect", reason: { _tag: "FeelerDone" }, cost: "disconnect" }])
  })

  it("introduces nobody who is too old", () => {
    const bench = new PeerBench({ kind: "feeler" })
    bench.receive(framed(versionOf({ protocolVersion: 1 })))
    expect(bench.introductions()).toEqual([])
    expect(reasons(bench)).toEqual(["ObsoleteVersion"])
  })
})

describe("a connection for addresses", () => {
  it("is over after five minutes, whatever came", () => {
    const bench = PeerBench.ready({ kind: "addr-fetch" })
    bench.elapseAnswering(ADDR_FETCH_TIMEOUT_MS - 1)
    expect(reasons(bench).filter((tag) => tag !== "Pong")).toEqual([])
    bench.elapse(1)
    const [output] = bench.outputs()
    if (output?._tag !== "Disconnect") throw new Error("it goes on")
    expect(describePeerDisconnect(output.reason)).toBe("a connection of kind addr-fetch is open for 5 min at most")
  })
})

describe("a private connection", () => {
  it("says nothing of us: no services, time, height or address, and a name that all have", () => {
    const bench = new PeerBench({ kind: "private-broadcast", receiver: { ...NO_ADDRESS, port: 8333 } })
    expect(versionSent(bench)).toMatchObject({
      services: 0n,
      time: 0n,
      receiver: NO_ADDRESS,
      userAgent: "/pynode:0.0.1/",
      startHeight: 0,
      relay: false
    })
  })

  it("shakes hands without a word more than it needs, and never pings of itself", () => {
    const bench = new PeerBench({ kind: "private-broadcast", says: { reconciles: true } })
    bench.sent()
    bench.receive(framed(versionOf(), WTXIDRELAY, VERACK))
    expect(bench.sentCommands()).toEqual(["verack"])
    bench.elapse(PING_INTERVAL_MS)
    expect(bench.sentCommands()).toEqual([])
    bench.input({ _tag: "Ping" })
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("leaves a peer that wants no transactions", () => {
    const bench = new PeerBench({ kind: "private-broadcast" })
    bench.receive(framed(versionOf({ relay: false }), VERACK))
    expect(reasons(bench)).toEqual(["RefusesTransactions"])
  })

  it("hears pong and getdata and nothing else, not even what is malformed", () => {
    const bench = PeerBench.ready({ kind: "private-broadcast" })
    const getdata = { _tag: "getdata", inventory: Inventory.ofType(MSG_TX, [ZERO_HASH]) } as const
    bench.receive(framed({ _tag: "ping", nonce: 1n }, SENDHEADERS, WTXIDRELAY, getdata))
    expect(bench.sentCommands()).toEqual([])
    expect(bench.outputs()).toEqual([{ _tag: "Received", message: getdata }])
  })

  it("says inv, tx and ping and nothing else", () => {
    const bench = PeerBench.ready({ kind: "private-broadcast" })
    bench.send({ _tag: "inv", inventory: Inventory.ofType(MSG_TX, [ZERO_HASH]) })
    bench.send({ _tag: "getaddr" })
    expect(bench.sentCommands()).toEqual(["inv"])
    expect(bench.outputs()).toMatchObject([{ _tag: "Unsent", command: "getaddr" }])
  })

  it("gives no nonce away by which a connection to ourselves would tell that it is ours", () => {
    const bench = new PeerBench({ kind: "private-broadcast" })
    expect(bench.peer.openNonce).toBe(0n)
    expect(new PeerBench({ kind: "manual" }).peer.openNonce).not.toBe(0n)
  })

  it("is over after three minutes", () => {
    const bench = PeerBench.ready({ kind: "private-broadcast" })
    bench.elapse(PRIVATE_BROADCAST_LIFETIME_MS - 1)
    expect(reasons(bench)).toEqual([])
    bench.elapse(1)
    expect(reasons(bench)).toEqual(["LivedTooLong"])
  })
})

it("a clock that is off is told for every kind", () => {
  for (const kind of kinds) {
    const bench = new PeerBench({ kind })
    bench.receive(framed(versionOf({ time: BigInt(START_UNIX - 700) })))
    expect(bench.introductions()[0]?.info.timeOffsetSeconds).toBe(-700)
  }
})
