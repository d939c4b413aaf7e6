/** `satwire peer`: shakes hands with one peer and prints what it says of itself. */
import { type PeerSession, type SessionEnded, connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { networks } from "@satwire/primitives"
import { type DialError, type Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import { BIP0031_VERSION } from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { type Identity, identityOf } from "../config/Identity.ts"
import { loadSettings } from "../config/LoadSettings.ts"
import { endpointOf } from "../network/TargetEndpoint.ts"
import { layerWays } from "../network/Ways.ts"
import { counted } from "../Numbers.ts"
import { type PeerReport, peerReport, peerTable } from "./PeerReport.ts"

const NoAnswerBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "NoAnswer"; readonly message: string } = Data.TaggedError("NoAnswer")

/** There was no peer there to talk to. */
export class NoAnswer extends NoAnswerBase {}

export type RunPeerError = ConfigError | NoAnswer

export const runPeer = (target: string, flags: FlagTexts): Effect.Effect<void, RunPeerError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("peer", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const identity = yield* Effect.fromResult(identityOf(loaded))
    const endpoint = yield* endpointOf(target, identity.params.defaultPort)
    const report = yield* Effect.scoped(ask(endpoint, identity, loaded.settings.timeout)).pipe(
      Effect.provide(layerWays(loaded.settings))
    )
    yield* Console.log(loaded.settings.json === true ? JSON.stringify(report) : peerTable(report))
  })

const ask = (
  endpoint: Endpoint,
  { params, userAgent }: Identity,
  timeoutMs: number
): Effect.Effect<PeerReport, NoAnswer, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const address = formatEndpoint(endpoint)
    const fail = (message: string) => Effect.fail(new NoAnswer({ message }))
    const session = yield* shakeHands(endpoint, { params, userAgent }, timeoutMs).pipe(
      Effect.mapError(
        (error) =>
          new NoAnswer({ message: error._tag === "DialError" ? error.message : whyNot(error, address, params.name) })
      ),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => fail(`${address} did not shake hands within ${counted(timeoutMs)} ms`)
      })
    )
    const said = yield* listen(session)
    const pingMs = yield* ping(session).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => fail(`${address} did not answer a ping within ${counted(timeoutMs)} ms`)
      }),
      Effect.mapError(({ message }) => new NoAnswer({ message }))
    )
    yield* Effect.sleep(LISTEN_MS)
    return peerReport({ address, network: params.name }, session.info, said, pingMs)
  })

/**
 * First in the encrypted transport, and where that comes to nothing, by refusal or in half of the time, in v1: there a stranger says by its
 * first bytes what it is, where of v2 nothing can be told but that it is no answer.
 */
const shakeHands = (
  endpoint: Endpoint,
  { params, userAgent }: Pick<Identity, "params" | "userAgent">,
  timeoutMs: number
): Effect.Effect<PeerSession, SessionEnded | DialError, Dialer | Scope.Scope> => {
  const options = { params, userAgent, sha256: platformSha256, aead: platformAead, dialTimeoutMs: timeoutMs }
  const inV1 = connect(endpoint, { ...options, v2transport: "never" })
  return connect(endpoint, { ...options, v2transport: "only" }).pipe(
    Effect.timeoutOrElse({ duration: timeoutMs / 2, orElse: () => inV1 }),
    Effect.catchTag("SessionEnded", () => inV1)
  )
}

/** How long after its answer a peer may still say what it wants: it does so right after the handshake, and on loopback a pong is quick. */
const LISTEN_MS = 250

/** Notes the commands of messages as they come. */
const listen = (session: PeerSession): Effect.Effect<ReadonlySet<string>, never, Scope.Scope> =>
  Effect.suspend(() => {
    const said = new Set<string>()
    const noting = Stream.runForEach(session.messages, (message) => Effect.sync(() => said.add(message._tag)))
    return Effect.as(Effect.forkScoped(Effect.ignore(noting), { startImmediately: true }), said)
  })

/**
 * The quicker of two pings. Two, because the first arrives together with the end of the handshake: its answer waits for that, and may
 * overtake what the peer then asks for.
 */
const ping = (session: PeerSession): Effect.Effect<number | undefined, SessionEnded> =>
  session.info.commonVersion > BIP0031_VERSION
    ? Effect.zipWith(session.ping, session.ping, Math.min)
    : Effect.succeed(undefined)

/** One sentence that also says what to try. */
const whyNot = (error: SessionEnded, address: string, network: string): string => {
  const { reason } = error
  if (reason._tag === "PeerFault" && reason.reason._tag === "WrongMagic") {
    const { magic } = reason.reason
    const other = Object.values(networks).find((params) => params.magic === magic)?.name
    if (other !== undefined) return `${address} is of ${other}, not of ${network}: try --network=${other}`
  }
  if (reason._tag === "ConnectionClosed") {
    return `${address} closed the connection before the handshake was done: it may be of another network than ${network}, or take no more connections`
  }
  return error.message
}
