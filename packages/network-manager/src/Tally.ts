/** How many messages of each kind went and came, and how large they were. Kinds are those that are known here, so no peer makes more of them. */
import { REQUEST_TYPE } from "@satwire/overlay"

/** `direct`: to one peer, requests and answers among them. `broadcast`: spread to all. */
export type Way = "direct" | "broadcast"

export interface KindTraffic {
  readonly kind: string
  readonly way: Way
  readonly messagesSent: number
  readonly bytesSent: number
  readonly messagesReceived: number
  readonly bytesReceived: number
}

type Counts = { -readonly [Name in keyof KindTraffic]: KindTraffic[Name] }

/** What comes under a name that nobody here knows. */
const OTHER = "other"

export class Tally {
  readonly #kinds: Set<string> = new Set([REQUEST_TYPE])
  readonly #counts: Map<string, Counts> = new Map()
  /** Messages above what their senders may send. */
  limited = 0
  bans = 0

  know(kind: string): void {
    this.#kinds.add(kind)
  }

  sent(kind: string, way: Way, bytes: number): void {
    const counts = this.#of(kind, way)
    counts.messagesSent += 1
    counts.bytesSent += bytes
  }

  received(kind: string, way: Way, bytes: number): void {
    const counts = this.#of(kind, way)
    counts.messagesReceived += 1
    counts.bytesReceived += bytes
  }

  all(): ReadonlyArray<KindTraffic> {
    return [...this.#counts.values()].map((counts) => ({ ...counts }))
  }

  #of(name: string, way: Way): Counts {
    const kind = this.#kinds.has(name) ? name : OTHER
    const key = `${way} ${kind}`
    let counts = this.#counts.get(key)
    if (counts === undefined) {
      counts = { kind, way, messagesSent: 0, bytesSent: 0, messagesReceived: 0, bytesReceived: 0 }
      this.#counts.set(key, counts)
    }
    return counts
  }
}
