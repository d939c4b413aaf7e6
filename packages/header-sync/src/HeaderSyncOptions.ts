/** What header sync is made of. */
import type { Sha256 } from "@satwire/crypto"
import type { Random } from "@satwire/machine"
import type { HeaderPoint } from "@satwire/primitives"
import type { HeaderTree } from "./HeaderTree.ts"

/** What this machine does for others. A node on a public network announces nothing that it has not fully checked. */
export interface HeaderSyncRoles {
  /** Answers `getheaders`. */
  readonly serve: boolean
  /** Tells peers of new tips. */
  readonly announce: boolean
}

export interface HeaderSyncOptions {
  readonly tree: HeaderTree
  readonly sha256: Sha256
  readonly roles: HeaderSyncRoles
  /** The protocol version that our `getheaders` name. */
  readonly protocolVersion: number
  /** Salts what is remembered of chains that are looked at before they are kept. */
  readonly random: Random
  /**
   * Points of a chain, lowest first and at most `MAX_STRETCH_HEADERS` apart, along which headers are fetched from several peers at once.
   * They are trusted in nothing; how much may be kept of a chain of little work is bounded by the last of them.
   */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  /** The end of the chain that is shown to others, where that is not the best one but what `Show` says from then on. */
  readonly shown?: number | undefined
}
