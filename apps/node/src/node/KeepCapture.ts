/** `-capturemessages`: what peers say and are told goes into files, and the log says when that ends. */
import { join } from "node:path"
import { CAPTURE_FOLDER, type CaptureEnd, captureMessages } from "@satwire/capture"
import type { NodeShape } from "@satwire/node"
import { layerFiles } from "@satwire/store"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { counted } from "../Numbers.ts"

/** Captures while the scope is open. */
export const keepCapture = (
  node: NodeShape,
  directory: string,
  maxBytes: number
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const root = join(directory, CAPTURE_FOLDER)
    yield* Effect.logWarning(`All messages are kept in ${root}: that is for looking into something, not for every day.`)
    yield* captureMessages({ root, messages: node.messages, maxBytes }).pipe(
      Effect.flatMap(({ end, lost, records }) => {
        const why = whyEnded(end)
        if (why === undefined) return Effect.void
        const missed = lost === 0 ? "" : ` ${counted(lost, "message")} came faster than they were written.`
        return Effect.logWarning(`${why} ${counted(records, "message")} of this run are kept.${missed}`)
      }),
      Effect.provide(layerFiles),
      Effect.forkScoped({ startImmediately: true })
    )
  })

const whyEnded = (end: CaptureEnd): string | undefined => {
  switch (end._tag) {
    case "Ended":
      return undefined
    case "LimitReached":
      return "No more messages are captured: --capturelimit is reached."
    case "DiskFailed":
      return `No more messages are captured: ${end.error.message}`
  }
}
