/** Who looks on while messages come and go, for a trace or a capture. It changes nothing. */
import type { Message } from "@satwire/wire"
import type { TrafficLabel } from "./Traffic.ts"

/** A message of one connection, within the turn: what it refers to is the connection's, and is copied by who keeps it. */
export interface WatchedMessage {
  readonly side: "received" | "sent"
  /** As traffic is counted: a command that is not in the table is `*other*`. */
  readonly label: TrafficLabel
  /** `undefined` for what is no message, or did not decode. */
  readonly message: Message | undefined
  /** Of the whole frame or packet. */
  readonly sizeBytes: number
}

export type MessageWatch = (watched: WatchedMessage) => void
