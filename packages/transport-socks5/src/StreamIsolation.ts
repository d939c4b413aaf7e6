/**
 * Stream isolation, as Bitcoin Core has it since 30 (netbase.cpp `TorStreamIsolationCredentialsGenerator`).
 *
 * Specification: each dial gets credentials of its own, a prefix that is drawn once and a count.
 *
 * Rationale: Tor sends streams with different credentials over different circuits, so that no exit or service sees which connections
 * are of one node. The prefix keeps circuits of an earlier run, or of another program at the same proxy, from being shared.
 */
import type { Random } from "@satwire/machine"

/** RFC 1929: at most 255 bytes each. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** Gives other credentials at each call. */
export const isolatedStreams = (random: Random): (() => Credentials) => {
  const prefix = random.u64().toString(16).padStart(16, "0")
  let count = 0
  return () => {
    const name = `${prefix}-${count++}`
    return { username: name, password: name }
  }
}
