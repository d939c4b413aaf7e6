import { decodeBody, encodeBody } from "@satwire/envelope/body"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  Block,
  BlockRequest,
  Handshake,
  type Kind,
  KindError,
  NatInfo,
  NetworkStatus,
  PeersTold,
  Ping,
  Proposal,
  Relay,
  Transaction,
  TransactionRequest,
  RESERVED_NAMES,
  ValidatorSet,
  Vote,
  kind,
  method
} from "../src/index.ts"

const hash = new Uint8Array(32).fill(7)
const key = new Uint8Array(33).fill(2)
const signature = new Uint8Array(64).fill(9)

/** One message of each ready kind. */
const EACH: ReadonlyArray<readonly [Kind<unknown>, unknown]> = [
  [Handshake, { network: "test", version: 1, nodeId: key, agent: "a/1", roles: ["validator"], height: 0, nonce: hash }],
  [PeersTold, { peers: [{ peerId: "bob", addresses: ["/ip4/192.0.2.1/tcp/1"] }] }],
  [Ping, { nonce: 2 ** 53 - 1 }],
  [Block, { hash, height: 5, bytes: new Uint8Array(1000) }],
  [Transaction, { id: hash, bytes: new Uint8Array(0) }],
  [BlockRequest, { hash }],
  [BlockRequest, { height: 3 }],
  [TransactionRequest, { id: hash }],
  [Vote, { height: 1, round: 0, step: "precommit", block: null, validator: key, signature }],
  [Proposal, { height: 1, round: 2, validRound: 1, hash, bytes: hash, proposer: key, signature }],
  [ValidatorSet, { height: 1, validators: [{ key, power: 10 }] }],
  [NatInfo, { observed: "192.0.2.1:5", reachability: "unknown", listening: [] }],
  [Relay, { to: "carol", type: "chat", body: hash }],
  [NetworkStatus, { peers: 1, height: 2, uptimeSeconds: 3, syncing: false, agent: "a/1" }]
] as unknown as ReadonlyArray<readonly [Kind<unknown>, unknown]>

const reasonOf = (result: Result.Result<unknown, KindError>): string =>
  Result.isFailure(result) ? result.failure.reason : "none"
const body = (value: unknown): Uint8Array => Result.getOrThrow(encodeBody(value))

describe("a ready kind", () => {
  it.each(EACH.map(([each, message]) => [each.name, each, message] as const))(
    "%s comes back from its bytes",
    (_, each, message) => {
      const bytes = Result.getOrThrow(each.encode(message))
      expect(Result.getOrThrow(each.decode(bytes))).toEqual(message)
      // Bytes as bytes, and nothing else but what it says.
      expect(Result.getOrThrow(decodeBody(bytes))).toEqual(message)
    }
  )

  it.each(EACH.map(([each]) => [each.name, each] as const))("%s takes any bytes, and fails by type", (_, each) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const read = each.decode(bytes)
        if (Result.isFailure(read)) expect(read.failure).toBeInstanceOf(KindError)
      }),
      { numRuns: 50 }
    )
    expect(reasonOf(each.decode(new Uint8Array(each.maxBytes + 1)))).toBe("oversize")
  })

  it("passes over the fields of a later version", () => {
    expect(Result.getOrThrow(Ping.decode(body({ nonce: 1, colour: "red" })))).toEqual({ nonce: 1 })
  })

  it("bounds each field", () => {
    expect(reasonOf(Transaction.decode(body({ id: new Uint8Array(31), bytes: hash })))).toBe("malformed")
    expect(reasonOf(Ping.decode(body({ nonce: -1 })))).toBe("malformed")
    expect(reasonOf(Ping.decode(body({ nonce: 0.5 })))).toBe("malformed")
    const peers = Array.from({ length: 101 }, () => ({ peerId: "a", addresses: [] }))
    expect(reasonOf(PeersTold.decode(body({ peers })))).toBe("malformed")
    expect(
      reasonOf(Vote.decode(body({ height: 1, round: 0, step: "shout", block: null, validator: key, signature })))
    ).toBe("malformed")
  })
})

