import { DecodeError } from "@satwire/bytes"
import { AssertionError, Instant, type Now, UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  MAX_ASKED,
  MAX_SERVED,
  REQUESTS_PER_SECOND,
  REQUEST_BURST,
  type RequestFrame,
  Requests,
  type RequestsInput,
  type RequestsOutput,
  decodeFrame,
  encodeFrame
} from "../src/index.ts"

const at = (ms: number): Now => ({ instant: Instant(ms), unix: UnixSeconds(1_767_225_600 + ms / 1000) })
const NONE = new Uint8Array(0)

/** One end, with a clock, and what came out of it. */
class End {
  readonly requests = new Requests<string>()
  out: Array<RequestsOutput<string>> = []
  now = 0

  constructor(...peers: ReadonlyArray<string>) {
    for (const peer of peers) this.say({ _tag: "PeerUp", peer })
  }

  say(input: RequestsInput<string>): ReadonlyArray<RequestsOutput<string>> {
    this.out = []
    this.requests.handle(input, at(this.now), this.out)
    return this.out
  }

  ask(call: number, more: { peer?: string; timeoutMs?: number; credit?: number; maxBytes?: number } = {}) {
    const { credit = 1, maxBytes = 1000, peer = "bob", timeoutMs = 5000 } = more
    return this.say({ _tag: "Ask", call, peer, method: "block", body: NONE, timeoutMs, credit, maxBytes })
  }

  receive(frame: RequestFrame, peer = "bob") {
    return this.say({ _tag: "Received", peer, frame })
  }

  request(id: number, more: { timeoutMs?: number; credit?: number } = {}, peer = "bob") {
    const { credit = 1, timeoutMs = 5000 } = more
    return this.receive({ _tag: "request", id, timeoutMs, credit, method: "block", body: NONE }, peer)
  }

  elapse(ms: number): ReadonlyArray<RequestsOutput<string>> {
    this.now += ms
    const due = this.requests.nextTimeout()
    return due !== undefined && due <= this.now ? this.say({ _tag: "Timeout" }) : []
  }
}

const EMPTY = { asked: 0, served: 0, deadlines: 0 }
const answer = (id: number, body = NONE): RequestFrame => ({ _tag: "answer", id, body })
const part = (id: number, body = NONE): RequestFrame => ({ _tag: "part", id, body })
const tags = (out: ReadonlyArray<RequestsOutput<string>>): ReadonlyArray<string> =>
  out.map((each) => (each._tag === "Send" ? each.frame._tag : each._tag))

