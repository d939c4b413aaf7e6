/**
 * `-debug=net`: a line for each message, as Bitcoin Core has them. The node's messages are looked on at while such lines are wanted, and cost
 * nothing else; where they come faster than they are written, a line says how many are missing.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`ProcessMessage`), `net.cpp` (`PushMessage`).
 */
import type { MessageSeen, MessagesLost, NodeShape } from "@satwire/node"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { counted } from "../Numbers.ts"
import type { Wishes } from "./Categories.ts"
import { type LogLine, logLine } from "./LogLine.ts"

/** Tells of messages whenever that is wanted, until it is interrupted. */
export const tellMessages = (node: Pick<NodeShape, "messages">, wishes: Wishes): Effect.Effect<never> => {
  const telling = Stream.runForEach(node.messages, (seen) => logLine(messageLine(seen)))
  return wishes
    .until("debug", "net", true)
    .pipe(Effect.andThen(Effect.raceFirst(telling, wishes.until("debug", "net", false))), Effect.forever)
}

/** Core counts the bytes of the payload; those of what is no message of the table are of all of it. */
export const messageLine = (seen: MessageSeen | MessagesLost): LogLine => {
  const common = { level: "Debug", category: "net" } as const
  if (seen._tag === "Lost")
    return { ...common, text: `${counted(seen.count, "message")} came faster than they are told` }
  const { command, payload, peer, side, sizeBytes } = seen
  const what = `${command} (${payload?.length ?? sizeBytes} bytes) peer=${peer}`
  return { ...common, text: side === "received" ? `received: ${what}` : `sending ${what}` }
}