describe("a kind of one's own", () => {
  const Chat = kind("chat", Schema.Struct({ text: Schema.String }), { maxBytes: 40 })

  it("sends nothing that the other end would refuse", () => {
    expect(reasonOf(Chat.encode({ text: "x".repeat(40) }))).toBe("oversize")
    expect(reasonOf(Chat.encode({ text: 5 } as never))).toBe("malformed")
  })

  it("is an error where its Schema throws", () => {
    const fails = (): string => {
      throw new Error("no")
    }
    const transformation = SchemaTransformation.transform({ decode: fails, encode: (text: string) => text })
    const Thrower = kind("thrower", Schema.String.pipe(Schema.decodeTo(Schema.String, transformation)))
    expect(reasonOf(Thrower.decode(body("text")))).toBe("malformed")
    expect(reasonOf(Thrower.encode("text"))).toBe("malformed")
  })

  it("quotes a peer briefly, on one line, in harmless letters", () => {
    const wrong = Chat.decode(body({ text: ["\u001b[2J", "\n", "x".repeat(20)] }))
    const message = Result.isFailure(wrong) ? wrong.failure.message : ""
    expect(message).toMatch(/^chat: [\u0020-\u007e]{1,220}$/)
  })
})

describe("what MessagePack has no word for", () => {
  interface Tree {
    readonly name: string | undefined
    readonly under: ReadonlyMap<string, Tree>
  }
  const Tree: Schema.Codec<Tree, unknown> = Schema.Struct({
    name: Schema.UndefinedOr(Schema.String),
    under: Schema.ReadonlyMap(
      Schema.String,
      Schema.suspend(() => Tree)
    )
  })

  const each = [
    ["a field that is undefined", kind("k", Schema.Struct({ a: Schema.UndefinedOr(Schema.String) })), { a: undefined }],
    ["undefined in a list", kind("k", Schema.Array(Schema.UndefinedOr(Schema.Int))), [undefined, 1]],
    ["a map", kind("k", Schema.ReadonlyMap(Schema.Int, Schema.Uint8Array)), new Map([[1, hash]])],
    ["a set", kind("k", Schema.ReadonlySet(Schema.String)), new Set(["a"])],
    ["an option", kind("k", Schema.Struct({ a: Schema.Option(Schema.BigInt) })), { a: Option.some(5n) }],
    ["a date", kind("k", Schema.Date), new Date(5)],
    ["a URL", kind("k", Schema.URL), new URL("http://a.test/b")],
    ["a pattern", kind("k", Schema.RegExp), /a+/g],
    ["one in itself", kind("k", Tree), { name: "a", under: new Map([["b", { name: undefined, under: new Map() }]]) }]
  ] as unknown as ReadonlyArray<readonly [string, Kind<unknown>, unknown]>
  it.each(each)("%s comes back", (_, one, message) => {
    const bytes = Result.getOrThrow(one.encode(message))
    expect(Result.getOrThrow(one.decode(bytes))).toEqual(message)
  })

  it("changes nothing of the fields beside it", () => {
    const short = Schema.Uint8Array.check(Schema.makeFilter(({ length }) => length === 32))
    const fields = { n: Schema.Number, big: Schema.BigInt, bytes: short, on: Schema.optional(Schema.Int) }
    const message = { n: Infinity, big: 5n, bytes: hash, on: undefined }
    const plain = Result.getOrThrow(kind("k", Schema.Struct(fields)).encode(message))
    const Later = kind("k", Schema.Struct({ ...fields, tags: Schema.ReadonlySet(Schema.String) }))
    const later = Result.getOrThrow(Later.encode({ ...message, tags: new Set(["a"]) }))
    const value = { n: Infinity, big: 5n, bytes: hash }
    expect(Result.getOrThrow(decodeBody(plain))).toEqual(value)
    expect(Result.getOrThrow(decodeBody(later))).toEqual({ ...value, tags: ["a"] })
  })

  it("is told to the sender where it does not come back", () => {
    class Point {
      readonly x = 1
    }
    const lost = kind("point", Schema.Struct({ at: Schema.instanceOf(Point) })).encode({ at: new Point() })
    expect(reasonOf(lost)).toBe("malformed")
    expect(Result.isFailure(lost) ? lost.failure.message : "").toMatch(/^point: does not come back from its own bytes/)
  })
})

describe("names", () => {
  it("are what an envelope takes, and none of Satwire's own", () => {
    const bad = ["", "a b", "\u00e9", "x".repeat(65), ...RESERVED_NAMES]
    for (const name of bad) expect(() => kind(name, Schema.String)).toThrow(`"${name}" cannot be the name of a kind`)
    expect(kind("x".repeat(64), Schema.String).name.length).toBe(64)
    const Text = kind("text", Schema.String)
    expect(() => method("a b", Text, Text)).toThrow(RangeError)
  })
})

describe("an error of a kind", () => {
  it("is an Error with its tag, kind and reason", () => {
    const error = new KindError("chat", "oversize", "too much")
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ _tag: "KindError", kind: "chat", reason: "oversize", message: "chat: too much" })
  })
})
