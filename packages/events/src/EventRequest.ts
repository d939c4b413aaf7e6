/** What a reader asks for, as it stands behind the `?` of the address. */
import * as Result from "effect/Result"
import { FORMATS, type Format } from "./Codec.ts"
import { TOPICS, type Topic } from "./Event.ts"
import type { MessageDetail } from "./FactEvents.ts"

export interface EventRequest extends MessageDetail {
  readonly topics: ReadonlySet<Topic>
  readonly format: Format
}

const NAMES = ["topics", "format", "decode", "payload"]

/**
 * `topics=peer,tip&format=json&decode=1&payload=1`. Without topics all but messages; without a format MessagePack. What is not understood is
 * said in one sentence.
 */
export const parseEventRequest = (query: URLSearchParams): Result.Result<EventRequest, string> => {
  const unknown = [...query.keys()].find((name) => !NAMES.includes(name))
  if (unknown !== undefined) return Result.fail(`there is no parameter of that name: there are ${NAMES.join(", ")}`)
  const topics = query.get("topics")?.split(",") ?? TOPICS.filter((topic) => topic !== "message")
  if (!topics.every(isTopic)) return Result.fail(`topics must be of ${TOPICS.join(", ")}, with commas between them`)
  const format = query.get("format") ?? "msgpack"
  if (!isFormat(format)) return Result.fail(`format must be one of ${FORMATS.join(", ")}`)
  const switches = { decode: query.get("decode") ?? "0", payload: query.get("payload") ?? "0" }
  for (const [name, value] of Object.entries(switches)) {
    if (value !== "0" && value !== "1") return Result.fail(`${name} must be 0 or 1`)
  }
  return Result.succeed({
    topics: new Set(topics),
    format,
    decoded: switches.decode === "1",
    payload: switches.payload === "1"
  })
}

const isTopic = (name: string): name is Topic => (TOPICS as ReadonlyArray<string>).includes(name)
const isFormat = (name: string): name is Format => (FORMATS as ReadonlyArray<string>).includes(name)
