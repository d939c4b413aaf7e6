/**
 * Randomness as an argument. A machine is given one at construction and draws everything from it: nonces, salts, choices, delays.
 * `@satwire/crypto` has the generator that both the node (seeded with entropy) and the simulator (seeded with a number) use.
 */
export interface Random {
  /** An unsigned 32-bit integer. */
  u32(): number
  /** An unsigned 64-bit integer. */
  u64(): bigint
  /** An integer in [0, bound), without bias. `bound` lies in 1 .. 2^32. */
  below(bound: number): number
  /** A number in [0, 1) with 53 random bits. */
  unit(): number
  /** `length` random bytes in an array of their own. */
  bytes(length: number): Uint8Array
  /** A generator of its own, seeded by this one: what is drawn from the fork leaves this one's sequence alone. */
  fork(): Random
}

/** An exponentially distributed delay in milliseconds with the given mean (a Poisson process, as Core uses for relay and feelers). */
export const exponentialMs = (random: Random, meanMs: number): number => -Math.log1p(-random.unit()) * meanMs

/** Shuffles in place (Fisher–Yates). */
export const shuffle = <A>(random: Random, items: Array<A>): Array<A> => {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swap = items[i] as A
    items[i] = items[j] as A
    items[j] = swap
  }
  return items
}