describe("who asks", () => {
  it("hears the answer to each request, in whatever order they come", () => {
    const end = new End("bob")
    expect(end.ask(10)).toMatchObject([{ _tag: "Send", peer: "bob", frame: { _tag: "request", id: 1, credit: 1 } }])
    end.ask(11)
    expect(end.receive(answer(2))).toMatchObject([{ _tag: "Parted", call: 11, last: true }])
    expect(end.receive(answer(1))).toMatchObject([{ _tag: "Parted", call: 10, last: true }])
    expect(end.requests.counts).toEqual({ ...EMPTY, peers: 1 })
  })

  it("gives up at the deadline, tells the other end, and drops what comes late without a word", () => {
    const end = new End("bob")
    end.ask(1)
    expect(end.elapse(4999)).toEqual([])
    expect(end.elapse(1)).toMatchObject([
      { _tag: "Send", frame: { _tag: "cancel", id: 1 } },
      { _tag: "Failed", call: 1, failure: { _tag: "TimedOut" } }
    ])
    expect(end.receive(answer(1))).toEqual([])
    expect(end.requests.counts).toEqual({ ...EMPTY, peers: 1 })
  })

  it("is told that it cancelled, and so is the other end", () => {
    const end = new End("bob")
    end.ask(1)
    expect(end.say({ _tag: "Cancel", call: 1 })).toMatchObject([
      { _tag: "Send", frame: { _tag: "cancel", id: 1 } },
      { _tag: "Failed", failure: { _tag: "Cancelled" } }
    ])
    expect(end.say({ _tag: "Cancel", call: 1 })).toEqual([])
  })

  it("learns why there is no answer", () => {
    const end = new End("bob")
    end.ask(1)
    end.ask(2)
    const refusal = (id: number, code: "busy" | "unknown method"): RequestFrame => ({
      _tag: "refusal",
      id,
      code,
      message: "no"
    })
    expect(end.receive(refusal(1, "busy"))).toMatchObject([
      { call: 1, failure: { _tag: "Refused", code: "busy", message: "no" } }
    ])
    expect(end.receive(refusal(2, "unknown method"))).toMatchObject([{ call: 2, failure: { _tag: "UnknownMethod" } }])
    expect(end.ask(3, { peer: "nobody" })).toEqual([{ _tag: "Failed", call: 3, failure: { _tag: "Disconnected" } }])
  })

  it("loses everything that it asked of a peer that goes, and nothing of another", () => {
    const end = new End("bob", "carol")
    end.ask(1)
    end.ask(2, { peer: "carol" })
    end.ask(3)
    expect(end.say({ _tag: "PeerDown", peer: "bob" })).toEqual([
      { _tag: "Failed", call: 1, failure: { _tag: "Disconnected" } },
      { _tag: "Failed", call: 3, failure: { _tag: "Disconnected" } }
    ])
    expect(end.receive(answer(1), "carol")).toMatchObject([{ call: 2 }])
    end.say({ _tag: "PeerDown", peer: "carol" })
    expect(end.requests.counts).toEqual({ ...EMPTY, peers: 0 })
  })

  it("may ask so much of one peer at once, and then is told so without a byte sent", () => {
    const end = new End("bob", "carol")
    for (let call = 0; call < MAX_ASKED; call++) expect(tags(end.ask(call))).toEqual(["request"])
    expect(end.ask(1000)).toEqual([{ _tag: "Failed", call: 1000, failure: { _tag: "TooManyRequests" } }])
    expect(tags(end.ask(1001, { peer: "carol" }))).toEqual(["request"])
  })

  it("hears of answers that nobody asked for, and keeps nothing of them", () => {
    const end = new End("bob")
    expect(end.receive(answer(1))).toEqual([{ _tag: "Faulted", peer: "bob", fault: "unasked answer" }])
    end.ask(1)
    expect(end.receive(answer(0))).toEqual([{ _tag: "Faulted", peer: "bob", fault: "unasked answer" }])
    expect(end.receive(answer(1), "stranger")).toEqual([])
    expect(end.receive(answer(1))).toMatchObject([{ _tag: "Parted", call: 1 }])
  })

  it("holds back who answers in parts, by credit that it gives as it reads", () => {
    const end = new End("bob")
    end.ask(1, { credit: 2 })
    expect(end.receive(part(1))).toMatchObject([{ last: false }])
    expect(end.say({ _tag: "More", call: 1, parts: 1 })).toMatchObject([{ frame: { _tag: "credit", id: 1, more: 1 } }])
    expect(end.receive(part(1))).toMatchObject([{ last: false }])
    expect(end.receive(answer(1))).toMatchObject([{ last: true }])
    expect(end.say({ _tag: "More", call: 1, parts: 1 })).toEqual([])
  })

  it("stops a peer that answers without end: beyond its credit, beyond the bytes, and at the deadline", () => {
    const end = new End("bob")
    end.ask(1, { credit: 1 })
    end.receive(part(1))
    expect(end.receive(part(1))).toMatchObject([
      { _tag: "Faulted", fault: "part beyond credit" },
      { _tag: "Send", frame: { _tag: "cancel" } },
      { _tag: "Failed", failure: { _tag: "MalformedAnswer", what: "more parts than were asked for" } }
    ])
    end.ask(2, { credit: 5, maxBytes: 10 })
    end.receive(part(2, new Uint8Array(10)))
    expect(end.receive(part(2, new Uint8Array(1)))).toMatchObject([
      { _tag: "Send", frame: { _tag: "cancel" } },
      { _tag: "Failed", failure: { _tag: "MalformedAnswer", what: "more bytes than are allowed" } }
    ])
    end.ask(3, { credit: 100 })
    for (let i = 0; i < 50; i++) {
      end.elapse(99)
      end.receive(part(3))
    }
    expect(end.elapse(50)).toMatchObject([{ frame: { _tag: "cancel" } }, { failure: { _tag: "TimedOut" } }])
  })
})

