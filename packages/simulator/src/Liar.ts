/**
 * A peer that shakes hands as everybody does and then lies about headers or misuses the connection, in one of several ways. It goes through
 * the same seam as an honest node, so a simulation cannot tell them apart but by what they say.
 */
import { V1Framing } from "@satwire/framing"
import { type Instant, type Now, type Outbox, type PeerId, type Random, earliest } from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { Peer, type PeerOutput } from "@satwire/peer"
import {
  type BlockHash,
  type ChainParams,
  HEADER_SIZE,
  ZERO_HASH,
  encodeHeader,
  genesisHeader,
  headerHash
} from "@satwire/primitives"
import { MAX_HEADERS_RESULTS, type Message, NODE_NETWORK, PROTOCOL_VERSION, headersMessage } from "@satwire/wire"
import { type MinedHeaders, mineChain } from "./MinedHeaders.ts"
import { sha256 } from "./Sha256.ts"
import type { Actor } from "./Simulation.ts"

export type Lie =
  /** Headers whose hash meets no target. */
  | "no proof of work"
  /** Headers that claim another target than the one due. */
  | "wrong bits"
  /** Headers that are not each other's children. */
  | "not continuous"
  /** Headers of a time that is long past. */
  | "too old"
  /** Headers whose parents nobody knows, for ever. */
  | "unconnected"
  /** A branch of its own from genesis on: every header is valid, and there is less work in it than in the best chain. */
  | "little work"
  /** A great height, and no headers at all. */
  | "boast"
  /** Nothing, whatever is asked. */
  | "silence"
  /** Bytes that are no protocol. */
  | "garbage"
  /** Far more pings and questions than anybody needs. */
  | "flood"
  /** More questions than can be answered at once, and it never reads the answers. */
  | "deaf"

export const LIES: ReadonlyArray<Lie> = [
  "no proof of work",
  "wrong bits",
  "not continuous",
  "too old",
  "unconnected",
  "little work",
  "boast",
  "silence",
  "garbage",
  "flood",
  "deaf"
]

/**
 * The lies that no honest peer tells and that everybody sees: whoever hears one ends the connection and dials no more. Wrong bits and old times
 * are judged only on a chain whose work counts; one of too little is passed over.
 */
export const PUNISHED: ReadonlySet<Lie> = new Set<Lie>(["no proof of work", "not continuous"])

/** More than two turns' share of frames. */
const FLOOD_PINGS = 600
/** The answers to these fill the send buffer of a peer that has a long chain. */
const FLOOD_QUESTIONS = 40
/** The answers to these fill it once there are a hundred headers. */
const DEAF_QUESTIONS = 300
const ASK_FOR_ALL: Message = {
  _tag: "getheaders",
  protocolVersion: PROTOCOL_VERSION,
  locator: [ZERO_HASH],
  stopHash: ZERO_HASH
}
/** On every network here a header of the easiest target takes two hashes, and stays the easiest at this pace. */
const EASY_PACE_SECONDS = 64

export class Liar implements Actor {
  readonly lie: Lie
  readonly #params: ChainParams
  readonly #random: Random
  readonly #mined: MinedHeaders
  readonly #peers: Map<PeerId, Peer> = new Map()

