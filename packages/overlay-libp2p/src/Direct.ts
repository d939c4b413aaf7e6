/** A direct connection in place of one through a relay that bounds it, as it comes where a hole is punched (DCUtR): whoever was led to dials back. */
import { DialError } from "@satwire/transport"
import { type Libp2pNodeShape, hostOfPeer } from "@satwire/transport-libp2p"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const DCUTR = "/libp2p/dcutr"

type Engine = Libp2pNodeShape["engine"]
export type Link = ReturnType<Engine["getConnections"]>[number]

export const linksWith = ({ engine }: Libp2pNodeShape, peerId: string): ReadonlyArray<Link> =>
  engine.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peerId)

/** Each connection as it comes, or goes, the second with a peer too, as long as the scope. */
export const whenever = (
  { engine }: Libp2pNodeShape,
  event: "connection:open" | "connection:close",
  then: (link: Link) => void
): Effect.Effect<void, never, Scope.Scope> => {
  const told = ({ detail }: { readonly detail: Link }): void => then(detail)
  return Effect.acquireRelease(
    Effect.sync(() => engine.addEventListener(event, told)),
    () => Effect.sync(() => engine.removeEventListener(event, told))
  )
}

/** Waits until there is one; fails where none can come any more, as the peer is gone or punches no holes, and when time is up. */
export const untilDirect = (
  node: Libp2pNodeShape,
  { remotePeer }: Link,
  timeoutMs: number
): Effect.Effect<void, DialError> =>
  Effect.gen(function* () {
    const peerId = remotePeer.toString()
    const isThere = yield* Deferred.make<boolean>()
    const say = (is: boolean): void => void Deferred.doneUnsafe(isThere, Effect.succeed(is))
    const look = (): void => {
      const links = linksWith(node, peerId)
      if (links.some(({ limits }) => limits === undefined)) say(true)
      else if (links.length === 0) say(false)
    }
    yield* whenever(node, "connection:open", look)
    yield* whenever(node, "connection:close", look)
    yield* whenIdentified(node, peerId, (protocols) => {
      if (!protocols.includes(DCUTR)) say(false)
    })
    look()
    const waited = Deferred.await(isThere).pipe(
      Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.succeed(false) })
    )
    if (yield* waited) return
    const endpoint = { host: hostOfPeer(remotePeer), port: 0 }
    const detail = "only a relay leads there that bounds it, and no hole could be punched"
    return yield* new DialError({
      reason: "NotAllowed",
      endpoint,
      code: "LimitedConnectionError",
      asked: peerId,
      detail
    })
  }).pipe(Effect.scoped)

interface Identified {
  readonly peerId: { toString(): string }
  readonly protocols: ReadonlyArray<string>
}

const whenIdentified = (
  { engine }: Libp2pNodeShape,
  peerId: string,
  then: (protocols: ReadonlyArray<string>) => void
): Effect.Effect<void, never, Scope.Scope> => {
  const identified = ({ detail }: { readonly detail: Identified }): void => {
    if (detail.peerId.toString() === peerId) then(detail.protocols)
  }
  return Effect.acquireRelease(
    Effect.sync(() => engine.addEventListener("peer:identify", identified)),
    () => Effect.sync(() => engine.removeEventListener("peer:identify", identified))
  )
}
