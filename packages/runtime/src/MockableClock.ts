/**
 * A clock whose time can be set while a node runs: what Bitcoin Core's `-mocktime`, `setmocktime` and `mockscheduler` do. It stands in for
 * Effect's `Clock`, so both readings of `nowReader`, every deadline and every sleep follow it.
 *
 * ```
 *   setMockTime(t)   the wall clock stands at t, and where that is later than it was, instants move on by the difference
 *   setMockTime(0)   the wall clock is the machine's again; instants move on where it is later than what it was held at
 *   elapse(ms)       instants move on, and the wall clock stays
 * ```
 *
 * Specification: instants never go back, and they go on by themselves too while the wall clock is held. Whoever sleeps is woken when a
 * jump passes his deadline.
 *
 * Rationale: Core has clocks that follow the mocked time (most of what peers are timed by) and others that do not (sockets). Here one
 * clock is behind all, so that one `setmocktime` fires every timeout that lies before it. That instants go on in between keeps a
 * process with real sockets alive: what waits for 100 ms need not be mocked forward.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export interface MockableClockShape {
  /** Holds the wall clock at this time, in seconds since 1970; 0 lets it go. */
  readonly setMockTime: (unixSeconds: number) => Effect.Effect<void>
  /** What it is held at; `undefined` while it is the machine's. */
  readonly mockTime: Effect.Effect<number | undefined>
  /** Moves instants on, as if so much time had passed. */
  readonly elapse: (ms: number) => Effect.Effect<void>
}

const MockableClockBase: Context.ServiceClass<MockableClock, "@satwire/runtime/MockableClock", MockableClockShape> =
  Context.Service<MockableClock, MockableClockShape>()("@satwire/runtime/MockableClock")

/** For whoever sets the time. That `Clock` obeys it is the work of {@link MockableClock.layer}. */
export class MockableClock extends MockableClockBase {
  /** Replaces the `Clock` of what it is provided to. */
  static readonly layer = (startAt = 0): Layer.Layer<MockableClock> =>
    Layer.effectContext(
      Effect.map(mockableClock(startAt), ({ clock, control }) =>
        Context.make(MockableClock, control).pipe(Context.add(Clock.Clock, clock))
      )
    )
}

const NANOS_PER_MS = 1_000_000n

/** Such a clock over the one that is there, and what sets it. */
export const mockableClock = (
  startAt = 0
): Effect.Effect<{ readonly clock: Clock.Clock; readonly control: MockableClockShape }> =>
  Clock.clockWith((real) =>
    Effect.sync(() => {
      const mocked = new Mocked(real)
      if (startAt > 0) mocked.hold(startAt)
      const control: MockableClockShape = {
        setMockTime: (unixSeconds) => Effect.sync(() => mocked.set(unixSeconds)),
        mockTime: Effect.sync(() => mocked.held),
        elapse: (ms) => Effect.sync(() => mocked.elapse(ms))
      }
      return { clock: mocked, control }
    })
  )

class Mocked implements Clock.Clock {
  readonly #real: Clock.Clock
  /** Seconds since 1970. */
  #held: number | undefined = undefined
  /** By how much instants are ahead of the real clock's. */
  #aheadNanos = 0n
  /** Of those who sleep. */
  readonly #sleepers: Set<() => void> = new Set()

  constructor(real: Clock.Clock) {
    this.#real = real
  }

  get held(): number | undefined {
    return this.#held
  }

  /** Before anybody has read it: nothing jumps. */
  hold(unixSeconds: number): void {
    this.#held = unixSeconds
  }

  set(unixSeconds: number): void {
    const before = this.currentTimeMillisUnsafe()
    this.#held = unixSeconds === 0 ? undefined : unixSeconds
    this.elapse(Math.max(0, this.currentTimeMillisUnsafe() - before))
  }

  elapse(ms: number): void {
    if (ms <= 0) return
    this.#aheadNanos += BigInt(Math.round(ms)) * NANOS_PER_MS
    for (const look of [...this.#sleepers]) look()
  }

  currentTimeMillisUnsafe(): number {
    return this.#held === undefined ? this.#real.currentTimeMillisUnsafe() : this.#held * 1000
  }

  currentTimeNanosUnsafe(): bigint {
    return this.#held === undefined ? this.#real.currentTimeNanosUnsafe() : BigInt(this.#held) * 1000n * NANOS_PER_MS
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.#real.monotonicTimeNanosUnsafe() + this.#aheadNanos
  }

  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const ms = Duration.toMillis(duration)
    if (ms <= 0 || !Number.isFinite(ms)) return this.#real.sleep(duration)
    return Effect.suspend(() => this.#until(this.monotonicTimeNanosUnsafe() + BigInt(Math.ceil(ms * 1e6))))
  }

  /** Sleeps in the real clock, and again after every jump that leaves something over. */
  #until(deadline: bigint): Effect.Effect<void> {
    return Effect.suspend(() => {
      const left = deadline - this.monotonicTimeNanosUnsafe()
      if (left <= 0n) return Effect.void
      return Effect.raceFirst(this.#real.sleep(Duration.nanos(left)), this.#jump).pipe(
        Effect.andThen(this.#until(deadline))
      )
    })
  }

  readonly #jump: Effect.Effect<void> = Effect.callback<void>((resume) => {
    const look = (): void => {
      this.#sleepers.delete(look)
      resume(Effect.void)
    }
    this.#sleepers.add(look)
    return Effect.sync(() => this.#sleepers.delete(look))
  })
}
