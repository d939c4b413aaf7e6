/**
 * One visit: a connection, a handshake, one ping, one `getaddr`, and away. A node that is known to speak the encrypted transport is spoken to
 * in it, as is one of which nothing is known; where that comes to nothing it is dialled a second time, in v1. When the time of the crawl is over, who
 * has shaken hands has been there, whatever else he was asked for.
 */
import { type ConnectOptions, type PeerSession, type SessionEnded, connect } from "@satwire/client"
import { type KnownAddress, addressesOf } from "@satwire/discovery"
import type { PeerInfo } from "@satwire/peer"
import type { Dialer, Endpoint } from "@satwire/transport"
import { BIP0031_VERSION, GETADDR, NODE_P2P_V2 } from "@satwire/wire"
import * as Effect from "effect/Effect"

/** How long a node may take for an answer, in times of what a dial may take: it sends what it knows at once, but perhaps from far away. */
const ANSWER_TIMES = 3
/** How long all of a visit may take: a handshake in drops is none. */
const VISIT_TIMEOUT_MS = 90_000
/** A node that tells of itself does so before it answers. */
const MORE_MS = 3000

export interface Visited {
  readonly info: PeerInfo
  /** Where it was reached, which for a name is not the name. */
  readonly remote: Endpoint
  readonly roundTripMs: number | undefined
  readonly told: ReadonlyArray<KnownAddress>
}

export interface VisitOptions extends ConnectOptions {
  readonly dialTimeoutMs: number
  /** Ends when nothing more is waited for. */
  readonly over: Effect.Effect<void>
}

/** `undefined` where nobody answered as a node of this network does. */
export const visit = (
  endpoint: Endpoint,
  services: bigint,
  { over, ...options }: VisitOptions
): Effect.Effect<Visited | undefined, never, Dialer> => {
  const v2transport = services !== 0n && (services & NODE_P2P_V2) === 0n ? "never" : "prefer"
  return Effect.raceFirst(Effect.as(over, undefined), connect(endpoint, { ...options, v2transport })).pipe(
    Effect.flatMap((session) =>
      session === undefined ? Effect.undefined : ask(session, ANSWER_TIMES * options.dialTimeoutMs, over)
    ),
    Effect.scoped,
    (visiting) => within(VISIT_TIMEOUT_MS, visiting)
  )
}

const ask = (session: PeerSession, timeoutMs: number, over: Effect.Effect<void>): Effect.Effect<Visited> =>
  Effect.gen(function* () {
    const { info, remote } = session
    const told: Array<KnownAddress> = []
    const ping = info.commonVersion > BIP0031_VERSION ? session.ping : Effect.never
    let roundTripMs: number | undefined
    const measured = Effect.map(within(timeoutMs, ping), (ms) => void (roundTripMs = ms))
    const all = Effect.all([measured, hear(session, told, timeoutMs)], { concurrency: 2, discard: true })
    yield* Effect.raceFirst(over, all)
    return { info, remote, roundTripMs, told }
  })

/** Asks for addresses, and waits for them: what is more than one is the answer, and what is one may be the node itself. */
const hear = (session: PeerSession, told: Array<KnownAddress>, timeoutMs: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.ignore(session.send(GETADDR))
    const first = yield* within(timeoutMs, nextAddresses(session))
    told.push(...(first ?? []))
    if (first?.length !== 1) return
    told.push(...((yield* within(MORE_MS, nextAddresses(session))) ?? []))
  })

const nextAddresses = (session: PeerSession): Effect.Effect<ReadonlyArray<KnownAddress>, SessionEnded> =>
  Effect.gen(function* () {
    for (;;) {
      const message = yield* session.receive
      if (message._tag === "addr" || message._tag === "addrv2") return addressesOf(message)
    }
  })

/** What comes in time, if it comes. */
const within = <A, E, R>(ms: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A | undefined, never, R> =>
  effect.pipe(
    Effect.timeoutOrElse({ duration: ms, orElse: () => Effect.succeed(undefined) }),
    Effect.catch(() => Effect.succeed(undefined))
  )
