/**
 * The core of a node on the clock of a capture. It hears what was captured, and what it says goes nowhere: it is only looked at.
 *
 * Specification: the same records and the same seed give the same outputs. Time is that of the records: between two of them whatever is due
 * is done at its instant. While nobody is connected nothing is due.
 *
 * A pong answers a nonce that the captured node drew, which this one did not: it gets the nonce of the ping that waits here.
 */
import { sha256d, ChaChaRandom, type Sha256 } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import { Instant, type Now, PeerId, UnixSeconds, assert } from "@satwire/machine"
import { NodeCore, type NodeCoreFact, type NodeCoreInput, type NodeCoreOutput, type Roles } from "@satwire/node-core"
import type { WatchedMessage } from "@satwire/peer"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { commandBytes, encodePayload } from "@satwire/wire"
import { BlocksInMemory } from "./BlocksInMemory.ts"
import type { CaptureRecord } from "./CaptureFormat.ts"

/** What comes out of a replay, at its time. */
export type Replayed =
  | { readonly _tag: "Fact"; readonly unixMs: number; readonly fact: NodeCoreFact }
  /** What the core took, or said in this replay. */
  | {
      readonly _tag: "Message"
      readonly unixMs: number
      readonly peer: PeerId
      readonly address: string
      readonly side: "received" | "sent"
      readonly command: string
      /** Of the payload. */
      readonly sizeBytes: number
    }

export interface ReplayedCoreOptions {
  readonly params: ChainParams
  readonly roles: Roles
  readonly seed: number
  readonly sha256: Sha256
  readonly startUs: number
  /** Whether messages come out beside facts. */
  readonly showsMessages: boolean
  /** Where it goes. */
  readonly push: (replayed: Replayed) => void
}

/** Turns of timeouts at one instant beyond which the core is said to spin, which would be a bug of ours. */
const TURNS_AT_ONE_INSTANT = 10_000
/** Around the payload of a message, which comes in v1 here. */
const V1_FRAME_BYTES = 24
/** So many headers of a file are taken in a turn. */
const HEADERS_IN_A_TURN = 2000

export class ReplayedCore {
  readonly core: NodeCore
  readonly #options: ReplayedCoreOptions
  readonly #blocks: BlocksInMemory
  /** Connections that the core has not ended. */
  readonly #open: Set<PeerId> = new Set()
  /** The nonce of the last ping that waits for its pong. */
  readonly #pings: Map<PeerId, Uint8Array> = new Map()
  #us: number
  #peers = 0

  constructor(options: ReplayedCoreOptions) {
    const { params, roles, seed, sha256, startUs } = options
    this.#options = options
    this.#us = startUs
    this.#blocks = new BlocksInMemory(sha256)
    const random = ChaChaRandom.fromNumber(seed)
    this.core = new NodeCore({
      params,
      roles,
      tree: HeaderTree.fromGenesis(params, random.fork()),
      sha256,
      random,
      userAgent: "/satwire-replay/",
      services: 0n,
      watch: { isOn: true, seen: (peer, address, watched) => this.#seen(peer, address, watched) }
    })
  }

  get #now(): Now {
    const { startUs } = this.#options
    const instant = Instant(Math.floor((this.#us - startUs) / 1000))
    return { instant, unix: UnixSeconds(Math.floor(this.#us / 1_000_000)) }
  }

  /** Headers that the node had before. */
  submitHeaders(headers: Uint8Array): void {
    for (let at = 0; at < headers.length; at += HEADERS_IN_A_TURN * HEADER_SIZE) {
      const piece = headers.subarray(at, at + HEADERS_IN_A_TURN * HEADER_SIZE)
      this.#input({ _tag: "SubmitHeaders", headers: piece, count: piece.length / HEADER_SIZE })
    }
  }

  /** Lets time pass. A clock that went back stands still here. */
  advance(us: number): void {
    const { startUs } = this.#options
    let turns = 0
    while (this.#open.size > 0) {
      const due = this.core.nextTimeout()
      if (due === undefined || startUs + due * 1000 > us) break
      const dueUs = startUs + due * 1000
      turns = dueUs > this.#us ? 0 : turns + 1
      assert(turns < TURNS_AT_ONE_INSTANT, "a replayed core has something due again and again")
      this.#us = Math.max(this.#us, dueUs)
      this.#input({ _tag: "Timeout" })
    }
    this.#us = Math.max(this.#us, us)
  }

  /** A connection begins. */
  open(address: string, isOutbound: boolean): PeerId {
    const peer = PeerId(++this.#peers)
    this.#open.add(peer)
    this.#input({ _tag: "ConnectionOpened", peer, kind: isOutbound ? "manual" : "inbound", address })
    return peer
  }

  /** Whether the core goes on listening to it. */
  isOpen(peer: PeerId): boolean {
    return this.#open.has(peer)
  }

  receive(peer: PeerId, record: CaptureRecord): void {
    this.#input({ _tag: "BytesReceived", peer, chunk: this.#framed(this.#answering(peer, record)) })
  }

  /** Its capture has no more of it. */
  close(peer: PeerId): void {
    if (!this.#open.delete(peer)) return
    this.#pings.delete(peer)
    this.#input({ _tag: "ConnectionClosed", peer, how: "its capture ends here" })
  }

  #answering(peer: PeerId, record: CaptureRecord): CaptureRecord {
    const nonce = record.command === "pong" ? this.#pings.get(peer) : undefined
    if (nonce === undefined) return record
    this.#pings.delete(peer)
    return { ...record, payload: nonce }
  }

  /** As it came in v1, whatever the transport was. */
  #framed({ command, payload }: CaptureRecord): Uint8Array {
    const { params, sha256 } = this.#options
    const bytes = new Uint8Array(V1_FRAME_BYTES + payload.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, params.magic, true)
    bytes.set(commandBytes(command), 4)
    view.setUint32(16, payload.length, true)
    bytes.set(sha256d(sha256, payload).subarray(0, 4), 20)
    bytes.set(payload, V1_FRAME_BYTES)
    return bytes
  }

  /** One input, and whatever the edge would answer to what comes of it. */
  #input(first: NodeCoreInput): void {
    const inputs: Array<NodeCoreInput> = [first]
    const outputs: Array<NodeCoreOutput> = []
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      this.core.handle(input, this.#now, outputs)
      for (const output of outputs.splice(0)) {
        const answer = this.#perform(output)
        if (answer !== undefined) inputs.push(answer)
      }
    }
  }

  #perform(output: NodeCoreOutput): NodeCoreInput | undefined {
    switch (output._tag) {
      case "Write":
      case "Pause":
      case "Dial":
      case "QuerySeed":
        return undefined
      case "Close":
        this.#open.delete(output.peer)
        this.#pings.delete(output.peer)
        return { _tag: "ConnectionClosed", peer: output.peer, how: "from here" }
      case "CheckBlock":
      case "StoreBlock":
      case "ReadBlock":
        return this.#blocks.perform(output)
      default:
        this.#options.push({ _tag: "Fact", unixMs: this.#unixMs, fact: output })
        return undefined
    }
  }

  get #unixMs(): number {
    return Math.floor(this.#us / 1000)
  }

  #seen(peer: PeerId, address: string, { label, message, side, sizeBytes }: WatchedMessage): void {
    if (side === "sent" && message?._tag === "ping") this.#pings.set(peer, encodePayload(message))
    if (!this.#options.showsMessages) return
    this.#options.push({
      _tag: "Message",
      unixMs: this.#unixMs,
      peer,
      address,
      side,
      command: label,
      sizeBytes: sizeBytes - V1_FRAME_BYTES
    })
  }
}
