/**
 * The one contract of everything below the seam.
 *
 * ```
 *             input, now                outputs, in order
 *   edge  ───────────────▶  machine  ───────────────────────▶  edge
 *         ◀───────────────
 *           nextTimeout()
 * ```
 *
 * A machine does no I/O, reads no clock, makes no randomness of its own and keeps no promise. The edge calls `handle`, performs
 * what came out, asks for the next timeout, and when that instant has come hands in a timeout like any other input.
 */
import type { Instant, Now } from "./Time.ts"

/** Where a machine puts its outputs, in the order in which they are to be performed. */
export interface Outbox<in Output> {
  push(output: Output): void
}

/** The same inputs at the same instants with the same seed give the same outputs. */
export interface Machine<in Input, out Output> {
  /** Takes one input, changes state, pushes outputs in order. Total on anything that a peer can send: a throw is our bug. */
  handle(input: Input, now: Now, out: Outbox<Output>): void
  /** The earliest instant at which this machine wants a timeout, or `undefined` for never. Pulled after every `handle`. */
  nextTimeout(): Instant | undefined
}

/**
 * Throws where our own code broke its own rule. Never reachable by what a peer sends: those are faults, and faults are data.
 */
export const assert: (condition: boolean, what: string) => asserts condition = (condition, what) => {
  if (!condition) throw new AssertionError(what)
}

/** A broken invariant of our own: the edge stops the node and prints the seed and the last inputs. */
export class AssertionError extends Error {
  override readonly name = "AssertionError"
}
