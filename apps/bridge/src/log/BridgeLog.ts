/** Events as structured lines: a word for what happened, and fields. */
import { formatEndpoint } from "@satwire/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { Asker, BridgeEvent } from "../bridge/BridgeEvent.ts"
import { LogBudget } from "./LogBudget.ts"

/** `key=value` pairs, or one JSON object a line. */
export const logLines = (json: boolean): Layer.Layer<never> =>
  Logger.layer([json ? Logger.consoleJson : Logger.consoleLogFmt])

/** Writes one line for each event, as far as its kind's budget goes. */
export const makeTell: Effect.Effect<(event: BridgeEvent) => void> = Effect.gen(function* () {
  const budget = new LogBudget()
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context())
  return (event) => {
    const allowed = budget.take(event._tag, clock.currentTimeMillisUnsafe())
    if (allowed === undefined) return
    const leftOut = allowed.leftOut === 0 ? {} : { leftOut: allowed.leftOut }
    run(Effect.annotateLogs(Effect.logInfo(WORDS[event._tag]), { ...fieldsOf(event), ...leftOut }))
  }
})

const WORDS: Record<BridgeEvent["_tag"], string> = {
  Listening: "listening",
  Rejected: "rejected",
  Refused: "refused",
  Carrying: "carrying",
  Carried: "carried"
}

const fieldsOf = (event: BridgeEvent): Record<string, unknown> => {
  switch (event._tag) {
    case "Listening":
      return { endpoint: formatEndpoint(event.endpoint) }
    case "Rejected":
      return { ...asked(event.asker), status: event.status, why: event.why }
    case "Refused":
      return { ...asked(event.asker), code: event.code, why: event.why }
    case "Carrying":
      return { ...asked(event.asker), address: formatEndpoint(event.address) }
    case "Carried": {
      const { why, toNodeBytes, toPageBytes, seconds } = event.summary
      return { ...asked(event.asker), toNodeBytes, toPageBytes, seconds: Math.round(seconds * 1000) / 1000, why }
    }
  }
}

const asked = ({ source, origin, target }: Asker): Record<string, string> => ({
  source,
  origin: origin ?? "none",
  target
})
