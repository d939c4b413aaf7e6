/**
 * Events as bytes and as text. Runs in a browser.
 *
 * MessagePack is the usual way: maps with their names in each event, so that any reader of MessagePack reads them, and a payload as `bin`. In
 * JSON the payload is hexadecimal; all else is the same.
 */
import { fromHex, toHex } from "@satwire/bytes"
import { Packr } from "msgpackr/pack"
import { Unpackr } from "msgpackr/unpack"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type NodeEvent, NodeEventSchema } from "./Event.ts"

export const FORMATS = ["msgpack", "json"] as const
export type Format = (typeof FORMATS)[number]

// No records and no structures of msgpackr's own: others could not read them.
const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

const decodeRecord = Schema.decodeUnknownResult(NodeEventSchema)

/** What goes into one WebSocket message: bytes in MessagePack, text in JSON. */
export const encodeEvent = (event: NodeEvent, format: Format): Uint8Array<ArrayBuffer> | string => {
  if (format === "msgpack") return Uint8Array.from(packr.pack(event))
  return JSON.stringify(event, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))
}

/** An event of a WebSocket message, in whichever format; what is wrong with it, in words, where it is none that is known here. */
export const decodeEvent = (data: string | ArrayBuffer | Uint8Array): Result.Result<NodeEvent, string> => {
  const raw = Result.try({
    try: (): unknown =>
      typeof data === "string"
        ? withPayload(JSON.parse(data))
        : unpackr.unpack(data instanceof Uint8Array ? data : new Uint8Array(data)),
    catch: () => "it is neither MessagePack nor JSON"
  })
  return Result.flatMap(raw, (value) => Result.mapError(decodeRecord(value), ({ message }) => message))
}

const withPayload = (event: unknown): unknown => {
  if (typeof event !== "object" || event === null || !("payload" in event)) return event
  const { payload } = event
  return { ...event, payload: typeof payload === "string" ? fromHex(payload) : payload }
}
