/** Who is there: what each peer said of itself, how far away it is, and who waits for it to go. */
import type { PeerConnection } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"

/** A peer that is there. */
export interface NetworkPeer {
  /** Whose key it has proven. */
  readonly peerId: string
  /** What it calls itself; unknown until it has said so. */
  readonly nodeId: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly address: string
  readonly direction: "inbound" | "outbound"
  /** In milliseconds since 1970. */
  readonly connectedAt: number
  /** There and back, as of the last ping. */
  readonly latencyMs: number | undefined
  /** From -100 to 100; 0 without scores. */
  readonly score: number
  readonly standing: "trusted" | "neutral" | "doubtful" | "banned"
}

/**
 * @limit peers of which a network manager remembers when it dialled, asked or removed them, and addresses of which it remembers whom it met there
 */
export const MAX_TRIED = 4096

/** The peer at the end of a multiaddr. */
export const peerIdIn = (address: string): string | undefined => /\/p2p\/([^/]+)$/.exec(address)?.[1]

export interface PeerRecord {
  readonly peerId: string
  readonly connectedAt: number
  nodeId: string | undefined
  metadata: Readonly<Record<string, string>>
  address: string
  direction: "inbound" | "outbound"
  latencyMs: number | undefined
  missedPings: number
}

export class Peers {
  readonly #peers: Map<string, PeerRecord> = new Map()
  readonly #waiting: Map<string, Set<() => void>> = new Map()

  get size(): number {
    return this.#peers.size
  }

  get(peerId: string): PeerRecord | undefined {
    return this.#peers.get(peerId)
  }

  all(): ReadonlyArray<PeerRecord> {
    return [...this.#peers.values()]
  }

  count(direction: PeerRecord["direction"]): number {
    return this.all().filter((peer) => peer.direction === direction).length
  }

  came(peerId: string, connection: PeerConnection | undefined, connectedAt: number): PeerRecord {
    const record: PeerRecord = {
      peerId,
      connectedAt,
      nodeId: undefined,
      metadata: {},
      address: connection?.address ?? "",
      direction: connection?.direction ?? "inbound",
      latencyMs: undefined,
      missedPings: 0
    }
    this.#peers.set(peerId, record)
    return record
  }

  left(peerId: string): void {
    this.#peers.delete(peerId)
    const waiting = this.#waiting.get(peerId)
    this.#waiting.delete(peerId)
    for (const wake of waiting ?? []) wake()
  }

  clear(): void {
    for (const { peerId } of this.all()) this.left(peerId)
  }

  /** Done when it is not there. */
  gone(peerId: string): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (!this.#peers.has(peerId)) return resume(Effect.void)
      const wake = () => resume(Effect.void)
      const waiting = this.#waiting.get(peerId) ?? new Set()
      this.#waiting.set(peerId, waiting.add(wake))
      return Effect.sync(() => waiting.delete(wake))
    })
  }
}
