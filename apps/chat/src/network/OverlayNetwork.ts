/** The chat's network over an overlay of `@satwire/overlay`: one kind of message, one question, and faults that end a session. */
import { MAX_RECORD_BYTES } from "../chat/Record.ts"
import { MAX_HISTORY } from "../chat/ChatRooms.ts"
import { MAX_KEPT_BYTES } from "../chat/Room.ts"
import { type OverlayShape, kind, method } from "@satwire/overlay"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ChatNetwork, HistoryFailed } from "./ChatNetwork.ts"

const Records = Schema.Array(Schema.Uint8Array).check(Schema.isMaxLength(MAX_HISTORY))
/** Room for what MessagePack puts around them. */
const AROUND_BYTES = 4096

const RecordKind = kind("chat-record", Schema.Struct({ record: Schema.Uint8Array }), {
  maxBytes: MAX_RECORD_BYTES + 64
})
/** The texts of a room and the presences of those who are in it, which are short. */
const HistoryMethod = method(
  "chat-history",
  kind("chat-history-request", Schema.Struct({ room: Schema.String }), { maxBytes: 256 }),
  kind("chat-history-answer", Schema.Struct({ records: Records }), { maxBytes: 2 * MAX_KEPT_BYTES + AROUND_BYTES })
)

const HISTORY_TIMEOUT_MS = 10_000
/** Who sends so many bad records in all is let go; what an honest peer passes on was good when it had it. */
const MAX_FAULTS = 10

export const overlayNetwork = (overlay: OverlayShape): ChatNetwork => {
  const faults = new Map<string, number>()
  const send = (peers: ReadonlyArray<string>, record: Uint8Array): Effect.Effect<void> =>
    Effect.forEach(peers, (peer) => Effect.ignore(overlay.send(peer, RecordKind, { record })), { discard: true })
  return {
    peers: overlay.peers,
    publish: (record) => Effect.suspend(() => send(overlay.peers(), record)),
    brought: Stream.map(overlay.messages(RecordKind), ({ message: { record }, peer }) => ({
      peer,
      record,
      passOn: Effect.suspend(() =>
        send(
          overlay.peers().filter((other) => other !== peer),
          record
        )
      )
    })),
    askHistory: (peer, room) =>
      overlay.request(peer, HistoryMethod, { room }, { timeoutMs: HISTORY_TIMEOUT_MS }).pipe(
        Effect.map(({ records }) => records),
        Effect.mapError(({ message }) => new HistoryFailed({ peer, message }))
      ),
    serveHistory: (answer) =>
      overlay.serve(HistoryMethod, ({ room }) => Effect.map(answer(room), (records) => ({ records }))),
    arrivals: Stream.flatMap(overlay.facts, (fact) => {
      if (fact._tag === "PeerGone") faults.delete(fact.peer)
      return fact._tag === "PeerUp" ? Stream.succeed(fact.peer) : Stream.empty
    }),
    fault: (peer) =>
      Effect.sync(() => {
        const count = (faults.get(peer) ?? 0) + 1
        faults.set(peer, count)
        if (count >= MAX_FAULTS) overlay.drop(peer)
      })
  }
}
