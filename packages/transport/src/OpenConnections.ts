/**
 * What a transport has open: connections, and attempts under way. It is what ties plain calls to an Effect scope: the transport's
 * layer closes it, and a closed connection drops out, so nothing grows.
 */
import * as Effect from "effect/Effect"

export interface Destroyable {
  destroy(): void
}

export class OpenConnections {
  readonly #open: Set<Destroyable> = new Set()
  #closing = false
  #whenEmpty: (() => void) | undefined = undefined

  get count(): number {
    return this.#open.size
  }

  /** Counts it until {@link remove}. What comes after {@link closeAll} began is destroyed at once. */
  add(connection: Destroyable): void {
    this.#open.add(connection)
    if (this.#closing) connection.destroy()
  }

  /** To be called when it is closed for good: no handle of the platform is left. */
  remove(connection: Destroyable): void {
    this.#open.delete(connection)
    if (this.#open.size === 0) this.#whenEmpty?.()
  }

  /** Destroys all of them and waits until each is closed. */
  readonly closeAll: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.#closing = true
    this.#whenEmpty = () => resume(Effect.void)
    for (const connection of this.#open) connection.destroy()
    if (this.#open.size === 0) resume(Effect.void)
    // The last one's own handlers have their say before the scope goes on.
  }).pipe(Effect.andThen(Effect.yieldNow))
}
