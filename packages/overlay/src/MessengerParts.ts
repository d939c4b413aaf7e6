/** What every messenger has, whatever carries its letters: who listens, who waits for a slow peer, and what becomes of bytes that came. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Envelopes, FrameReader } from "./Envelopes.ts"
import type { Letter, MessengerFault, MessengerHandlers } from "./Messenger.ts"

/**
 * Bytes that may wait for a peer that takes them slowly; with more it is dropped.
 *
 * @limit bytes that wait for a slow peer of an overlay
 */
export const MAX_WAITING_BYTES = 16_777_216
/** What may wait while a large answer goes on. */
export const DRAINED_BYTES = 1_048_576

/** Tells all who listen, in the order in which they came. */
export class Listeners implements MessengerHandlers {
  readonly #all: Set<MessengerHandlers> = new Set()

  /** Tells them from now on, until the scope closes, and of the peers that are there already. */
  listen(handlers: MessengerHandlers, peers: () => Iterable<string>): Effect.Effect<void, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        this.#all.add(handlers)
        for (const peer of peers()) handlers.onPeer(peer)
      }),
      () => Effect.sync(() => this.#all.delete(handlers))
    )
  }

  onPeer(peer: string): void {
    for (const { onPeer } of this.#all) onPeer(peer)
  }

  onLetter(peer: string, letter: Letter): void {
    for (const { onLetter } of this.#all) onLetter(peer, letter)
  }

  onFault(peer: string, fault: MessengerFault, detail: string): void {
    for (const { onFault } of this.#all) onFault(peer, fault, detail)
  }

  onGone(peer: string): void {
    for (const { onGone } of this.#all) onGone(peer)
  }
}

/** Those who wait until a peer has taken most of what was sent to it. */
export class DrainWaiters {
  readonly #waiting: Set<() => void> = new Set()

  /** Waits where `isDrained` does not hold yet. */
  until(isDrained: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (isDrained()) return resume(Effect.void)
      const wake = () => resume(Effect.void)
      this.#waiting.add(wake)
      return Effect.sync(() => this.#waiting.delete(wake))
    })
  }

  /** It has, or it is gone. */
  wake(): void {
    const woken = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of woken) wake()
  }
}

/** Reads what comes from a peer on one way, in any pieces, and tells of it. `end` is called where that ends the session. */
export const letterReader = (
  envelopes: Envelopes,
  listeners: Listeners,
  peer: string,
  end: () => void
): ((bytes: Uint8Array) => void) => {
  const frames = new FrameReader()
  const fault = (what: MessengerFault, detail: string): void => {
    listeners.onFault(peer, what, detail)
    if (what === "not an envelope" || what === "forged") end()
  }
  return (bytes) => {
    const isFramed = frames.read(bytes, (frame) => {
      const letter = envelopes.open(frame, fault)
      if (letter === "stop") return false
      if (letter !== undefined) listeners.onLetter(peer, letter)
      return true
    })
    if (!isFramed) fault("not an envelope", "a length that no envelope has")
  }
}
