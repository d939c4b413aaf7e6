/**
 * One stream of a peer, from its bytes to messages that gossipsub judges: so many at once, so much of a turn of the event loop, and no more of its
 * bytes while it waits.
 *
 * ```
 *   bytes ─▶ frames ─▶ admitted? ─▶ its messages, one after the other ─▶ gossipsub
 *                                       │ as many under way as may be: until one is done
 *                                       │ a turn was long enough: until the next turn
 *                                       ▼
 *                     what comes meanwhile is kept once, and the stream is paused
 * ```
 *
 * Specification: a peer that is banned, that is gone, or whose stream was replaced is not heard from its next message on; what waits then is let go.
 */
import type { Stream } from "@libp2p/interface"
import { HeldReads } from "@satwire/libp2p-wires"
import { FrameReader } from "./FrameReader.ts"
import type { Rpc, RpcMessage } from "./RpcGate.ts"

/** How long messages of one peer are handed over before others have their turn. */
const TURN_MS = 4
/**
 * @limit bytes that wait in a stream of gossip that is paused, where nothing holds the other end back
 */
export const MAX_PAUSED_BYTES: number = 16 * 1024 * 1024

export interface ReadingRules {
  readonly maxFrameBytes: number
  readonly nowMs: () => number
  /** Done when others have had their turn of the event loop. */
  readonly nextTurn: () => Promise<void>
  /** Whether this is still the stream that counts, of a peer that may speak. */
  readonly isCurrent: () => boolean
  /** What of a frame is to be handed over, if anything. */
  readonly admit: (frame: Uint8Array) => Rpc | undefined
  /** Whether this message of an admitted frame is to go on. */
  readonly isWanted: (message: RpcMessage) => boolean
  /** Whether its topic is there now. */
  readonly isOpen: (topic: string) => boolean
  /** All but its messages. */
  readonly control: (rpc: Rpc) => void
  readonly message: (message: RpcMessage) => Promise<void>
  /** Done when one of the peer's turns may be free; nothing where one is. */
  readonly turn: () => Promise<void> | undefined
  readonly begin: () => void
  readonly end: () => void
  /** A frame is longer than it may be. */
  readonly oversized: () => void
  /** The stream broke, while it counted. */
  readonly broken: (error: Error) => void
}

export class PeerReading {
  readonly #stream: Stream
  readonly #held: HeldReads
  readonly #rules: ReadingRules
  readonly #frames: FrameReader
  #isBusy = false
  #turnAt = 0

  constructor(stream: Stream, rules: ReadingRules) {
    this.#stream = stream
    this.#held = new HeldReads(stream)
    this.#rules = rules
    this.#frames = new FrameReader(rules.maxFrameBytes)
    stream.maxReadBufferLength = MAX_PAUSED_BYTES
    stream.addEventListener("message", this.#onMessage)
    stream.addEventListener("close", ({ error }) => {
      if (error !== undefined && rules.isCurrent()) rules.broken(error)
    })
  }

  /** @param data in one piece or several, and either is made one by the same word */
  readonly #onMessage = ({ data }: { readonly data: { subarray(): Uint8Array } }): void => {
    this.#frames.push(data.subarray())
    if (!this.#isBusy) this.#go().catch(this.#onBug)
    else this.#held.pause()
  }

  async #go(): Promise<void> {
    this.#isBusy = true
    this.#turnAt = this.#rules.nowMs()
    let frame = this.#frames.next()
    while (frame !== undefined) {
      if (!this.#rules.isCurrent()) return this.#leave()
      if (frame === "oversized") {
        this.#rules.oversized()
        return this.#leave()
      }
      const rpc = this.#rules.admit(frame)
      if (rpc !== undefined) await this.#hand(rpc)
      if (this.#isLong()) await this.#nextTurn()
      frame = this.#frames.next()
    }
    this.#isBusy = false
    // What it held comes within this call.
    if (this.#held.isPaused) this.#held.resume()
  }

  #hand(rpc: Rpc): Promise<void> | undefined {
    if (rpc.subscriptions.length > 0 || rpc.control !== undefined) this.#rules.control(rpc)
    return rpc.messages.length > 0 ? this.#messages(rpc.messages) : undefined
  }

  async #messages(messages: ReadonlyArray<RpcMessage>): Promise<void> {
    const rules = this.#rules
    for (const message of messages) {
      if (!rules.isWanted(message)) continue
      let turn = rules.turn()
      while (turn !== undefined) {
        await turn
        turn = rules.turn()
      }
      if (this.#isLong()) await this.#nextTurn()
      if (!rules.isCurrent()) return
      // Its topic may have closed meanwhile.
      if (!rules.isOpen(message.topic)) continue
      rules.begin()
      // Nothing that goes wrong in there is a reason to hear no more of a peer.
      rules.message(message).then(rules.end, rules.end)
    }
  }

  #isLong(): boolean {
    return this.#rules.nowMs() - this.#turnAt > TURN_MS
  }

  async #nextTurn(): Promise<void> {
    await this.#rules.nextTurn()
    this.#turnAt = this.#rules.nowMs()
  }

  /** A rule broke: nobody out there can do that. */
  readonly #onBug = (thrown: unknown): void => {
    this.#leave()
    this.#rules.broken(thrown instanceof Error ? thrown : new Error(String(thrown)))
  }

  /** For good: it stays busy. */
  #leave(): void {
    this.#stream.removeEventListener("message", this.#onMessage)
    this.#stream.abort(new Error("not heard any longer"))
  }
}
