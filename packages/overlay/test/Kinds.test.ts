import { encodeBody } from "@satwire/envelope/body"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
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
  ValidatorSet,
  Vote,
  kind
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

  it("quotes a peer briefly, on one line, in harmless letters", () => {
    const wrong = Chat.decode(body({ text: ["\u001b[2J", "\n", "x".repeat(20)] }))
    const message = Result.isFailure(wrong) ? wrong.failure.message : ""
    expect(message).toMatch(/^chat: [\u0020-\u007e]{1,220}$/)
  })
})
