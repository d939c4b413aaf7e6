/**
 * Between the transports and the node's machine: gives each connection its number, hands its bytes in by a plain call, and does what
 * the machine asks for. No fiber and no queue for a connection.
 *
 * ```
 *   added ──▶ reading ◀──▶ paused (the machine's wish for one, the store's for all) ──▶ ending ──▶ gone
 * ```
 */
import type { DialId, DialKind } from "@satwire/connections"
import { IdMap, PeerId } from "@satwire/machine"
import type { NodeCoreCommand, NodeCoreInput } from "@satwire/node-core"
import { MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { type CloseReason, type Connection, type ConnectionHandlers, formatEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"

/**
 * What a peer may still send after we ended its connection. Who closes its own side sends less; who sends more is cut off.
 *
 * @limit bytes read from a peer whose connection we ended
 */
export const BYTES_AFTER_END = 1_000_000
/**
 * How many bytes may wait to be taken by all peers together. While more do, a peer for which any wait is asked for nothing more and not
 * read further.
 *
 * @limit bytes that wait to be written to all peers before reading stops from each that has any
 */
export const UNSENT_BYTES_OF_ALL: number = 64 * 1024 * 1024

/** What is known of a connection that this node dialled. */
export interface Dialled {
  readonly dial: DialId
  readonly kind: DialKind
  /** Speaks v1 because v2 was tried in vain, or is not known there. */
  readonly transport: "v1" | undefined
}

/** One connection. It is its own handlers, because closures for each would cost as much again as the rest of it. */
class Open implements ConnectionHandlers {
  readonly #owner: ConnectionOwner
  readonly peer: PeerId
  readonly connection: Connection
  /** The machine wants nothing more to be read. */
  paused = false
  /** The other end takes less than we write. */
  blocked = false
  /** Something was written to it. */
  hasWritten = false
  /** We ended it; what still comes is for nobody. */
  isEnding = false
  bytesAfterEnd = 0
  /** What waited for the other end when last looked at. */
  unsentBytes = 0

  constructor(owner: ConnectionOwner, peer: PeerId, connection: Connection) {
    this.#owner = owner
    this.peer = peer
    this.connection = connection
  }

  onBytes(chunk: Uint8Array): void {
    this.#owner.received(this, chunk)
  }

  onDrain(): void {
    this.#owner.drained(this)
  }

  onClose(reason: CloseReason): void {
    this.#owner.closed(this, reason)
  }
}

/** What a connection tells the one that keeps it. */
interface ConnectionOwner {
  received(open: Open, chunk: Uint8Array): void
  drained(open: Open): void
  closed(open: Open, reason: CloseReason): void
}

export class Connections {
  readonly #submit: (input: NodeCoreInput) => void
  readonly #gone: (peer: PeerId, address: string) => void
  readonly #open: IdMap<PeerId, Open> = new IdMap()
  readonly #owner: ConnectionOwner = {
    received: (open, chunk) => {
      if (open.isEnding) this.#discard(open, chunk.length)
      else this.#submit({ _tag: "BytesReceived", peer: open.peer, chunk })
    },
    drained: (open) => {
      this.#unsentBytes -= open.unsentBytes
      open.unsentBytes = 0
      this.#setBlocked(open, false)
    },
    closed: (open, reason) => this.#closed(open, reason)
  }
  #last = 0
  #lastEnd = ""
  #inbound = 0
  /** What waited for all other ends when last looked at. */
  #unsentBytes = 0
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
    const { direction } = connection
    const open = new Open(this.#owner, PeerId(++this.#last), connection)
    if (direction === "inbound") this.#inbound += 1
    this.#open.set(open.peer, open)
    this.#submit({
      _tag: "ConnectionOpened",
      peer: open.peer,
      kind: dialled?.kind ?? "inbound",
      address: formatEndpoint(connection.remote),
      socket: direction === "inbound" ? this.#ourEnd(connection) : formatEndpoint(connection.local),
      dial: dialled?.dial,
      transport: dialled?.transport
    })
    connection.start(open)
    this.#setReading(open)
    if (this.#whenEmpty !== undefined) connection.destroy()
  }

  /** One text for all that came in at the same place. */
  #ourEnd({ local }: Connection): string {
    const text = formatEndpoint(local)
    if (text !== this.#lastEnd) this.#lastEnd = text
    return this.#lastEnd
  }

  /** Does what the machine asks for. */
  perform(command: Extract<NodeCoreCommand, { readonly _tag: "Write" | "Pause" | "Close" }>): void {
    const open = this.#open.get(command.peer)
    if (open === undefined) return
    const { connection } = open
    switch (command._tag) {
      case "Write":
        open.hasWritten = true
        connection.write(command.bytes)
        return this.#written(open)
      case "Pause":
        open.paused = command.paused
        return this.#setReading(open)
      case "Close":
        open.isEnding = true
        // Who was sent away before a word was said has nothing to wait for.
        if (!open.hasWritten) return connection.destroy()
        connection.end()
        // A connection that is not read does not notice that the other end closed it too.
        return this.#setReading(open)
    }
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

  #written(open: Open): void {
    const unsentBytes = open.connection.bufferedBytes
    this.#unsentBytes += unsentBytes - open.unsentBytes
    open.unsentBytes = unsentBytes
    const mostBytes = this.#unsentBytes > UNSENT_BYTES_OF_ALL ? 0 : MAX_SEND_BUFFER_BYTES
    if (unsentBytes > mostBytes) this.#setBlocked(open, true)
  }

  #setBlocked(open: Open, blocked: boolean): void {
    if (open.blocked === blocked) return
    open.blocked = blocked
    this.#submit({ _tag: "SendBlocked", peer: open.peer, blocked })
  }

  #closed(open: Open, reason: CloseReason): void {
    const { peer, connection } = open
    this.#submit({ _tag: "ConnectionClosed", peer, how: wordFor(reason) })
    this.#open.delete(peer)
    this.#unsentBytes -= open.unsentBytes
    if (connection.direction === "inbound") this.#inbound -= 1
    this.#gone(peer, formatEndpoint(connection.remote))
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
