/** One peer machine on a virtual clock. What it writes and puts out is kept for the test to take. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { type Framing, V1Framing } from "@satwire/framing"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"
import {
  type ConnectionKind,
  type Direction,
  type HistoricAllowance,
  type OwnDescription,
  type Patience,
  Peer,
  type PeerIdentity,
  type PeerInput,
  type PeerOutput
} from "@satwire/peer"
import { regtest } from "@satwire/primitives"
import { type Message, type NetAddress, NODE_NETWORK, PROTOCOL_VERSION, VERACK } from "@satwire/wire"
import { framed, unframed, versionOf } from "./frames.ts"

export const START_UNIX = 1_700_000_000

export interface BenchOptions {
  readonly direction?: Direction
  /** Stands before `direction`. */
  readonly kind?: ConnectionKind
  readonly seed?: number
  readonly protocolVersion?: number
  /** v1 on regtest where none is given. */
  readonly framing?: Framing
  readonly isOwnNonce?: PeerIdentity["isOwnNonce"]
  readonly wants?: (services: bigint) => boolean
  /** What our side says of itself beyond what all benches say. */
  readonly says?: Partial<OwnDescription>
  readonly receiver?: NetAddress
  readonly allowance?: HistoricAllowance
  readonly patience?: Patience
  /** Called with each output while the machine pushes it, as a node's router is. */
  readonly onOutput?: (output: PeerOutput, bench: PeerBench) => void
}

export class PeerBench {
  readonly peer: Peer
  #ms = 0
  #outputs: Array<PeerOutput> = []
  #introductions: Array<PeerOutput & { readonly _tag: "Introduced" }> = []
  #written: Array<Uint8Array> = []
  readonly #onOutput: BenchOptions["onOutput"]

  constructor(options: BenchOptions = {}) {
    this.#onOutput = options.onOutput
    this.peer = new Peer({
      kind: options.kind ?? (options.direction === "outbound" ? "outbound-full-relay" : "inbound"),
      identity: {
        describe: () => ({
          protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
          services: NODE_NETWORK,
          userAgent: "/ours:1.0/",
          startHeight: 100,
          relay: false,
          ...options.says
        }),
        isOwnNonce: options.isOwnNonce ?? (() => false),
        wants: options.wants ?? (() => true)
      },
      receiver: options.receiver,
      allowance: options.allowance,
      patience: options.patience,
      framing: options.framing ?? new V1Framing({ magic: regtest.magic, sha256: portableSha256 }),
      random: ChaChaRandom.fromNumber(options.seed ?? 1),
      openedAt: this.now.instant
    })
    this.input({ _tag: "Opened" })
  }

  /** A bench whose handshake is done; what it took is forgotten. Their `pong` to our first ping has come. */
  static ready(options: BenchOptions & { readonly theirVersion?: number } = {}): PeerBench {
    const bench = new PeerBench(options)
    const theirs = versionOf(options.theirVersion === undefined ? {} : { protocolVersion: options.theirVersion })
    bench.receive(framed(theirs, VERACK))
    const ping = bench.sent().find((message) => message._tag === "ping")
    if (ping?._tag === "ping") bench.receive(framed({ _tag: "pong", nonce: ping.nonce }))
    bench.outputs()
    return bench
  }

  get now(): Now {
    return { instant: Instant(this.#ms), unix: UnixSeconds(START_UNIX + Math.floor(this.#ms / 1000)) }
  }

  get ms(): number {
    return this.#ms
  }

  /** One turn. */
  input(input: PeerInput): void {
    this.peer.handle(input, this.now, {
      push: (output) => {
        if (output._tag === "Introduced") this.#introductions.push(output)
        else this.#outputs.push(output)
        this.#onOutput?.(output, this)
      }
    })
    const bytes = this.peer.takeOutput(this.now)
    if (bytes !== undefined) this.#written.push(bytes)
  }

  /** The bytes in one chunk. Its memory is spoiled afterwards, as a socket's is. */
  receive(bytes: Uint8Array): void {
    const chunk = Uint8Array.from(bytes)
    this.input({ _tag: "Bytes", chunk })
    chunk.fill(0xa5)
  }

  send(message: Message): void {
    this.input({ _tag: "Send", message })
  }

  /** Takes the timeouts that are due now. Gives how many turns that took. */
  settle(): number {
    for (let turns = 0; ; turns++) {
      const due = this.peer.nextTimeout()
      if (due === undefined || due > this.#ms) return turns
      if (turns > 10_000) throw new Error("the machine spins")
      this.input({ _tag: "Timeout" })
    }
  }

  /** Lets time pass, with a timeout whenever one is due. */
  elapse(ms: number): void {
    const until = this.#ms + ms
    this.settle()
    for (let due = this.peer.nextTimeout(); due !== undefined && due <= until; due = this.peer.nextTimeout()) {
      this.#ms = due
      this.settle()
    }
    this.#ms = until
  }

  /** What it wrote since the last call, one array for each write. */
  writes(): ReadonlyArray<Uint8Array> {
    const written = this.#written
    this.#written = []
    return written
  }

  /** The messages that it wrote since the last call. */
  sent(): ReadonlyArray<Message> {
    return this.writes().flatMap(unframed)
  }

  /** The commands that it wrote since the last call. */
  sentCommands(): ReadonlyArray<string> {
    return this.sent().map(({ _tag }) => _tag)
  }

  /** The introductions that it put out since the last call. */
  introductions(): ReadonlyArray<PeerOutput & { readonly _tag: "Introduced" }> {
    const introductions = this.#introductions
    this.#introductions = []
    return introductions
  }

  /** What else it put out since the last call. */
  outputs(): ReadonlyArray<PeerOutput> {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Answers every ping that it sends, for so long. */
  elapseAnswering(ms: number): void {
    const until = this.#ms + ms
    for (;;) {
      for (const message of this.sent()) {
        if (message._tag === "ping") this.receive(framed({ _tag: "pong", nonce: message.nonce }))
      }
      const due = this.peer.nextTimeout()
      if (due === undefined || due > until) break
      this.elapse(due - this.#ms)
    }
    this.elapse(until - this.#ms)
  }
}
