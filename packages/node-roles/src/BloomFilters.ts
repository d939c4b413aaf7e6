/** The part of a node that serves light wallets by the bloom filters that they set (BIP-0037). */
import {
  BloomServing,
  type BloomServingInput,
  type BloomServingMessage,
  type BloomServingOutput,
  type FilterMissing,
  type FilterNotOffered
} from "@satwire/bloom-serving"
import type { Sha256 } from "@satwire/crypto"
import type { Instant, Now, PeerId } from "@satwire/machine"
import type { Message } from "@satwire/wire"
import { Manager } from "./Manager.ts"

export type BloomFault = FilterMissing | FilterNotOffered

/** What it asks of the node around it. */
export interface BloomHost {
  /** A message of several that belong together. */
  readonly send: (peer: PeerId, message: Message, hasMore: boolean) => void
  readonly close: (peer: PeerId, reason: BloomFault, cost: "disconnect" | "discourage") => void
  /** A peer has a filter, or none any more. */
  readonly filterSet: (peer: PeerId, isSet: boolean) => void
  readonly given: (peer: PeerId, isSent: boolean) => void
}

export class BloomFilters {
  /** Who has a filter, and what matches it. */
  readonly lookup: BloomServing
  readonly #manager: Manager<BloomServingInput, BloomServingOutput>
  readonly #host: BloomHost

  constructor(sha256: Sha256, host: BloomHost) {
    this.#host = host
    this.lookup = new BloomServing(sha256)
    this.#manager = new Manager(this.lookup, (output: BloomServingOutput) => this.#perform(output))
  }

  get isEmpty(): boolean {
    return this.lookup.isEmpty
  }

  nextTimeout(): Instant | undefined {
    return this.lookup.nextTimeout()
  }

  handle(input: BloomServingInput, now: Now): void {
    this.#manager.handle(input, now)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    this.#manager.handle({ _tag: "Received", peer, message: message as BloomServingMessage }, now)
  }

  timeout(now: Now): void {
    if (this.#manager.isDue(now.instant)) this.#manager.handle({ _tag: "Timeout" }, now)
  }

  #perform(output: BloomServingOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message, output.hasMore)
      case "FilterSet":
        return host.filterSet(output.peer, output.isSet)
      case "BlockGiven":
        return host.given(output.peer, output.isSent)
      case "Misbehaved":
        return host.close(output.peer, output.reason, "discourage")
      case "Disconnect":
        return host.close(output.peer, output.reason, "disconnect")
    }
  }
}
