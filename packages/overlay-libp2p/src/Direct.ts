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

interface Told {
  readonly "connection:open": Link
  readonly "connection:close": Link
  readonly "peer:identify": { readonly peerId: { toString(): string }; readonly protocols: ReadonlyArray<string> }
}

/** Each of the node's events of a name, as long as the scope. */
export const whenever = <Name extends keyof Told>(
  { engine }: Libp2pNodeShape,
  name: Name,
  then: (detail: Told[Name]) => void
): Effect.Effect<void, never, Scope.Scope> => {
  const told = (event: object): void => then((event as { readonly detail: Told[Name] }).detail)
  return Effect.acquireRelease(
    Effect.sync(() => engine.addEventListener(name, told)),
    () => Effect.sync(() => engine.removeEventListener(name, told))
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
    yield* whenever(node, "peer:identify", ({ peerId: who, protocols }) => {
      if (who.toString() === peerId && !protocols.includes(DCUTR)) say(false)
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
