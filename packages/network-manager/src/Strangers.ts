/**
 * Who comes and speaks no overlay takes a place that a member might have: a member of another network, say. It has as long as a handshake.
 *
 * Specification: spared are those of another use to the network: gossip on our topics without an overlay, whatever has a stream open of a protocol
 * that somebody added, and circuits of relays, which end by themselves. A node that is a relay, a server of the hash table or punches holes spares
 * all: who has a place at it, asks it now and then, or has come through a hole may have no stream for a while.
 */
import type { Connection } from "@libp2p/interface"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { NetworkState } from "./NetworkState.ts"
import type { Running } from "./Running.ts"

/** Not what every node of libp2p speaks, nor gossip, of which every network's members open a stream. One that is not agreed on yet is of none. */
const isAdded = (protocol: string): boolean => protocol !== "" && !/^\/(ipfs|meshsub|floodsub)\//.test(protocol)

/** Connections without a peer of the overlay. */
export const connectionsOfOthers = (state: NetworkState, { node }: Pick<Running, "node">): ReadonlyArray<Connection> =>
  node.engine.getConnections().filter(({ remotePeer }) => state.peers.get(remotePeer.toString()) === undefined)

/** Hangs up on them as long as the scope. */
export const hangUpOnStrangers = (state: NetworkState, running: Running): Effect.Effect<void, never, Scope.Scope> => {
  const { dhtMode, handshakeTimeoutMs, options } = state.settings
  const { reachability } = options.node ?? {}
  if (dhtMode === "server" || reachability?.relay !== undefined || reachability?.holePunching === true)
    return Effect.void
  const look = Effect.sync(() => {
    const gossiping = gossipingWith(running)
    const since = state.unixMs() - handshakeTimeoutMs
    for (const connection of connectionsOfOthers(state, running)) {
      const { direction, limits, remotePeer, streams, timeline } = connection
      const isOld = direction === "inbound" && limits === undefined && timeline.open <= since
      const isOfUse = gossiping.has(remotePeer.toString()) || streams.some(({ protocol }) => isAdded(protocol))
      if (isOld && !isOfUse) connection.abort(new Error("no overlay"))
    }
  })
  return Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(handshakeTimeoutMs), look))))
}

const gossipingWith = ({ gossip }: Running): ReadonlySet<string> => {
  const { listeners, pubsub } = gossip?.shared ?? {}
  const topics = [...(listeners?.keys() ?? [])]
  return new Set(topics.flatMap((topic) => pubsub?.getSubscribers(topic).map(String) ?? []))
}
