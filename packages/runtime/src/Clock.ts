/**
 * The two readings of time that machines are given, from Effect's one replaceable `Clock`: whoever provides another one (a test, a
 * mocked time) moves deadlines and wall clock together.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"

const NANOS_PER_MS = 1_000_000

/** A function that reads the clock of this fiber. Instants count from this moment on, in milliseconds with their fractions. */
export const nowReader: Effect.Effect<() => Now> = Clock.clockWith((clock) =>
  Effect.sync(() => {
    const start = clock.monotonicTimeNanosUnsafe()
    return () => ({
      instant: Instant(Number(clock.monotonicTimeNanosUnsafe() - start) / NANOS_PER_MS),
      unix: UnixSeconds(Math.floor(clock.currentTimeMillisUnsafe() / 1000))
    })
  })
)