  /** @param mined the book into which it writes what it does the work for */
  constructor(lie: Lie, params: ChainParams, random: Random, mined: MinedHeaders) {
    this.lie = lie
    this.#params = params
    this.#random = random
    this.#mined = mined
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const peer of this.#peers.values()) next = earliest(next, peer.nextTimeout())
    return next
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    switch (input._tag) {
      case "ConnectionOpened": {
        const peer = new Peer({
          kind: input.kind,
          identity: {
            describe: () => ({
              protocolVersion: PROTOCOL_VERSION,
              services: NODE_NETWORK,
              userAgent: "/liar:1.0/",
              startHeight: 1_000_000,
              relay: false
            }),
            isOwnNonce: () => false
          },
          framing: new V1Framing({ magic: this.#params.magic, sha256 }),
          random: this.#random,
          openedAt: now.instant
        })
        this.#peers.set(input.peer, peer)
        if (this.lie === "garbage") out.push({ _tag: "Write", peer: input.peer, bytes: this.#random.bytes(200) })
        return this.#feed(input.peer, now, out, (outbox) => peer.handle({ _tag: "Opened" }, now, outbox))
      }
      case "BytesReceived":
        return this.#feed(input.peer, now, out, (outbox) =>
          this.#peers.get(input.peer)?.handle({ _tag: "Bytes", chunk: input.chunk }, now, outbox)
        )
      case "ConnectionClosed":
        this.#peers.delete(input.peer)
        return
      case "Timeout":
        for (const id of [...this.#peers.keys()]) {
          this.#feed(id, now, out, (outbox) => this.#peers.get(id)?.handle({ _tag: "Timeout" }, now, outbox))
        }
        return
      default:
        return
    }
  }

  #feed(id: PeerId, now: Now, out: Outbox<NodeCoreOutput>, run: (outbox: Outbox<PeerOutput>) => void): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    run({ push: (output) => this.#hear(id, peer, output, now, out) })
    const bytes = peer.takeOutput(now)
    if (bytes !== undefined) out.push({ _tag: "Write", peer: id, bytes })
  }

  #hear(id: PeerId, peer: Peer, output: PeerOutput, now: Now, out: Outbox<NodeCoreOutput>): void {
    if (output._tag === "Disconnect") {
      this.#peers.delete(id)
      out.push({ _tag: "Close", peer: id })
      return
    }
    if (output._tag === "Ready") {
      if (this.lie === "deaf") out.push({ _tag: "Pause", peer: id, paused: true })
      for (const message of this.#greeting(output.info.startHeight)) send(peer, message, now)
    }
    const asked = output._tag === "Received" && output.message._tag === "getheaders"
    if (output._tag !== "Ready" && !asked) return
    const answer = this.#answer(now, asked)
    if (answer !== undefined) send(peer, answer, now)
  }

  /** What it says first of all to a peer of that height. */
  #greeting(height: number): ReadonlyArray<Message> {
    switch (this.lie) {
      case "flood": {
        const pings = Array.from({ length: FLOOD_PINGS }, (): Message => ({ _tag: "ping", nonce: this.#random.u64() }))
        return [...pings, ...Array.from({ length: FLOOD_QUESTIONS }, () => ASK_FOR_ALL)]
      }
      case "deaf":
        return Array.from({ length: DEAF_QUESTIONS }, () => ASK_FOR_ALL)
      case "little work":
        return this.#littleWork(height)
      default:
        return []
    }
  }

  #littleWork(height: number): ReadonlyArray<Message> {
    const count = Math.min(Math.floor(height / 2), MAX_HEADERS_RESULTS)
    if (count === 0) return []
    const start = this.#params.genesis.time
    const branch = mineChain(this.#params, count, (at) => start + EASY_PACE_SECONDS * at, this.#random.u32())
    this.#mined.add(branch)
    return [headersMessage(branch)]
  }

  #answer(now: Now, asked: boolean): Message | undefined {
    switch (this.lie) {
      case "silence":
      case "garbage":
      case "deaf":
        return undefined
      case "boast":
      case "flood":
      case "little work":
        return asked ? headersMessage(new Uint8Array(0)) : undefined
      case "unconnected":
        return headersMessage(this.#header(this.#random.bytes(32), { time: now.unix }))
      case "no proof of work":
        return headersMessage(this.#header(this.#genesis(), { time: now.unix, proven: false }))
      case "wrong bits":
        return headersMessage(this.#header(this.#genesis(), { time: now.unix, bits: 0x207ffffe }))
      case "too old":
        return headersMessage(this.#header(this.#genesis(), { time: this.#params.genesis.time }))
      case "not continuous": {
        const first = this.#header(this.#genesis(), { time: now.unix })
        const second = this.#header(this.#random.bytes(32), { time: now.unix + 1 })
        const both = new Uint8Array(2 * HEADER_SIZE)
        both.set(first)
        both.set(second, HEADER_SIZE)
        // Core judges each header's work first, then that they are a chain: none of them is taken in.
        return headersMessage(both)
      }
    }
  }

  #genesis(): Uint8Array {
    return headerHash(sha256, genesisHeader(this.#params))
  }

  /** A header on `parent`, with its proof of work done unless told otherwise. */
  #header(
    parent: Uint8Array,
    options: { readonly time: number; readonly bits?: number; readonly proven?: boolean }
  ): Uint8Array {
    const { time, bits = this.#params.genesis.bits, proven = true } = options
    const header = {
      version: 0x20000000,
      previousBlock: parent as BlockHash,
      merkleRoot: this.#random.bytes(32),
      time,
      bits,
      nonce: 0
    }
    // Half of all hashes meet the easiest target: the highest byte tells, and 0x7f may go either way.
    for (let nonce = 0; ; nonce++) {
      const raw = encodeHeader({ ...header, nonce })
      const highest = headerHash(sha256, raw)[31] as number
      if (proven ? highest < 0x7f : highest > 0x7f) return raw
    }
  }
}

const send = (peer: Peer, message: Message, now: Now): void =>
  peer.handle({ _tag: "Send", message }, now, { push() {} })
