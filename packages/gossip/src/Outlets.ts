/** The streams on which gossip leaves: whoever publishes waits while they are full, and peers that take nothing are found. */
import type { Libp2pNodeShape } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"

/** What may be published before anybody looks how full they are. */
const UNLOOKED_BYTES = 256 * 1024
/**
 * @limit bytes that wait for one peer before whoever publishes does, for five seconds at most
 */
export const MAX_UNTAKEN_BYTES: number = 4 * 1024 * 1024
const PATIENCE_MS = 5000
const MESHSUB = "/meshsub/"

export class Outlets {
  readonly #node: Libp2pNodeShape
  #unlooked = 0
  /** Who had a stream. */
  #open: ReadonlySet<string> = new Set()

  constructor(node: Libp2pNodeShape) {
    this.#node = node
  }

  /** Waits until so many bytes more may be published. Whoever is too slow for it is not waited for any longer. */
  room(bytes: number): Effect.Effect<void> {
    this.#unlooked += bytes + 100
    if (this.#unlooked < UNLOOKED_BYTES) return Effect.void
    this.#unlooked = 0
    if (!this.#isFull()) return Effect.void
    const wait = Effect.suspend((): Effect.Effect<void> =>
      this.#isFull() ? Effect.andThen(Effect.sleep(1), wait) : Effect.void
    )
    return wait.pipe(Effect.timeoutOrElse({ duration: PATIENCE_MS, orElse: () => Effect.void }))
  }

  /** Peers whose connection stands and whose stream is gone. */
  broken(): ReadonlyArray<string> {
    const [now, standing] = [new Set<string>(), new Set<string>()]
    for (const connection of this.#node.engine.getConnections()) {
      const peer = connection.remotePeer.toString()
      standing.add(peer)
      if (connection.streams.some(isOutlet)) now.add(peer)
    }
    const gone = [...this.#open].filter((peer) => standing.has(peer) && !now.has(peer))
    this.#open = now
    return gone
  }

  #isFull(): boolean {
    for (const { streams } of this.#node.engine.getConnections()) {
      for (const stream of streams) {
        if (isOutlet(stream) && stream.writeBufferLength > MAX_UNTAKEN_BYTES) return true
      }
    }
    return false
  }
}

const isOutlet = ({ protocol, direction }: { readonly protocol: string; readonly direction: string }): boolean =>
  direction === "outbound" && protocol.startsWith(MESHSUB)
