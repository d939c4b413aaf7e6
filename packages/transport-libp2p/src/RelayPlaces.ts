/**
 * The places of a node at its relays. js-libp2p asks for one when it begins to listen, and never again: a place ends with the connection, and a relay
 * that comes back knows of nobody. So who has lost one listens again, until the relay has another.
 */
import type { Listener, Transport } from "@libp2p/interface"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000
const PAUSES = Schedule.jittered(
  Schedule.min([Schedule.exponential(FIRST_PAUSE_MS), Schedule.spaced(LONGEST_PAUSE_MS)])
)

export class RelayPlaces {
  readonly #kept: Array<Effect.Effect<void>> = []

  /** Notes at which relays that transport listens. */
  of(transport: Transport): Transport {
    const make = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = make(options)
      const listen = listener.listen.bind(listener)
      listener.listen = (address) => {
        // Where no relay is named any will do, and js-libp2p looks for another by itself.
        if (address.getComponents().length > 1) this.#kept.push(kept(listener, () => listen(address)))
        return listen(address)
      }
      return listener
    }
    return transport
  }

  readonly keep: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() =>
    Effect.forEach(this.#kept, (one) => Effect.forkScoped(one), { discard: true })
  )
}

const kept = (listener: Listener, listen: () => Promise<void>): Effect.Effect<never> => {
  const lost = Effect.callback<void>((resume) => {
    const look = (): void => {
      if (listener.getAddrs().length === 0) resume(Effect.void)
    }
    listener.addEventListener("listening", look)
    look()
    return Effect.sync(() => listener.removeEventListener("listening", look))
  })
  // A pause comes first: it may be the relay that drops whom it gave a place.
  const ask = Effect.delay(Effect.tryPromise(listen), FIRST_PAUSE_MS)
  return Effect.forever(Effect.andThen(lost, Effect.ignore(Effect.retry(ask, PAUSES))))
}
