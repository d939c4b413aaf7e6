/**
 * Who comes to a node and speaks no overlay takes a place that a member might have: a member of another network, say.
 *
 * Specification: spared are those of another use: whatever has a stream open of a protocol that somebody added, circuits of relays, which end by
 * themselves, and whom the caller spares. What we dialled ourselves is left alone.
 */
import type { Libp2pNodeShape } from "@satwire/transport-libp2p"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Link } from "./Direct.ts"
import type { Libp2pMessenger } from "./Libp2pMessenger.ts"

export interface StrangersOptions {
  /** How long one who comes has, from the moment on in which the connection stands. Twice as long at most: they are looked at as often. */
  readonly timeoutMs: number
  readonly isSpared?: ((peerId: string) => boolean) | undefined
}

/** Not what every node of libp2p speaks, nor gossip, of which every network's members open a stream. One that is not agreed on yet is of none. */
const isAdded = (protocol: string): boolean =>
  protocol !== "" && !/^\/(ipfs\/|meshsub\/|floodsub\/|libp2p\/dcutr$)/.test(protocol)

const isOfUse = ({ streams }: Link): boolean => streams.some(({ protocol }) => isAdded(protocol))

/** Those of them that nobody uses for anything else. */
export const hangUpOn = (links: ReadonlyArray<Link>): void => {
  for (const link of links) if (!isOfUse(link)) link.abort(new Error("no overlay"))
}

/** Connections with those who are no peers of the overlay. */
export const strangersOf = (
  { engine }: Libp2pNodeShape,
  messenger: Pick<Libp2pMessenger, "peers">
): ReadonlyArray<Link> => {
  const peers = new Set(messenger.peers())
  return engine.getConnections().filter(({ remotePeer }) => !peers.has(remotePeer.toString()))
}

/** Hangs up on who came and speaks no overlay, as long as the scope. */
export const hangUpOnStrangers = (
  node: Libp2pNodeShape,
  messenger: Pick<Libp2pMessenger, "peers">,
  { isSpared = () => false, timeoutMs }: StrangersOptions
): Effect.Effect<void, never, Scope.Scope> => {
  const look = Effect.map(Clock.currentTimeMillis, (now) => {
    for (const connection of strangersOf(node, messenger)) {
      const { direction, limits, remotePeer, timeline } = connection
      const isOld = direction === "inbound" && limits === undefined && timeline.open <= now - timeoutMs
      if (isOld && !isSpared(remotePeer.toString())) hangUpOn([connection])
    }
  })
  return Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(timeoutMs), look))))
}
