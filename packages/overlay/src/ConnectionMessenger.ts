/**
 * Envelopes over connections of any transport, each with its length before it. It verifies who signed, drops what is over or was there before,
 * and asks nobody who he is: a peer is a connection. Sessions with a handshake, scores and rates are another messenger.
 *
 * ```
 *   u32 length | envelope | u32 length | envelope …
 * ```
 */
import { type Connection, formatEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Envelopes, type EnvelopesOptions } from "./Envelopes.ts"
import type { Messenger, MessengerHandlers, Outgoing } from "./Messenger.ts"
import { DRAINED_BYTES, DrainWaiters, Listeners, MAX_WAITING_BYTES, letterReader } from "./MessengerParts.ts"

/**
 * @limit peers of a messenger over plain connections
 */
export const MAX_MESSENGER_PEERS = 1024
export interface ConnectionMessenger extends Messenger {
  /**
   * Takes a connection that is not started, either end's, and names the peer by its endpoint and a number. `undefined` where there are
   * {@link MAX_MESSENGER_PEERS} already: then it is destroyed.
   */
  readonly join: (connection: Connection) => string | undefined
}

interface Member {
  readonly connection: Connection
  readonly waiting: DrainWaiters
}

/** Makes a messenger that drops all its peers with the scope. */
export const makeConnectionMessenger = (
  options: EnvelopesOptions = {}
): Effect.Effect<ConnectionMessenger, never, Scope.Scope> =>
  Effect.gen(function* () {
    const messenger = new Connections(yield* Envelopes.make(options))
    yield* Effect.addFinalizer(() => Effect.sync(() => messenger.close()))
    return messenger
  })

class Connections implements ConnectionMessenger {
  readonly #envelopes: Envelopes
  readonly #members: Map<string, Member> = new Map()
  readonly #listeners: Listeners = new Listeners()
  #named = 0

  constructor(envelopes: Envelopes) {
    this.#envelopes = envelopes
  }

  get canSign(): boolean {
    return this.#envelopes.canSign
  }

  readonly peers = (): ReadonlyArray<string> => [...this.#members.keys()]

  readonly join = (connection: Connection): string | undefined => {
    if (this.#members.size >= MAX_MESSENGER_PEERS) {
      connection.destroy()
      return undefined
    }
    const peer = `${formatEndpoint(connection.remote)}#${this.#named++}`
    const member: Member = { connection, waiting: new DrainWaiters() }
    this.#members.set(peer, member)
    this.#listeners.onPeer(peer)
    connection.start({
      onBytes: letterReader(this.#envelopes, this.#listeners, peer, () => connection.destroy()),
      onDrain: () => member.waiting.wake(),
      onClose: () => this.#gone(peer, member)
    })
    return peer
  }

  readonly send = (peer: string, message: Outgoing): boolean => {
    const member = this.#members.get(peer)
    if (member === undefined) return false
    member.connection.write(this.#envelopes.seal(message))
    if (member.connection.bufferedBytes <= MAX_WAITING_BYTES) return true
    member.connection.destroy()
    return false
  }

  readonly drained = (peer: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const member = this.#members.get(peer)
      return member === undefined
        ? Effect.void
        : member.waiting.until(() => member.connection.bufferedBytes <= DRAINED_BYTES)
    })

  readonly drop = (peer: string): void => this.#members.get(peer)?.connection.destroy()

  readonly listen = (handlers: MessengerHandlers): Effect.Effect<void, never, Scope.Scope> =>
    this.#listeners.listen(handlers, this.peers)

  close(): void {
    for (const { connection } of this.#members.values()) connection.destroy()
  }

  #gone(peer: string, member: Member): void {
    this.#members.delete(peer)
    member.waiting.wake()
    this.#listeners.onGone(peer)
  }
}
