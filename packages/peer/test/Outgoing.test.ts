import { ANNOUNCEMENT_BYTES_WAITING, type HistoricAllowance, REPLY_BYTES_PER_TURN } from "@satwire/peer"
import { Instant } from "@satwire/machine"
import { ZERO_HASH } from "@satwire/primitives"
import { GETADDR, Inventory, MAX_HEADERS_RESULTS, MSG_BLOCK, MSG_TX, type Message, headersMessage } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { PeerBench } from "./PeerBench.ts"
import { framed } from "./frames.ts"

const ping = (nonce: number): Message => ({ _tag: "ping", nonce: BigInt(nonce) })
const block: Message = { _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, [ZERO_HASH]) }
const transaction: Message = { _tag: "inv", inventory: Inventory.ofType(MSG_TX, [ZERO_HASH]) }
const address: Message = { _tag: "addr", addresses: [] }
/** Stands for a block: what is sent as historic is judged by its size alone. */
const old: Message = headersMessage(new Uint8Array(80))
const big: Message = headersMessage(new Uint8Array(80 * MAX_HEADERS_RESULTS))

describe("replies", () => {
  it("leave in the order of the messages, also while one of them comes from elsewhere", () => {
    const bench = PeerBench.ready({
      onOutput: (output, self) => {
        if (output._tag === "Received" && output.message._tag === "getaddr")
          self.input({ _tag: "ReplyOwed", owed: true })
      }
    })
    bench.receive(framed(ping(1), GETADDR, ping(2), GETADDR, ping(3)))
    expect(bench.sent()).toEqual([{ _tag: "pong", nonce: 1n }])
    expect(bench.peer.shouldPause).toBe(true)
    bench.elapse(3000)
    bench.send(address)
    bench.input({ _tag: "ReplyOwed", owed: false })
    expect(bench.sent()).toEqual([address, { _tag: "pong", nonce: 2n }])
    bench.send(big)
    bench.input({ _tag: "ReplyOwed", owed: false })
    expect(bench.sentCommands()).toEqual(["headers", "pong"])
    expect(bench.peer.shouldPause).toBe(false)
  })

  it("may be given within the turn that asks for them", () => {
    const bench = PeerBench.ready({
      onOutput: (output, self) => {
        if (output._tag !== "Received") return
        for (const owed of [true, false]) self.peer.handle({ _tag: "ReplyOwed", owed }, self.now, { push() {} })
      }
    })
    bench.receive(framed(GETADDR, ping(1), GETADDR, ping(2)))
    expect(bench.sentCommands()).toEqual(["pong", "pong"])
    expect(bench.peer.nextTimeout()).toBeGreaterThan(bench.ms)
  })

  it("are owed by us, so that a peer is not blamed for what we do not hear meanwhile", () => {
    const bench = PeerBench.ready()
    bench.input({ _tag: "ReplyOwed", owed: true })
    bench.elapse(60 * 60_000)
    expect(bench.outputs()).toEqual([])
    bench.input({ _tag: "ReplyOwed", owed: false })
    expect(bench.outputs()).toEqual([])
  })

  it("of several messages leave with nothing in between, over several turns", () => {
    const bench = PeerBench.ready()
    const part = (hasMore: boolean): void => bench.input({ _tag: "Send", message: old, hasMore })
    part(true)
    bench.input({ _tag: "Announce", message: transaction, about: "transaction" })
    bench.input({ _tag: "Ping" })
    bench.send(GETADDR)
    expect([bench.sentCommands(), bench.peer.takesMore]).toEqual([["headers"], false])
    part(true)
    expect(bench.sentCommands()).toEqual(["headers"])
    part(false)
    expect(bench.sentCommands()).toEqual(["headers", "ping", "inv", "getaddr"])
    bench.send(GETADDR)
    expect([bench.sentCommands(), bench.peer.takesMore]).toEqual([["getaddr"], true])
  })

  it("are a bug of ours where nobody owes them", () => {
    expect(() => PeerBench.ready().input({ _tag: "ReplyOwed", owed: false })).toThrow("nobody owed")
  })
})

