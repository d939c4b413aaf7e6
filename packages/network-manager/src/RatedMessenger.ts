/**
 * A messenger whose peers may send so much and no more: what is beyond goes no further, and whoever sent it is told of. Signatures and bytes that
 * are no envelope are judged before, by the messenger itself, whose faults count as messages.
 */
import { type Rate, TokenBucket, keepLast } from "@satwire/machine"
import type { Messenger } from "@satwire/overlay"
import type { Tally } from "./Tally.ts"

export interface MessageRates {
  readonly messages: Rate
  readonly bytes: Rate
}

/**
 * Who goes and comes again has what was left to him.
 *
 * @limit peers of a network manager whose rates are remembered
 */
export const MAX_RATED_PEERS = 4096

interface Buckets {
  readonly messages: TokenBucket
  readonly bytes: TokenBucket
}

export class Rates {
  readonly #rates: MessageRates
  readonly #nowMs: () => number
  readonly #peers: Map<string, Buckets> = new Map()

  constructor(rates: MessageRates, nowMs: () => number) {
    this.#rates = rates
    this.#nowMs = nowMs
  }

  /** Whether that peer may send a message of so many bytes just now. */
  take(peer: string, bytes: number): boolean {
    const now = this.#nowMs()
    const buckets = this.#of(peer, now)
    return buckets.messages.take(1, now) && buckets.bytes.take(bytes, now)
  }

  #of(peer: string, now: number): Buckets {
    const buckets = this.#peers.get(peer) ?? {
      messages: new TokenBucket(this.#rates.messages, now),
      bytes: new TokenBucket(this.#rates.bytes, now)
    }
    // The one that was heard last is forgotten last.
    keepLast(this.#peers, peer, buckets, MAX_RATED_PEERS)
    return buckets
  }
}

export interface RatedOptions {
  readonly rates: Rates
  readonly tally: Tally
  /** Each message beyond. */
  readonly onFlood: (peer: string) => void
}

export const ratedMessenger = (below: Messenger, { onFlood, rates, tally }: RatedOptions): Messenger => ({
  canSign: below.canSign,
  peers: below.peers,
  drained: below.drained,
  drop: below.drop,
  send: (peer, message) => {
    const isSent = below.send(peer, message)
    if (isSent) tally.sent(message.type, "direct", message.body.length)
    return isSent
  },
  listen: (handlers) =>
    below.listen({
      ...handlers,
      // What is passed over, or dropped for its time, comes at the same rate.
      onFault: (peer, fault, detail) => {
        if (rates.take(peer, 0)) return handlers.onFault(peer, fault, detail)
        tally.limited += 1
        onFlood(peer)
      },
      onLetter: (peer, letter) => {
        const bytes = letter.body.length
        if (!rates.take(peer, bytes)) {
          tally.limited += 1
          return onFlood(peer)
        }
        tally.received(letter.type, "direct", bytes)
        handlers.onLetter(peer, letter)
      }
    })
})
