/**
 * Between the transports and the node's machine: gives each connection its number, hands its bytes in by a plain call, and does what
 * the machine asks for. No fiber and no queue for a connection.
 *
 * ```
 *   added ──▶ reading ◀──▶ paused (the machine's wish for one, the store's for all) ──▶ ending ──▶ gone
 * ```
 */
import { PeerId } from "@satwire/machine"
import type { DisconnectReason, NodeCoreCommand, NodeCoreFact, NodeCoreInput } from "@satwire/node-core"
import { type DisconnectCost, MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { type CloseReason, type Connection, formatEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"

/**
 * What a peer may still send after we ended its connection. Who closes its own side sends less; who sends more is cut off.
 *
 * @limit bytes read from a peer whose connection we ended
 */
export const BYTES_AFTER_END = 1_000_000

/** How a connection ended. */
export interface ConnectionEnd {
  readonly reason: DisconnectReason
  readonly cost: DisconnectCost
  /** The node at the other end was this one. */
  readonly reachedItself: boolean
  /** It is worth another try in v1, at once and on the same way (BIP-0324). */
  readonly retryAsV1: boolean
}

/** What is known of a connection that this node dialled. */
export interface Dialled {
  /** Speaks v1 because v2 was tried in vain. */
  readonly transport: "v1" | undefined
  /** Called once, when it is closed; without an end where the node stopped before. */
  readonly onGone: (end: ConnectionEnd | undefined) => void
}

interface Open {
  readonly connection: Connection
  readonly onGone: ((end: ConnectionEnd | undefined) => void) | undefined
  /** The machine wants nothing more to be read. */
  paused: boolean
  /** The other end takes less than we write. */
  blocked: boolean
  reachedItself: boolean
  end: ConnectionEnd | undefined
  /** We ended it; what still comes is for nobody. */
  isEnding: boolean
  bytesAfterEnd: number
}

export class Connections {
  readonly #submit: (input: NodeCoreInput) => void
  readonly #gone: (peer: PeerId, address: string) => void
  readonly #open: Map<PeerId, Open> = new Map()
  #last = 0
  #inbound = 0
  /** Nothing is read from anybody. */
  #held = false
  #whenEmpty: (() => void) | undefined = undefined

  /** @param gone told of each connection once it is closed */
  constructor(submit: (input: NodeCoreInput) => void, gone: (peer: PeerId, address: string) => void) {
    this.#submit = submit
    this.#gone = gone
  }

  /** How many connections others opened. */
  get inbound(): number {
    return this.#inbound
  }

  /** How many are open, those that are ending included. */
  get size(): number {
    return this.#open.size
  }

  /** Takes a connection in. */
  add(connection: Connection, dialled?: Dialled): void {
    const peer = PeerId(++this.#last)
    const open: Open = {
      connection,
      onGone: dialled?.onGone,
      paused: false,
      blocked: false,
      reachedItself: false,
      end: undefined,
      isEnding: false,
      bytesAfterEnd: 0
    }
    const { direction } = connection
    if (direction === "inbound") this.#inbound += 1
    this.#open.set(peer, open)
    const kind = direction === "inbound" ? "inbound" : "manual"
    this.#submit({
      _tag: "ConnectionOpened",
      peer,
      kind,
      address: formatEndpoint(connection.remote),
      transport: dialled?.transport
    })
    connection.start({
      onBytes: (chunk) => {
        if (open.isEnding) this.#discard(open, chunk.length)
        else this.#submit({ _tag: "BytesReceived", peer, chunk })
      },
      onDrain: () => this.#setBlocked(peer, open, false),
      onClose: (reason) => this.#closed(peer, open, reason)
    })
    this.#setReading(open)
    if (this.#whenEmpty !== undefined) connection.destroy()
  }

  /** Does what the machine asks for. */
  perform(command: NodeCoreCommand): void {
    const open = this.#open.get(command.peer)
    if (open === undefined) return
    const { connection } = open
    switch (command._tag) {
      case "Write":
        connection.write(command.bytes)
        if (connection.bufferedBytes > MAX_SEND_BUFFER_BYTES) this.#setBlocked(command.peer, open, true)
        return
      case "Pause":
        open.paused = command.paused
        return this.#setReading(open)
      case "Close":
        open.isEnding = true
        connection.end()
        // A connection that is not read does not notice that the other end closed it too.
        return this.#setReading(open)
    }
  }

  /** Notes why a peer was disconnected, for whoever dialled it. */
  disconnected(fact: NodeCoreFact & { readonly _tag: "PeerDisconnecting" }): void {
    const { peer, reason, cost, retryAsV1 } = fact
    const open = this.#open.get(peer)
    if (open === undefined) return
    if (reason._tag === "SelfConnection") this.#otherEnd(open.connection).reachedItself = true
    open.end = { reason, cost, reachedItself: open.reachedItself, retryAsV1 }
  }

  /** While held, nothing is read from any peer. Those that we ended are read on, so that they can close. */
  hold(held: boolean): void {
    this.#held = held
    for (const open of this.#open.values()) this.#setReading(open)
  }

  /** Closes every connection now, also those that come later, and waits until all are gone. */
  readonly closeAll: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.#whenEmpty = () => resume(Effect.void)
    for (const { connection } of this.#open.values()) connection.destroy()
    if (this.#open.size === 0) resume(Effect.void)
  })

  #setReading({ connection, paused, isEnding }: Open): void {
    if ((paused || this.#held) && !isEnding) connection.pause()
    else connection.resume()
  }

  #discard(open: Open, bytes: number): void {
    open.bytesAfterEnd += bytes
    if (open.bytesAfterEnd > BYTES_AFTER_END) open.connection.destroy()
  }

  /**
   * The connection of ours that `inbound` is the other end of, as far as its addresses tell. Behind a translation of addresses nothing
   * is found; then the dialling end sees no more than a connection that was closed.
   */
  #otherEnd(inbound: Connection): { reachedItself: boolean } {
    const remote = formatEndpoint(inbound.remote)
    for (const open of this.#open.values()) {
      const { connection } = open
      if (connection.direction === "outbound" && formatEndpoint(connection.local) === remote) return open
    }
    return { reachedItself: false }
  }

  #setBlocked(peer: PeerId, open: Open, blocked: boolean): void {
    if (open.blocked === blocked) return
    open.blocked = blocked
    this.#submit({ _tag: "SendBlocked", peer, blocked })
  }

  #closed(peer: PeerId, open: Open, reason: CloseReason): void {
    this.#submit({ _tag: "ConnectionClosed", peer, how: wordFor(reason) })
    this.#open.delete(peer)
    if (open.connection.direction === "inbound") this.#inbound -= 1
    this.#gone(peer, formatEndpoint(open.connection.remote))
    open.onGone?.(open.end)
    if (this.#open.size === 0) this.#whenEmpty?.()
  }
}

/** What stands in brackets behind "the connection was closed by the other side". */
const wordFor = (reason: CloseReason): string => (reason._tag === "Failed" ? reason.message : WORDS[reason._tag])

const WORDS: { readonly [Tag in Exclude<CloseReason["_tag"], "Failed">]: string } = {
  Ended: "orderly",
  Reset: "reset",
  Destroyed: "cut off from here",
  TimedOut: "it answers no more",
  Overrun: "more came than could wait"
}