describe("a historic block", () => {
  /** Lets one go each second. */
  const onePerSecond = (): HistoricAllowance => {
    let next = 1000
    return {
      take(_, _sizeBytes, now) {
        if (now.instant < next) return Instant(next)
        next = now.instant + 1000
        return undefined
      },
      forget: () => {}
    }
  }

  it("waits for its share, and replies wait behind it, in order, but no announcement does", () => {
    const bench = PeerBench.ready({ allowance: onePerSecond() })
    bench.input({ _tag: "Send", message: old, isHistoric: true })
    bench.receive(framed(ping(1)))
    bench.input({ _tag: "Send", message: old, isHistoric: true })
    bench.receive(framed(ping(2)))
    expect(bench.sentCommands()).toEqual([])
    expect(bench.peer.nextTimeout()).toBe(1000)
    bench.input({ _tag: "Announce", message: block, about: "block" })
    expect(bench.sentCommands()).toEqual(["inv"])
    bench.elapse(1000)
    expect(bench.sentCommands()).toEqual(["headers", "pong"])
    bench.elapse(1000)
    expect(bench.sentCommands()).toEqual(["headers", "pong"])
    expect(bench.peer.nextTimeout()).toBeGreaterThan(60_000)
  })

  it("that nothing holds back leaves at once", () => {
    const bench = PeerBench.ready()
    bench.input({ _tag: "Send", message: big, isHistoric: true })
    expect(bench.sentCommands()).toEqual(["headers"])
  })

  it("stops the peer from being heard when much waits behind it", () => {
    const bench = PeerBench.ready({
      allowance: { take: (_, _sizeBytes, now) => Instant(now.instant + 1000), forget: () => {} }
    })
    const count = Math.ceil(REPLY_BYTES_PER_TURN / (81 * MAX_HEADERS_RESULTS)) + 1
    for (let i = 0; i < count; i++) bench.input({ _tag: "Send", message: big, isHistoric: true })
    expect(bench.peer.shouldPause).toBe(true)
    bench.receive(framed(GETADDR))
    expect(bench.outputs()).toEqual([])
    expect(bench.settle()).toBe(0)
  })
})

describe("what nobody asked for", () => {
  it("leaves in the turn in which it comes up, the most urgent first", () => {
    const bench = PeerBench.ready()
    bench.peer.handle({ _tag: "Announce", message: address, about: "address" }, bench.now, { push() {} })
    bench.peer.handle({ _tag: "Announce", message: transaction, about: "transaction" }, bench.now, { push() {} })
    bench.input({ _tag: "Announce", message: block, about: "block" })
    expect(bench.sent()).toEqual([block, transaction, address])
  })

  it("waits while the peer takes nothing, and then leaves by its urgency, behind the replies that were given", () => {
    const bench = PeerBench.ready()
    bench.elapse(60_000)
    bench.input({ _tag: "SendBlocked", blocked: true })
    bench.input({ _tag: "Announce", message: address, about: "address" })
    bench.input({ _tag: "Announce", message: transaction, about: "transaction" })
    bench.input({ _tag: "Ping" })
    bench.input({ _tag: "Announce", message: block, about: "block" })
    expect(bench.sentCommands()).toEqual([])
    bench.input({ _tag: "SendBlocked", blocked: false })
    expect(bench.sent().map((message) => (message === block ? "block" : message._tag))).toEqual([
      "ping",
      "inv",
      "inv",
      "addr"
    ])
    expect(bench.outputs()).toEqual([])
  })

  it("is bounded: the least urgent and oldest makes room, and the one that is left stays however long it is", () => {
    const bench = PeerBench.ready()
    bench.input({ _tag: "SendBlocked", blocked: true })
    bench.input({ _tag: "Announce", message: address, about: "address" })
    const each = 37 + 24
    const fit = Math.floor((ANNOUNCEMENT_BYTES_WAITING - 25) / each)
    for (let i = 0; i < fit; i++) bench.input({ _tag: "Announce", message: transaction, about: "transaction" })
    expect(bench.outputs()).toEqual([])
    bench.input({ _tag: "Announce", message: block, about: "block" })
    expect(bench.outputs()).toMatchObject([{ _tag: "Unsent", command: "addr" }])
    for (let i = 0; i < 3 * fit; i++) bench.input({ _tag: "Announce", message: transaction, about: "transaction" })
    bench.input({ _tag: "Announce", message: big, about: "block" })
    bench.outputs()
    bench.input({ _tag: "SendBlocked", blocked: false })
    expect(bench.sentCommands()).toEqual(["headers"])
  })

  it("goes nowhere before the handshake is done", () => {
    const bench = new PeerBench()
    bench.input({ _tag: "Announce", message: block, about: "block" })
    expect(bench.sentCommands()).toEqual([])
  })
})
