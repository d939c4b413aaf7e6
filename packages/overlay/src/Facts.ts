/** What an overlay tells about its peers, for monitors, scores and logs. */
import type { RequestFault } from "@satwire/requests"
import type { MessengerFault } from "./Messenger.ts"

/**
 * What no honest peer does. `malformed frame`: a request or answer that is none. `oversize`, `malformed`, `unsigned`: a message that is not of its
 * kind. `unknown kind`: nobody here knows it; it may be of a later version. `lying state`: a chunk whose proof does not hold. `flood`: asks for
 * peers more often than may be.
 */
export type OverlayFault =
  | MessengerFault
  | RequestFault
  | "malformed frame"
  | "oversize"
  | "malformed"
  | "unsigned"
  | "unknown kind"
  | "lying state"
  | "flood"

export type OverlayFact =
  | { readonly _tag: "PeerUp" | "PeerGone"; readonly peer: string }
  /** It has cost the peer that message and no more: dropping it is for who listens. */
  | { readonly _tag: "Faulted"; readonly peer: string; readonly fault: OverlayFault; readonly detail: string }
