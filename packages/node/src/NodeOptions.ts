/** What a node is made of, as data. Where it comes from (flags, environment, a file) is the app's concern. */
import type { TreeBase } from "@satwire/header-sync"
import type { Roles } from "@satwire/node-core"
import type { ChainParams } from "@satwire/primitives"
import type { Endpoint } from "@satwire/transport"

/** Bitcoin Core's `DEFAULT_MAX_PEER_CONNECTIONS` less its eleven outbound ones (net.h). */
export const DEFAULT_MAX_INBOUND = 114

export interface NodeOptions {
  readonly params: ChainParams
  readonly roles: Roles
  /** Where its headers begin when they do not begin with genesis: for tests, snapshots and light clients. */
  readonly base?: TreeBase | undefined
  /** BIP-0014, such as `/satwire:0.1.0/`. */
  readonly userAgent: string
  /** What our `version` offers. */
  readonly services: bigint
  /** Whom to keep connections to. */
  readonly connect: ReadonlyArray<Endpoint>
  /** Where to be found; port 0 takes any free one. */
  readonly listen: Endpoint | undefined
  /** How many inbound connections are taken at most; more are closed at once. */
  readonly maxInbound: number
  /** How long one attempt to connect may take. */
  readonly dialTimeoutMs: number
  /**
   * Whether the encrypted transport is spoken (BIP-0324), as with Core's `-v2transport`: with those who dial as they wish, and where this
   * node dials first that one, and v1 with those who do not know it. Yes where not given.
   */
  readonly v2transport?: boolean | undefined
  /** How many bytes of old blocks may be sent a second, to all peers together; no bound where not given. */
  readonly historicBytesPerSecond?: number | undefined
}
