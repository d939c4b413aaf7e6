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
import { Envelopes, type EnvelopesOptions, FrameReader } from "./Envelopes.ts"
import type { Messenger, MessengerFault, MessengerHandlers, Outgoing } from "./Messenger.ts"

/**
 * Bytes that may wait for a peer that takes them slowly; with more it is dropped.
 *
 * @limit bytes that wait for a slow peer of an overlay
 */
export const MAX_WAITING_BYTES = 16_777_216
/** What may wait while a large answer goes on. */
const DRAINED_BYTES = 1_048_576
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
  readonly frames: FrameReader
  readonly waiting: Set<() => void>
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
  readonly #listeners: Set<MessengerHandlers> = new Set()
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
    const member: Member = { connection, frames: new FrameReader(), waiting: new Set() }
    this.#members.set(peer, member)
    for (const { onPeer } of this.#listeners) onPeer(peer)
    connection.start({
      onBytes: (bytes) => this.#read(peer, member, bytes),
      onDrain: () => wakeAll(member),
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
    Effect.callback((resume) => {
      const member = this.#members.get(peer)
      if (member === undefined || member.connection.bufferedBytes <= DRAINED_BYTES) return resume(Effect.void)
      const wake = () => resume(Effect.void)
      member.waiting.add(wake)
      return Effect.sync(() => member.waiting.delete(wake))
    })

  readonly drop = (peer: string): void => this.#members.get(peer)?.connection.destroy()

  readonly listen = (handlers: MessengerHandlers): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        this.#listeners.add(handlers)
        for (const peer of this.peers()) handlers.onPeer(peer)
      }),
      () => Effect.sync(() => this.#listeners.delete(handlers))
    )

  close(): void {
    for (const { connection } of this.#members.values()) connection.destroy()
  }

  #read(peer: string, member: Member, bytes: Uint8Array): void {
    const fault = (what: MessengerFault, detail: string): void => {
      for (const { onFault } of this.#listeners) onFault(peer, what, detail)
      if (what === "not an envelope" || what === "forged") member.connection.destroy()
    }
    const isFramed = member.frames.read(bytes, (frame) => {
      const letter = this.#envelopes.open(frame, fault)
      if (letter === "stop") return false
      if (letter !== undefined) for (const { onLetter } of this.#listeners) onLetter(peer, letter)
      return true
    })
    if (!isFramed) fault("not an envelope", "a length that no envelope has")
  }

  #gone(peer: string, member: Member): void {
    this.#members.delete(peer)
    wakeAll(member)
    for (const { onGone } of this.#listeners) onGone(peer)
  }
}

const wakeAll = ({ waiting }: Member): void => {
  const woken = [...waiting]
  waiting.clear()
  for (const wake of woken) wake()
}
