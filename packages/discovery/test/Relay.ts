/** An address relay with peers, under a clock that stands until it is moved. */
import { ChaChaRandom } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { type NetAddr, type NodeAddress, formatHost, formatNode } from "@satwire/netaddress"
import { type Message, decodePayload, encodePayload } from "@satwire/wire"
import * as Result from "effect/Result"
import { addressMessage, addressesOf, kept } from "../src/AddressMessages.ts"
import {
  AddrRelay,
  type AddrRelayInput,
  type AddrRelayOutput,
  type KnownAddress,
  type PeerReady,
  type RelayKind
} from "../src/index.ts"
import { START, node, nth } from "./Known.ts"

type Tag = AddrRelayOutput["_tag"]
type Of<T extends Tag> = Extract<AddrRelayOutput, { readonly _tag: T }>

export const MINUTE_MS: number = 60 * 1000
export const DAY_MS: number = 24 * 60 * MINUTE_MS

export const KINDS: ReadonlyArray<RelayKind> = [
  "inbound",
  "outbound-full-relay",
  "block-relay-only",
  "manual",
  "feeler",
  "addr-fetch",
  "private-broadcast"
]

export interface Told {
  readonly peer: number
  readonly asked: boolean
  readonly addresses: ReadonlyArray<KnownAddress>
}

export class Relay {
  /** What there is to tell who asks. */
  book: ReadonlyArray<KnownAddress> = []
  readonly refused: Set<string> = new Set()
  own: NodeAddress | undefined = node("11.1.1.1")
  readonly seen: Array<NetAddr> = []
  readonly machine: AddrRelay
  outputs: Array<AddrRelayOutput> = []
  #ms = 0

  constructor(seed = 1, networks: ReadonlyArray<NodeAddress["network"]> = ["ipv4", "ipv6"]) {
    this.machine = new AddrRelay({
      random: ChaChaRandom.fromNumber(seed),
      addresses: { getAddr: () => this.book },
      refusals: { isRefused: (host) => this.refused.has(formatHost(host)) },
      own: { forPeer: () => this.own, seen: (host) => void this.seen.push(host) },
      services: () => 1033n,
      reachable: new Set(networks)
    })
  }

  get now(): Now {
    return { instant: Instant(this.#ms), unix: UnixSeconds(START + Math.floor(this.#ms / 1000)) }
  }

  handle(input: AddrRelayInput): void {
    this.machine.handle(input, this.now, { push: (output) => void this.outputs.push(lasting(output)) })
  }

  /** Shakes hands with a peer, which dialled us unless told otherwise. */
  ready(id: number, change: Partial<Omit<PeerReady, "_tag" | "peer">> = {}): void {
    const peer = PeerId(id)
    this.handle({
      _tag: "PeerReady",
      peer,
      kind: "inbound",
      address: formatNode(nth(0x1_0000 + (id % 0xffff))),
      network: undefined,
      socket: "10.0.0.1:8333",
      addrV2: true,
      seenAs: undefined,
      mayFlood: false,
      ...change
    })
  }

  gone(id: number): void {
    this.handle({ _tag: "PeerGone", peer: PeerId(id) })
  }

  /** A message as it is. */
  hear(id: number, message: Message): void {
    this.handle({ _tag: "Received", peer: PeerId(id), message })
  }

  /** A message as it comes. */
  receive(id: number, message: Message): void {
    const payload = encodePayload(message)
    const decoded = Result.getOrThrow(decodePayload(message._tag, payload))
    this.hear(id, decoded.value)
    // Whoever keeps a view of the message has these afterwards.
    payload.fill(0xff)
  }

  /** A peer tells of addresses. */
  told(id: number, addresses: ReadonlyArray<KnownAddress>, addrV2 = true): void {
    this.receive(id, addressMessage(addresses, addrV2))
  }

  asked(id: number): void {
    this.receive(id, { _tag: "getaddr" })
  }

  /** Lets time pass, with every timeout at its time. */
  elapse(ms: number): void {
    const end = this.#ms + ms
    for (;;) {
      const next = this.machine.nextTimeout()
      if (next === undefined || next > end) break
      this.#ms = Math.max(this.#ms, next)
      this.handle({ _tag: "Timeout" })
    }
    this.#ms = end
  }

  /** What came out since the last time. */
  take(): ReadonlyArray<AddrRelayOutput> {
    const outputs = this.outputs
    this.outputs = []
    return outputs
  }

  taken<T extends Tag>(tag: T): ReadonlyArray<Of<T>> {
    return this.take().filter((output): output is Of<T> => output._tag === tag)
  }

  /** The addresses that peers were told since the last time. */
  tells(): ReadonlyArray<Told> {
    return this.take().flatMap((output) => {
      if (output._tag !== "Send" && output._tag !== "Announce") return []
      const { message } = output
      if (message._tag !== "addr" && message._tag !== "addrv2") return []
      return [{ peer: output.peer, asked: output._tag === "Send", addresses: addressesOf(message) }]
    })
  }
}

/** Whoever takes addresses in copies them, as the address manager does. */
const lasting = (output: AddrRelayOutput): AddrRelayOutput =>
  output._tag === "Learned" ? { ...output, addresses: output.addresses.map(kept) } : output
