/**
 * A running Node asked from outside to collect its garbage, and what memory is left then: by the inspector that every Node has
 * (`--inspect=127.0.0.1:0`), so the program that is measured needs nothing for it. Nobody is attached but while this asks.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type TortureFailed, failed } from "./TortureFailed.ts"

/** Bytes. */
export interface MemoryUse {
  /** Resident. */
  readonly rss: number
  /** What JavaScript can reach, and what its buffers hold outside its heap. */
  readonly reachable: number
}

const TIMEOUT = "30 seconds"
/** What became free in one collection may free more in the next; and pages go back to the system a little later. */
const COLLECTIONS = 4
const PAUSE = "500 millis"

const Usage = Schema.fromJsonString(
  Schema.Struct({ rss: Schema.Number, heapUsed: Schema.Number, external: Schema.Number })
)
const Reply = Schema.fromJsonString(
  Schema.Struct({
    id: Schema.Int,
    result: Schema.Struct({ result: Schema.optional(Schema.Struct({ value: Schema.optional(Schema.Unknown) })) })
  })
)
const decodeReply = Schema.decodeUnknownEffect(Reply)
const decodeUsage = Schema.decodeUnknownEffect(Usage)

/** One request over a connection of its own. */
const ask = (url: string, method: string, params: object): Effect.Effect<unknown, TortureFailed> =>
  Effect.callback<unknown, TortureFailed>((resume) => {
    const socket = new WebSocket(url)
    const over = (): void => resume(Effect.fail(failed(`the inspector at ${url} did not answer ${method}`)))
    socket.addEventListener("open", () => socket.send(JSON.stringify({ id: 1, method, params })))
    socket.addEventListener("message", ({ data }) => {
      // A process with an inspector that is attached still waits for it when it ends.
      socket.close()
      resume(Effect.succeed(data))
    })
    socket.addEventListener("error", over)
    socket.addEventListener("close", over)
    return Effect.sync(() => socket.close())
  }).pipe(
    Effect.timeout(TIMEOUT),
    Effect.mapError((cause) => failed(`the inspector at ${url} did not answer ${method}`, cause))
  )

/**
 * Collects all garbage and gives what is left.
 *
 * @param url as Node prints it: `ws://127.0.0.1:…`
 */
export const collectedMemory = (url: string): Effect.Effect<MemoryUse, TortureFailed> =>
  Effect.gen(function* () {
    for (let i = 0; i < COLLECTIONS; i++) {
      yield* ask(url, "HeapProfiler.collectGarbage", {})
      yield* Effect.sleep(PAUSE)
    }
    const expression = "JSON.stringify(process.memoryUsage())"
    const answer = yield* ask(url, "Runtime.evaluate", { expression, returnByValue: true })
    const { result } = yield* decodeReply(answer)
    const { external, heapUsed, rss } = yield* decodeUsage(result.result?.value)
    return { rss, reachable: heapUsed + external }
  }).pipe(Effect.mapError((cause) => failed(`the memory of ${url} could not be read`, cause)))
