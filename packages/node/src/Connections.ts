/**
 * Between the transports and the node's machine: gives each connection its number, hands its bytes in by a plain call, and does what
 * the machine asks for. No fiber and no queue for a connection.
 */
import { PeerId } from "@satwire/machine"
import type { NodeCoreCommand, NodeCoreInput } from "@satwire/node-core"
import { MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { type CloseReason, type Connection, describeClose, formatEndpoint } from "@satwire/transport"

interface Open {
  readonly connection: Connection
  /** The other end takes less than we write. */
  blocked: boolean
  readonly onGone: () => void
}

export class Connections {
  readonly #submit: (input: NodeCoreInput) => void
  readonly #open: Map<PeerId, Open> = new Map()
  #last = 0
  #inbound = 0

  constructor(submit: (input: NodeCoreInput) => void) {
    this.#submit = submit
  }

  /** How many connections others opened. */
  get inbound(): number {
    return this.#inbound
  }

  get size(): number {
    return this.#open.size
  }

  /** Takes a connection in. `onGone` is called once, when it is closed. */
  add(connection: Connection, onGone: () => void): PeerId {
    const peer = PeerId(++this.#last)
    const { direction } = connection
    if (direction === "inbound") this.#inbound += 1
    this.#open.set(peer, { connection, blocked: false, onGone })
    this.#submit({ _tag: "ConnectionOpened", peer, direction, address: formatEndpoint(connection.remote) })
    connection.start({
      onBytes: (chunk) => this.#submit({ _tag: "BytesReceived", peer, chunk }),
      onDrain: () => this.#setBlocked(peer, false),
      onClose: (reason) => this.#closed(peer, reason)
    })
    return peer
  }

  /** Does what the machine asks for. */
  perform(command: NodeCoreCommand): void {
    const open = this.#open.get(command.peer)
    if (open === undefined) return
    const { connection } = open
    switch (command._tag) {
      case "Write":
        connection.write(command.bytes)
        if (connection.bufferedBytes > MAX_SEND_BUFFER_BYTES) this.#setBlocked(command.peer, true)
        return
      case "Pause":
        return command.paused ? connection.pause() : connection.resume()
      case "Close":
        return connection.end()
    }
  }

  /** Closes every connection now. */
  destroyAll(): void {
    for (const { connection } of this.#open.values()) connection.destroy()
  }

  #setBlocked(peer: PeerId, blocked: boolean): void {
    const open = this.#open.get(peer)
    if (open === undefined || open.blocked === blocked) return
    open.blocked = blocked
    this.#submit({ _tag: "SendBlocked", peer, blocked })
  }

  #closed(peer: PeerId, reason: CloseReason): void {
    const open = this.#open.get(peer)
    if (open === undefined) return
    this.#open.delete(peer)
    if (open.connection.direction === "inbound") this.#inbound -= 1
    this.#submit({ _tag: "ConnectionClosed", peer, how: describeClose(reason) })
    open.onGone()
  }
}
