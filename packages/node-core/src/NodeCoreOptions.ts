/** What a node is made of, and the managers that come of it. */
import type { Aead, Sha256, XOnlyCurve } from "@satwire/crypto"
import { HeaderSync, type HeaderTree } from "@satwire/header-sync"
import type { PeerId, Random } from "@satwire/machine"
import { Miner, type MiningView, type TransactionSource } from "@satwire/mining"
import type { Patience, WatchedMessage } from "@satwire/peer"
import type { ChainParams, HeaderPoint } from "@satwire/primitives"
import { PROTOCOL_VERSION } from "@satwire/wire"
import type { Roles } from "./NodeCoreEvents.ts"

/** What the encrypted transport is computed with. */
export interface V2Backends {
  readonly aead: Aead
  readonly curve: XOnlyCurve
}

/** Looks on while messages come and go. It changes nothing, and calls nothing of the node's. */
export interface NodeCoreWatch {
  /** Whether it looks. */
  readonly isOn: boolean
  /** Within the turn: what the message refers to is the connection's. */
  seen(peer: PeerId, address: string, watched: WatchedMessage): void
}

export interface NodeCoreOptions {
  readonly params: ChainParams
  readonly roles: Roles
  /** The headers, however they came to be here. The node adds to them. */
  readonly tree: HeaderTree
  /** Along which headers are fetched from several peers at once; trusted in nothing. */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  readonly sha256: Sha256
  readonly random: Random
  /** BIP-0014. */
  readonly userAgent: string
  /** What our `version` offers. */
  readonly services: bigint
  /** Speaks the encrypted transport (BIP-0324), where its backends are given. */
  readonly v2?: V2Backends | undefined
  /** How fast old blocks may be sent, over all peers; as fast as they are taken where not given. */
  readonly historicBytesPerSecond?: number | undefined
  /** How long a peer may take for what; Core's times where not given. */
  readonly patience?: Patience | undefined
  /** {@link DEFAULT_MAX_RECEIVED_BYTES} where not given. */
  readonly maxReceivedBytes?: number | undefined
  /** Looks on; nobody does where it is not given. */
  readonly watch?: NodeCoreWatch | undefined
}

export const headerSyncOf = (
  { random, roles, sha256, skeleton, tree }: NodeCoreOptions,
  shown: number | undefined
): HeaderSync | undefined =>
  roles.headers === undefined
    ? undefined
    : new HeaderSync({
        tree,
        sha256,
        roles: roles.headers,
        protocolVersion: PROTOCOL_VERSION,
        random: random.fork(),
        skeleton,
        shown
      })

export const minerOf = (
  { params, random, roles, sha256 }: NodeCoreOptions,
  view: MiningView,
  transactions: TransactionSource | undefined
): Miner | undefined =>
  roles.mining === undefined
    ? undefined
    : new Miner({
        params,
        view,
        sha256,
        payTo: roles.mining.payTo,
        transactions,
        firstExtraNonce: random.u32(),
        isTakenAtOnce: roles.blocks === undefined
      })
