/** Honest peers that come, talk, and go: in order, or in the middle of anything. */
import { type PeerSession, connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import type { Dialer, Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import { anyOf } from "./Mining.ts"
import { sharedRules } from "./Rules.ts"
import type { World } from "./World.ts"

const LONGEST_STAY_MS = 20_000

/** One comes to one of ours, or to bcoin, and stays for a while. */
export const visit = (world: World): Effect.Effect<void, never, Dialer> =>
  Effect.gen(function* () {
    const { bcoinEndpoint, endpoints, random, tally } = world
    const atOurs = random.below(4) > 0
    const endpoint: Endpoint = atOurs ? anyOf(world, endpoints()) : bcoinEndpoint
    const stayMs = random.below(LONGEST_STAY_MS)
    const talk = talking(world, 1 + random.below(12))
    const options = {
      params: sharedRules,
      sha256: platformSha256,
      aead: platformAead,
      relay: random.below(2) === 0,
      v2transport: atOurs && random.below(2) === 0 ? ("prefer" as const) : ("never" as const)
    }
    tally.add("honest peers")
    const whole = Effect.scoped(Effect.flatMap(connect(endpoint, options), talk)).pipe(
      Effect.tap(() => Effect.sync(() => tally.add("honest peers that were answered"))),
      Effect.ignore
    )
    yield* Effect.ignore(Effect.timeout(whole, stayMs))
  })

/** So many questions of several kinds, drawn before the first is asked. */
const talking = ({ mirror, random }: World, questions: number) => {
  const best = mirror.best
  const drawn = Array.from({ length: questions }, () => ({ kind: random.below(4), at: 1 + random.below(best) }))
  const ask = (session: PeerSession, { at, kind }: (typeof drawn)[number]) => {
    if (kind === 0) return session.ping
    if (kind === 1) return session.headers([mirror.hash(Math.min(at, mirror.best))], undefined)
    if (kind === 2) return session.block(mirror.hash(Math.min(at, mirror.best)))
    return Effect.sleep(random.below(1000))
  }
  return (session: PeerSession) => Effect.forEach(drawn, (question) => ask(session, question), { discard: true })
}
