/**
 * The body of a request that came with its head, as those of most calls do, which are shorter than a segment of TCP: it need not be waited for, so
 * nobody has to watch how long that takes (measured: watching is a fifth of a short call), and no room has to be kept for it.
 */
import { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/** All of it, or `undefined` where some has still to come; then nothing of it is read. */
export const bodyAtOnce = ({ source }: HttpServerRequest): Effect.Effect<Uint8Array | undefined> =>
  source instanceof IncomingMessage ? read(source) : Effect.undefined

/**
 * A request is told of between its head and its body. What was read together with the head is taken apart within this turn of the event loop, and what
 * the fiber's dispatcher is given has its turn afterwards.
 */
const read = (source: IncomingMessage): Effect.Effect<Uint8Array | undefined> =>
  Effect.withFiber(({ currentDispatcher }) =>
    Effect.callback((resume) => {
      let isSettled = false
      const leave = (): void => {
        isSettled = true
        source.off("readable", look)
      }
      const look = (): void => {
        if (!source.complete) return
        leave()
        resume(Effect.succeed((source.read() as Uint8Array | null) ?? NOTHING))
      }
      source.on("readable", look)
      const turnOver = (): void => {
        if (isSettled) return
        leave()
        resume(Effect.undefined)
      }
      currentDispatcher.scheduleTask(turnOver, 0)
      return Effect.sync(leave)
    })
  )

const NOTHING = new Uint8Array(0)
