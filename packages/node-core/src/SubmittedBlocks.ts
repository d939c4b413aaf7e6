/** Blocks of our own, from their submission until it is known what became of them. */
import type { BlockHash } from "@satwire/primitives"

export interface SubmittedHost {
  readonly hash: (header: number) => BlockHash
  readonly tell: (hash: BlockHash, rule: string | undefined) => void
}

export class SubmittedBlocks {
  readonly #host: SubmittedHost
  readonly #waiting: Set<number> = new Set()

  constructor(host: SubmittedHost) {
    this.#host = host
  }

  wait(header: number): void {
    this.#waiting.add(header)
  }

  /** Whose name is `rule` where it is not part of the followed chain. Nothing where nobody waits for it. */
  settle(header: number, rule: string | undefined): void {
    if (this.#waiting.delete(header)) this.#host.tell(this.#host.hash(header), rule)
  }
}
