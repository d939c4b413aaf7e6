/**
 * A session at a SAM bridge: the identity under which streams are opened and accepted, for as long as its control connection stands. It is made
 * when it is first needed, and made anew when the bridge has lost it.
 *
 * Source: I2P "SAM V3"; Bitcoin Core 28.1 `i2p.cpp` (`CreateIfNotCreatedAlready`).
 */
import type { Random } from "@satwire/machine"
import type { Endpoint, OpenConnections } from "@satwire/transport"
import type { SocketAddress } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { destinationOf, endpointOf } from "./Destination.ts"
import { SamFailed } from "./SamFailed.ts"
import { SamTalk, wordsOf } from "./SamTalk.ts"

/** EdDSA-SHA512-Ed25519, as Core asks for where it has no key yet. */
const SIGNATURE_TYPE = "SIGNATURE_TYPE=7"
/** Core's: the keys of both kinds, and few tunnels for who only dials. */
const OPTIONS = "i2cp.leaseSetEncType=4,0"

export interface SessionOptions {
  readonly bridge: SocketAddress
  /** The private key of a lasting identity, as `DEST GENERATE` gives it; another identity each time where not given. */
  readonly privateKey: string | undefined
  readonly random: Random
  /** Counts the control connection. */
  readonly control: OpenConnections
}

export interface SamSession {
  readonly id: string
  /** Who we are. */
  readonly endpoint: Endpoint
  /** The bridge knows no such session any more, although the connection to it stands: the next one is made anew. */
  readonly forget: () => void
}

/** SAM's result where a session is not known (any more). */
export const UNKNOWN_SESSION = "INVALID_ID"

interface Standing {
  readonly session: SamSession
  readonly scope: Scope.Closeable
  readonly isLost: () => boolean
}

/** Gives the session, making it where there is none. It ends with the scope. */
export const sessions = (
  options: SessionOptions
): Effect.Effect<Effect.Effect<SamSession, SamFailed>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    const one = yield* Semaphore.make(1)
    let standing: Standing | undefined
    const make = Effect.gen(function* () {
      if (standing?.isLost() === false) return standing.session
      if (standing !== undefined) yield* Scope.close(standing.scope, Exit.void)
      standing = undefined
      const scope = yield* Scope.fork(outer)
      return yield* create(options).pipe(
        Scope.provide(scope),
        Effect.map(({ talk, id, endpoint }) => {
          let isLost = false
          const forget = (): void => void (isLost = true)
          talk.whenLost(forget)
          const session = { id, endpoint, forget }
          standing = { session, scope, isLost: () => isLost }
          return session
        }),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
    return one.withPermits(1)(make)
  })

const create = Effect.fnUntraced(function* ({ bridge, privateKey, random, control }: SessionOptions) {
  if (privateKey !== undefined && destinationOf(privateKey) === undefined) {
    return yield* Effect.fail(new SamFailed("Malformed", "the private key that we were given is none"))
  }
  const talk = yield* SamTalk.open(bridge, control)
  const id = Array.from(random.bytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("")
  const quantity = privateKey === undefined ? 1 : 3
  const tunnels = `inbound.quantity=${quantity} outbound.quantity=${quantity}`
  const destination = privateKey ?? `TRANSIENT ${SIGNATURE_TYPE}`
  const reply = yield* talk.ask(
    `SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=${destination} ${OPTIONS} ${tunnels}`,
    "SESSION STATUS"
  )
  if (reply.result !== "OK") return yield* Effect.fail(new SamFailed("Refused", `SESSION CREATE: ${wordsOf(reply)}`))
  // Who came with a key is not always told it again.
  const ours = destinationOf(reply.pairs.get("DESTINATION") ?? privateKey ?? "")
  const endpoint = ours === undefined ? undefined : endpointOf(ours)
  if (endpoint === undefined) return yield* Effect.fail(new SamFailed("Malformed", "it gave a session without a key"))
  return { talk, id, endpoint }
})

/** A lasting identity: the private key, which its holder keeps, and where it can be reached. */
export const newIdentity = (
  bridge: SocketAddress,
  open: OpenConnections
): Effect.Effect<{ readonly privateKey: string; readonly endpoint: Endpoint }, SamFailed> =>
  Effect.scoped(
    Effect.gen(function* () {
      const talk = yield* SamTalk.open(bridge, open)
      const reply = yield* talk.ask(`DEST GENERATE ${SIGNATURE_TYPE}`, "DEST REPLY")
      const privateKey = reply.pairs.get("PRIV") ?? ""
      const endpoint = endpointOf(reply.pairs.get("PUB") ?? "")
      if (endpoint !== undefined && destinationOf(privateKey) !== undefined) return { privateKey, endpoint }
      return yield* Effect.fail(new SamFailed("Malformed", `DEST GENERATE: ${wordsOf(reply)}`))
    })
  )
