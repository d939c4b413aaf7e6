/**
 * What an overlay asks of whatever carries its messages: sessions over any transport, streams of a libp2p node. It knows peers by name, opens
 * envelopes, and verifies what is signed; what is inside is not its matter.
 *
 * Specification: handlers are called from the event loop, for one peer in the order `onPeer`, `onLetter`*, `onGone`. A letter's bytes are the
 * receiver's own. What waits for a slow peer is bounded, and who takes too little is dropped.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A message to be carried: of which kind, its bytes, and whether it is to be signed. */
export interface Outgoing {
  readonly type: string
  readonly body: Uint8Array
  readonly isSigned: boolean
}

/** A message that came, out of its envelope. */
export interface Letter {
  readonly type: string
  readonly body: Uint8Array
  /** The key that signed it, where one did and the signature holds; `undefined` where nobody vouches for it. */
  readonly signer?: Uint8Array | undefined
}

/**
 * What no honest peer does with envelopes. `not an envelope` ends the session. `forged`: a signature that does not hold, which ends it, too.
 * `expired`, `replayed`: a signed envelope after its time, or once more. `other version`: it may be of a later version, and is passed over; told of
 * so that it counts.
 */
export type MessengerFault = "not an envelope" | "forged" | "expired" | "replayed" | "other version"

export interface MessengerHandlers {
  readonly onPeer: (peer: string) => void
  readonly onLetter: (peer: string, letter: Letter) => void
  readonly onFault: (peer: string, fault: MessengerFault, detail: string) => void
  readonly onGone: (peer: string) => void
}

export interface Messenger {
  /** Who is there now. */
  readonly peers: () => ReadonlyArray<string>
  /** Whether there is a key to sign with. */
  readonly canSign: boolean
  /** Sends a message. False where the peer is gone, or is dropped for what waits for it. */
  readonly send: (peer: string, message: Outgoing) => boolean
  /** Waits until a peer has taken most of what was sent to it, or is gone. */
  readonly drained: (peer: string) => Effect.Effect<void>
  /** Ends the session with a peer. */
  readonly drop: (peer: string) => void
  /** Hears of peers and letters until the scope closes; of who is there already, too. */
  readonly listen: (handlers: MessengerHandlers) => Effect.Effect<void, never, Scope.Scope>
}