describe("who is asked", () => {
  it("answers each request once", () => {
    const end = new End("bob")
    expect(end.request(1)).toEqual([{ _tag: "Serve", serving: 0, peer: "bob", method: "block", body: NONE, credit: 1 }])
    expect(end.say({ _tag: "Answer", serving: 0, body: NONE })).toEqual([
      { _tag: "Send", peer: "bob", frame: answer(1) }
    ])
    expect(end.say({ _tag: "Answer", serving: 0, body: NONE })).toEqual([])
    expect(end.say({ _tag: "Refuse", serving: 0, code: "failed", message: "" })).toEqual([])
    expect(end.requests.counts).toEqual({ ...EMPTY, peers: 1 })
  })

  it("stops when nobody waits any more: cancelled, too late, gone", () => {
    const end = new End("bob")
    end.request(1)
    expect(end.receive({ _tag: "cancel", id: 1 })).toEqual([{ _tag: "StopServing", serving: 0, reason: "cancelled" }])
    end.request(2, { timeoutMs: 100 })
    expect(end.elapse(100)).toMatchObject([
      { _tag: "StopServing", serving: 1, reason: "deadline" },
      { _tag: "Send", frame: { _tag: "refusal", id: 2, code: "deadline" } }
    ])
    end.request(3)
    expect(end.say({ _tag: "PeerDown", peer: "bob" })).toEqual([
      { _tag: "StopServing", serving: 2, reason: "disconnected" }
    ])
    expect(end.requests.counts).toEqual({ ...EMPTY, peers: 0 })
  })

  it("answers no request that was made before, or before another", () => {
    const end = new End("bob")
    end.request(5)
    end.say({ _tag: "Answer", serving: 0, body: NONE })
    expect(end.request(5)).toEqual([{ _tag: "Faulted", peer: "bob", fault: "replayed request" }])
    expect(end.request(4)).toEqual([{ _tag: "Faulted", peer: "bob", fault: "replayed request" }])
  })

  it("answers so many at once of a thousand, tells the others that it is busy, and drops what is beyond the rate", () => {
    const end = new End("bob", "carol")
    const seen: Record<string, number> = {}
    for (let id = 1; id <= REQUEST_BURST + 10; id++) {
      for (const tag of tags(end.request(id))) seen[tag] = (seen[tag] ?? 0) + 1
    }
    expect(seen).toEqual({ Serve: MAX_SERVED, refusal: REQUEST_BURST - MAX_SERVED, Faulted: 10 })
    expect(end.requests.counts.served).toBe(MAX_SERVED)
    expect(tags(end.request(1, {}, "carol"))).toEqual(["Serve"])
    end.now += 1000
    let taken = 0
    for (let id = 5000; id < 6000; id++) taken += tags(end.request(id)).includes("Faulted") ? 0 : 1
    expect(taken).toBe(REQUESTS_PER_SECOND)
  })

  it("answers so many of all peers together", () => {
    const end = new End()
    let served = 0
    for (let peer = 0; peer < 20; peer++) {
      end.say({ _tag: "PeerUp", peer: `p${peer}` })
      for (let id = 1; id <= MAX_SERVED; id++) served += tags(end.request(id, {}, `p${peer}`)).includes("Serve") ? 1 : 0
    }
    expect(served).toBe(1024)
  })

  it("gives parts as there is room for them", () => {
    const end = new End("bob")
    end.request(1, { credit: 1 })
    expect(end.say({ _tag: "Part", serving: 0, body: NONE })).toMatchObject([{ frame: { _tag: "part", id: 1 } }])
    expect(() => end.say({ _tag: "Part", serving: 0, body: NONE })).toThrow(AssertionError)
    expect(end.receive({ _tag: "credit", id: 1, more: 2 })).toEqual([{ _tag: "Credited", serving: 0, parts: 2 }])
    end.say({ _tag: "Part", serving: 0, body: NONE })
    expect(end.receive({ _tag: "credit", id: 1, more: 0xffff })).toEqual([
      { _tag: "Credited", serving: 0, parts: 0xfffe }
    ])
    expect(end.receive({ _tag: "credit", id: 9, more: 2 })).toEqual([])
  })
})

const bodyArb = fc.uint8Array({ maxLength: 20 })
const u32Arb = fc.nat(0xffffffff)
const asciiArb = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength })
    .map((codes) => String.fromCharCode(...codes))
const frameArb: fc.Arbitrary<RequestFrame> = fc.oneof(
  fc.record({
    _tag: fc.constant("request" as const),
    id: u32Arb,
    timeoutMs: u32Arb,
    credit: fc.integer({ min: 1, max: 0xffff }),
    method: asciiArb(64),
    body: bodyArb
  }),
  fc.record({ _tag: fc.constantFrom("part" as const, "answer" as const), id: u32Arb, body: bodyArb }),
  fc.record({
    _tag: fc.constant("refusal" as const),
    id: u32Arb,
    code: fc.constantFrom("refused", "unknown method", "busy", "malformed request", "deadline", "failed"),
    message: asciiArb(256)
  }),
  fc.record({ _tag: fc.constant("cancel" as const), id: u32Arb }),
  fc.record({ _tag: fc.constant("credit" as const), id: u32Arb, more: fc.nat(0xffff) })
)

