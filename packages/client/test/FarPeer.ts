/** The other end of a session under test: a peer machine over a raw connection, driven by hand and remembering everything. */
import { ChaChaRandom, portableCurve, portableSha256 } from "@satwire/crypto"
import { platformAead } from "@satwire/crypto/node"
import { type Framing, InboundFraming, V1Framing } from "@satwire/framing"
import { Instant, UnixSeconds } from "@satwire/machine"
import { Peer, type PeerInfo, type PeerInput } from "@satwire/peer"
import { regtest } from "@satwire/primitives"
import { type CloseReason, type Connection, type Endpoint, Listener } from "@satwire/transport"
import { Signal } from "@satwire/transport/compliance"
import { type Message, PROTOCOL_VERSION } from "@satwire/wire"
import * as Effect from "effect/Effect"

/** Time stands still for a far peer: it never gives up by itself. */
const NOW = { instant: Instant(0), unix: UnixSeconds(1_700_000_000) }

export interface FarOptions {
  readonly magic?: number
  readonly protocolVersion?: number
  readonly userAgent?: string
  /** Says nothing at all. */
  readonly mute?: boolean
}

export class FarPeer {
  readonly connection: Connection
  readonly #peer: Peer
  readonly #signal: Signal
  readonly #mute: boolean
  readonly received: Array<Message> = []
  info: PeerInfo | undefined = undefined
  closedBy: CloseReason["_tag"] | undefined = undefined

  constructor(connection: Connection, signal: Signal, options: FarOptions = {}) {
    this.connection = connection
    this.#signal = signal
    this.#mute = options.mute ?? false
    this.#peer = new Peer({
      kind: connection.direction === "inbound" ? "inbound" : "manual",
      framing: framingFor(connection, options.magic ?? regtest.magic),
      random: ChaChaRandom.fromNumber(1),
      openedAt: NOW.instant,
      identity: {
        describe: () => ({
          protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
          services: 9n,
          userAgent: options.userAgent ?? "/far:1.0/",
          startHeight: 100,
          relay: true
        }),
        isOwnNonce: () => false
      }
    })
    connection.start({
      onBytes: (chunk) => this.#input({ _tag: "Bytes", chunk }),
      onDrain: () => signal.changed(),
      onClose: (reason) => {
        this.closedBy = reason._tag
        signal.changed()
      }
    })
    this.#input({ _tag: "Opened" })
  }

  /** Sends them all in one write. */
  send(...messages: ReadonlyArray<Message>): void {
    this.#input(...messages.map((message): PeerInput => ({ _tag: "Send", message })))
  }

  /** Waits until `holds`, whatever happens to this peer. */
  until(holds: (peer: this) => boolean): Effect.Effect<void> {
    return this.#signal.until(() => holds(this))
  }

  readonly untilReady: Effect.Effect<void> = Effect.suspend(() => this.until(({ info }) => info !== undefined))
  readonly untilClosed: Effect.Effect<void> = Effect.suspend(() => this.until(({ closedBy }) => closedBy !== undefined))

  #input(...inputs: ReadonlyArray<PeerInput>): void {
    this.#turn(inputs)
    for (let due = this.#peer.nextTimeout(); due !== undefined && due <= NOW.instant; due = this.#peer.nextTimeout()) {
      this.#turn([{ _tag: "Timeout" }])
    }
    this.#signal.changed()
  }

  #turn(inputs: ReadonlyArray<PeerInput>): void {
    for (const input of inputs) {
      this.#peer.handle(input, NOW, {
        push: (output) => {
          if (output._tag === "Ready") this.info = output.info
          if (output._tag === "Received") this.received.push(output.message)
        }
      })
    }
    const bytes = this.#peer.takeOutput(NOW)
    if (bytes !== undefined && !this.#mute) this.connection.write(bytes)
  }
}

/** Whichever transport the other end speaks, if that dialled. */
const framingFor = (connection: Connection, magic: number): Framing =>
  connection.direction === "outbound"
    ? new V1Framing({ magic, sha256: portableSha256 })
    : new InboundFraming({
        magic,
        sha256: portableSha256,
        aead: platformAead,
        curve: portableCurve,
        random: ChaChaRandom.fromNumber(2)
      })

export interface FarPeers {
  readonly endpoint: Endpoint
  /** All that came so far. */
  readonly peers: ReadonlyArray<FarPeer>
  /** The peer of that number, once it is there. */
  readonly peer: (number: number) => Effect.Effect<FarPeer>
  readonly signal: Signal
}

/** A far peer for every connection to one endpoint. */
export const farPeers = Effect.fnUntraced(function* (options: FarOptions = {}) {
  const { listen } = yield* Listener
  const signal = new Signal()
  const peers: Array<FarPeer> = []
  const { endpoint } = yield* listen({ host: "127.0.0.1", port: 0 }, (connection) => {
    peers.push(new FarPeer(connection, signal, options))
    signal.changed()
  })
  const peer = (number: number): Effect.Effect<FarPeer> =>
    Effect.map(
      signal.until(() => peers.length > number),
      () => peers[number] as FarPeer
    )
  return { endpoint, peers, peer, signal } satisfies FarPeers
})
