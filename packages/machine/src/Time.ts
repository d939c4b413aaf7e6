/**
 * Two readings of one clock, taken together. Machines never read a clock: `runtime` or the simulator hands them both with every
 * input, so that a test that moves time moves everything.
 */
import type { Brand } from "effect/Brand"

/** Monotonic milliseconds since some start of the process. For deadlines and latencies; never goes back, never leaves the process. */
export type Instant = number & Brand<"Instant">

/** Seconds since 1970-01-01 UTC as the wire and the consensus rules carry them. */
export type UnixSeconds = number & Brand<"UnixSeconds">

/** Marks a number as an {@link Instant}. */
export const Instant = (ms: number): Instant => ms as Instant

/** Marks a number as {@link UnixSeconds}. */
export const UnixSeconds = (seconds: number): UnixSeconds => seconds as UnixSeconds

/** The time at which an input is handled. */
export interface Now {
  readonly instant: Instant
  readonly unix: UnixSeconds
}

/** `instant` moved by `ms` milliseconds. */
export const after = (instant: Instant, ms: number): Instant => (instant + ms) as Instant

/** The whole millisecond before, for what is kept of thousands: a number without a fraction needs no memory of its own. */
export const wholeMs = (instant: Instant): Instant => Math.floor(instant) as Instant

/** The earlier of two deadlines, where `undefined` means never. */
export const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined ? b : b === undefined || a <= b ? a : b
