/** What was seen of a peer and counts for a while; the longest ago of many makes room. */
import { keepLast } from "@satwire/machine"

/**
 * @limit peers of whom a topic remembers that they could not be reached, or were asked too late
 */
export const MAX_LATELY = 1024

export class Lately {
  readonly #forMs: number
  readonly #seen: Map<string, number> = new Map()

  constructor(forMs: number) {
    this.#forMs = forMs
  }

  note(peer: string, nowMs: number): void {
    keepLast(this.#seen, peer, nowMs, MAX_LATELY)
  }

  holds(peer: string, nowMs: number): boolean {
    const at = this.#seen.get(peer)
    return at !== undefined && nowMs - at < this.#forMs
  }
}
