/**
 * What each peer sends and has under way: rates, and how many of its messages are validated at once. Of good messages a node passes on a part, as `Flow`
 * says; what is beyond is dropped at nobody's cost.
 */
import { Flow, type FlowRates, PASSED_ON, PASSED_ON_OF_ONE, partOf } from "@satwire/machine"

/**
 * @limit peers of gossip whose rates are remembered; of those who have nothing under way the oldest are forgotten
 */
export const MAX_RATED = 2048

export interface PeerLimits extends FlowRates {
  /** Messages of one peer that are validated at once; the rest waits in its stream. */
  readonly maxValidating: number
}

const partOfAll = ({ messages, bytes }: FlowRates, part: number): FlowRates => ({
  messages: partOf(messages, part),
  bytes: partOf(bytes, part)
})

class PeerTurn {
  readonly sent: Flow
  readonly passedOn: Flow
  running = 0
  readonly waiting: Array<() => void> = []

  constructor(limits: PeerLimits, nowMs: number) {
    this.sent = new Flow(limits, nowMs)
    this.passedOn = new Flow(partOfAll(limits, PASSED_ON_OF_ONE), nowMs)
  }
}

export class PeerTurns {
  readonly #limits: PeerLimits
  readonly #nowMs: () => number
  readonly #passedOn: Flow
  readonly #peers: Map<string, PeerTurn> = new Map()

  constructor(limits: PeerLimits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#passedOn = new Flow(partOfAll(limits, PASSED_ON), nowMs())
  }

  /** Whether a frame of so many bytes, and what it says, is within what a peer may send. */
  mayRead(peer: string, sizeBytes: number, entries: number): boolean {
    const now = this.#nowMs()
    return this.#turn(peer, now).sent.take(entries, sizeBytes, now)
  }

  /** Whether a good message of that size is to be passed on. */
  mayGoOn(peer: string, bytes: number): boolean {
    const now = this.#nowMs()
    return this.#turn(peer, now).passedOn.take(1, bytes, now) && this.#passedOn.take(1, bytes, now)
  }

  /** Done when one of its turns may be free; nothing where one is. */
  free(peer: string): Promise<void> | undefined {
    const turn = this.#peers.get(peer)
    if (turn === undefined || turn.running < this.#limits.maxValidating) return undefined
    return new Promise((resolve) => turn.waiting.push(resolve))
  }

  begin(peer: string): void {
    this.#turn(peer, this.#nowMs()).running++
  }

  end(peer: string): void {
    const turn = this.#peers.get(peer)
    if (turn === undefined) return
    turn.running--
    // Each asks again, and one whose stream is gone asks for nothing.
    for (const wake of turn.waiting.splice(0)) wake()
  }

  #turn(peer: string, now: number): PeerTurn {
    const known = this.#peers.get(peer)
    if (known !== undefined) return known
    if (this.#peers.size >= MAX_RATED) this.#forgetOne()
    const turn = new PeerTurn(this.#limits, now)
    this.#peers.set(peer, turn)
    return turn
  }

  #forgetOne(): void {
    for (const [peer, { running, waiting }] of this.#peers) {
      if (running > 0 || waiting.length > 0) continue
      this.#peers.delete(peer)
      return
    }
  }
}
