/**
 * Where randomness comes from: a seed of the platform's entropy for the one generator that a node's machines draw from. A test provides
 * its own seed and gets the same run again.
 */
import { ChaChaRandom } from "@satwire/crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }

/** Gives 32 fresh bytes for a seed. */
export const Entropy: Context.Reference<() => Uint8Array> = Context.Reference("@satwire/runtime/Entropy", {
  defaultValue: () => () => crypto.getRandomValues(new Uint8Array(32))
})

/** A generator with a seed of its own. */
export const seededRandom: Effect.Effect<ChaChaRandom> = Effect.gen(function* () {
  const seed = yield* Entropy
  return new ChaChaRandom(seed())
})
