/** What a distributed hash table knows: where a peer is, who is near a key, who provides something. */
import type { PeerInfo } from "@libp2p/interface"
import type { Random } from "@satwire/machine"
import { CID } from "multiformats/cid"
import * as Raw from "multiformats/codecs/raw"
import { sha256 } from "multiformats/hashes/sha2"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { parsePeer } from "./Addresses.ts"
import { type FoundPeer, foundPeer } from "./Discovery.ts"
import type { Engine } from "./Engine.ts"

/**
 * A query asks peers on, who may be slow or gone.
 *
 * @limit milliseconds of a query of the distributed hash table, unless told otherwise
 */
export const QUERY_TIMEOUT_MS = 30_000

interface RoutingErrorFields {
  readonly reason: "NotFound" | "TimedOut" | "NoTable" | "Other"
  readonly message: string
}

const RoutingErrorBase: new (
  fields: RoutingErrorFields
) => Cause.YieldableError & { readonly _tag: "RoutingError" } & RoutingErrorFields = Data.TaggedError("RoutingError")

/** The table gave no answer. */
export class RoutingError extends RoutingErrorBase {}

export interface RoutingShape {
  /** Where that peer is, by those who are near it in the table. */
  readonly findPeer: (peerId: string) => Effect.Effect<FoundPeer, RoutingError>
  /** Peers near a key, those of a query as they come. */
  readonly closestPeers: (key: Uint8Array) => Stream.Stream<FoundPeer, RoutingError>
  /** Peers near as many random keys, each once: a sample of all who are in the table. */
  readonly crawl: (keys: number) => Stream.Stream<FoundPeer, RoutingError>
  /** Tells the table that we have what is known by this key. */
  readonly provide: (key: Uint8Array) => Effect.Effect<void, RoutingError>
  readonly findProviders: (key: Uint8Array) => Stream.Stream<FoundPeer, RoutingError>
}

const REASONS: Partial<Record<string, RoutingErrorFields["reason"]>> = {
  NotFoundError: "NotFound",
  QueryAbortedError: "TimedOut",
  TimeoutError: "TimedOut",
  AbortError: "TimedOut",
  NoPeerRoutersError: "NoTable",
  NoContentRoutersError: "NoTable"
}

const failed = (thrown: unknown): RoutingError => {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
  return new RoutingError({ reason: REASONS[name] ?? "Other", message: `The table of peers: ${message}` })
}

const asked = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, RoutingError> =>
  Effect.tryPromise({ try: run, catch: failed }).pipe(
    Effect.timeoutOrElse({
      duration: QUERY_TIMEOUT_MS,
      orElse: () =>
        Effect.fail(new RoutingError({ reason: "TimedOut", message: "The table of peers did not answer in time." }))
    })
  )

/** Bounded in time where it is read slowly, too: a query holds connections. */
const query = (run: (signal: AbortSignal) => AsyncIterable<PeerInfo>): Stream.Stream<FoundPeer, RoutingError> =>
  Stream.suspend(() =>
    Stream.fromAsyncIterable(run(AbortSignal.timeout(QUERY_TIMEOUT_MS)), failed).pipe(
      Stream.map((info) => foundPeer(info, "dht"))
    )
  )

/** A key of any bytes as the identifier of a content, which is what providers are found by. */
const contentOf = async (key: Uint8Array): Promise<CID> => CID.createV1(Raw.code, await sha256.digest(key))

export const routingOf = (engine: Engine, random: Random): RoutingShape => {
  const closestPeers = (key: Uint8Array): Stream.Stream<FoundPeer, RoutingError> =>
    query((signal) => engine.peerRouting.getClosestPeers(key, { signal }))
  return {
    closestPeers,
    findPeer: (text) => {
      const peerId = parsePeer(text)
      if (peerId === undefined) {
        return Effect.fail(new RoutingError({ reason: "NotFound", message: `"${text.slice(0, 80)}" is no peer's id.` }))
      }
      return Effect.map(
        asked((signal) => engine.peerRouting.findPeer(peerId, { signal })),
        (info) => foundPeer(info, "dht")
      )
    },
    crawl: (keys) =>
      Stream.suspend(() => {
        const seen = new Set<string>([engine.peerId.toString()])
        return Stream.range(1, keys).pipe(
          Stream.flatMap(() => closestPeers(random.bytes(32))),
          Stream.filter(({ peerId }) => !seen.has(peerId) && seen.add(peerId).size > 0)
        )
      }),
    provide: (key) => asked(async (signal) => engine.contentRouting.provide(await contentOf(key), { signal })),
    findProviders: (key) =>
      Stream.unwrap(
        Effect.map(
          Effect.promise(() => contentOf(key)),
          (content) => query((signal) => engine.contentRouting.findProviders(content, { signal }))
        )
      )
  }
}