describe("a frame", () => {
  it("comes back from its bytes", () => {
    fc.assert(
      fc.property(frameArb, (frame) => {
        expect(Result.getOrThrow(decodeFrame(encodeFrame(frame))).value).toEqual(frame)
      })
    )
  })

  it("shows nothing of a peer's words but printable ASCII", () => {
    const frame = { _tag: "refusal", id: 1, code: "failed", message: "\u001b[2Jä\n" } as const
    const message = "?[2J??"
    expect(Result.getOrThrow(decodeFrame(encodeFrame(frame))).value).toEqual({ ...frame, message })
  })

  it("never throws on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const read = decodeFrame(bytes)
        if (Result.isFailure(read)) expect(read.failure).toBeInstanceOf(DecodeError)
      })
    )
  })
})

describe("two ends", () => {
  /** What one end may do, or the network. */
  const stepArb = fc.oneof(
    fc.record({
      do: fc.constantFrom("ask", "cancel", "more", "answer", "part", "refuse", "wait", "deliver", "junk"),
      n: fc.nat(3)
    }),
    fc.record({ do: fc.constant("junk" as const), n: fc.nat(3), frame: frameArb })
  )

  it("end each call once, and hold nothing when they part, whatever happens between", () => {
    fc.assert(
      fc.property(fc.array(stepArb, { maxLength: 120 }), (steps) => {
        const alice = new End("bob")
        const bob = new End("bob")
        const wires: [Array<RequestFrame>, Array<RequestFrame>] = [[], []]
        const ended = new Map<number, number>()
        const credit = new Map<number, number>()
        const note = (end: 0 | 1, out: ReadonlyArray<RequestsOutput<string>>) => {
          for (const each of out) {
            if (each._tag === "Send") wires[end].push(each.frame)
            if (each._tag === "Failed" || (each._tag === "Parted" && each.last)) {
              if (end === 0) ended.set(each.call, (ended.get(each.call) ?? 0) + 1)
            }
            if (end === 0) continue
            if (each._tag === "Serve") credit.set(each.serving, each.credit)
            if (each._tag === "Credited") credit.set(each.serving, (credit.get(each.serving) ?? 0) + each.parts)
          }
        }
        let calls = 0
        for (const step of steps) {
          const { n } = step
          if (step.do === "ask") note(0, alice.ask(calls++, { credit: n + 1, timeoutMs: 50 * n, maxBytes: 30 }))
          if (step.do === "cancel") note(0, alice.say({ _tag: "Cancel", call: n }))
          if (step.do === "more") note(0, alice.say({ _tag: "More", call: n, parts: 1 }))
          if (step.do === "answer") note(1, bob.say({ _tag: "Answer", serving: n, body: new Uint8Array(n) }))
          if (step.do === "part" && (credit.get(n) ?? 0) > 0) {
            credit.set(n, (credit.get(n) ?? 0) - 1)
            note(1, bob.say({ _tag: "Part", serving: n, body: new Uint8Array(9) }))
          }
          if (step.do === "refuse") note(1, bob.say({ _tag: "Refuse", serving: n, code: "refused", message: "" }))
          if (step.do === "wait") {
            note(0, alice.elapse(30))
            note(1, bob.elapse(30))
          }
          if (step.do === "deliver") {
            const to = n % 2 === 0 ? bob : alice
            const frame = wires[n % 2 === 0 ? 0 : 1].shift()
            if (frame !== undefined) note(n % 2 === 0 ? 1 : 0, to.receive(frame))
          }
          if ("frame" in step) note(n % 2 === 0 ? 1 : 0, (n % 2 === 0 ? bob : alice).receive(step.frame))
        }
        note(0, alice.say({ _tag: "PeerDown", peer: "bob" }))
        bob.say({ _tag: "PeerDown", peer: "bob" })
        for (let call = 0; call < calls; call++) expect(ended.get(call)).toBe(1)
        expect(alice.requests.counts).toEqual({ ...EMPTY, peers: 0 })
        expect(bob.requests.counts).toEqual({ ...EMPTY, peers: 0 })
      }),
      { numRuns: 300 }
    )
  })
})
