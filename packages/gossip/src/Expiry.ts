/**
 * Whether a message that ends by its own word still goes on.
 *
 * ```
 *   fault        │ dropped │ goes on                          │ dropped │ fault
 *   ─────────────┼─────────┼──────────────────────────────────┼─────────┼──────▶ expires
 *        now - 120 s   now - 30 s               now + life + 30 s   now + life + 120 s
 * ```
 *
 * Specification: what one node still passes on is never a fault to the next one, as long as their clocks lie less than a minute apart. Rationale:
 * with one limit for both, whoever writes messages that end right at it has honest nodes banned by their neighbours: the one passes them on, and to
 * the other, a second later or behind, they are over.
 */
import { CLOCK_SKEW_SECONDS } from "@satwire/envelope"
import type { Verdict } from "./Faults.ts"

/** Twice as far as both clocks may lie beside the right one, and time to travel. */
const FAULT_SECONDS: number = 4 * CLOCK_SKEW_SECONDS

export const judgeExpiry = (expires: number, unix: number, maxLifeSeconds: number): Verdict => {
  const late = unix - expires
  const early = expires - unix - maxLifeSeconds
  if (late > FAULT_SECONDS) return { reject: "expired", detail: `${late} seconds ago` }
  if (early > FAULT_SECONDS) return { reject: "invalid", detail: "it expires too late" }
  return late > CLOCK_SKEW_SECONDS || early > CLOCK_SKEW_SECONDS ? "ignore" : "accept"
}
