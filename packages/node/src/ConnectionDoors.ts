/** What a running node is told about its connections: whom to have them with, and what is done with one. */
import type { DialKind, Subnet } from "@satwire/connections"
import type { PeerId } from "@satwire/machine"
import type { NodeCore, NodeCoreInput } from "@satwire/node-core"
import type { StoreError } from "@satwire/store"
import { type Endpoint, formatEndpoint } from "@satwire/transport"
import { commandBytes } from "@satwire/wire"
import * as Effect from "effect/Effect"
import type { KeptPeers } from "./KeptPeers.ts"

export interface ConnectionDoors {
  /** Keeps a connection to this address from now on; also to one that was given up before. With `"v1"` the encrypted transport is not tried. */
  readonly connect: (endpoint: Endpoint, transport?: "v1") => Effect.Effect<void>
  /** Keeps a connection to this address no more, and ends the one that there is. */
  readonly release: (endpoint: Endpoint) => Effect.Effect<void>
  /** Dials once, for this. */
  readonly dialOnce: (endpoint: Endpoint, kind: DialKind, transport?: "v1") => Effect.Effect<void>
  /** Ends a connection. Gives whether there was one. */
  readonly disconnect: (peer: PeerId) => Effect.Effect<boolean>
  /** Pings everybody now of whom no pong is waited for. */
  readonly ping: Effect.Effect<void>
  /**
   * To a peer, as it stands and whatever was agreed: for tests. Gives whether there is such a peer. Dies of a `RangeError` where the command has
   * more than 12 characters.
   */
  readonly sendRaw: (peer: PeerId, command: string, payload: Uint8Array) => Effect.Effect<boolean>
  /**
   * Bans a subnet for so long; its peers are let go. The ban is on disk when this is done, where bans are kept there;
   * where it fails the ban holds all the same, and is saved when it can be.
   */
  readonly ban: (subnet: Subnet, seconds: number) => Effect.Effect<void, StoreError>
  readonly unban: (subnet: Subnet) => Effect.Effect<void, StoreError>
  readonly clearBans: Effect.Effect<void, StoreError>
  /** Whether there are connections at all: where not, all end and none begins. */
  readonly setNetworkActive: (isActive: boolean) => Effect.Effect<void>
}

export const connectionDoors = (given: {
  readonly core: NodeCore
  readonly peers: KeptPeers
  readonly submit: (input: NodeCoreInput) => void
}): ConnectionDoors => {
  const { core, peers, submit } = given
  const submitted = (input: NodeCoreInput): Effect.Effect<void> => Effect.sync(() => submit(input))
  const banned = (input: NodeCoreInput): Effect.Effect<void, StoreError> =>
    Effect.andThen(submitted(input), peers.saveBans)
  const ofPeer = (peer: PeerId, input: NodeCoreInput): Effect.Effect<boolean> =>
    Effect.sync(() => {
      const isThere = core.has(peer)
      if (isThere) submit(input)
      return isThere
    })
  return {
    connect: (endpoint, transport) => submitted({ _tag: "Keep", endpoint: formatEndpoint(endpoint), transport }),
    release: (endpoint) => submitted({ _tag: "Release", endpoint: formatEndpoint(endpoint) }),
    dialOnce: (endpoint, kind, transport) =>
      submitted({ _tag: "DialOnce", endpoint: formatEndpoint(endpoint), kind, transport }),
    disconnect: (peer) => ofPeer(peer, { _tag: "Disconnect", peer }),
    ping: submitted({ _tag: "SendPings" }),
    sendRaw: (peer, command, payload) =>
      Effect.suspend(() => {
        commandBytes(command)
        return ofPeer(peer, { _tag: "SendRaw", peer, command, payload })
      }),
    ban: (subnet, seconds) => banned({ _tag: "Ban", subnet, seconds }),
    unban: (subnet) => banned({ _tag: "Unban", subnet }),
    clearBans: banned({ _tag: "ClearBans" }),
    setNetworkActive: (isActive) => submitted({ _tag: "NetworkActive", isActive })
  }
}
