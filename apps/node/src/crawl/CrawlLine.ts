/** One line of a crawl: a node of the seeds file, with what it said of itself. */
import { type SeedLine, seedLine } from "@satwire/discovery"
import type { UnixSeconds } from "@satwire/machine"
import type { NodeAddress } from "@satwire/netaddress"
import type { PeerInfo } from "@satwire/peer"
import { sanitizeUserAgent } from "@satwire/wire"

/** The fields of a line of `satwire crawl`. Names and meanings stay; new ones may join. */
export interface CrawlLine extends SeedLine {
  /** The protocol version that it speaks. */
  readonly version: number
  /** With everything left out that is no harmless ASCII. */
  readonly userAgent: string
  /** The height of its best block. */
  readonly height: number
  /** `v1`, or `v2` for the encrypted one. */
  readonly transport: string
  /** The round trip of one ping; `null` for a node that did not answer one. */
  readonly roundTripMs: number | null
  /** How many addresses it told of. */
  readonly told: number
}

export interface Found {
  readonly node: NodeAddress
  readonly info: PeerInfo
  readonly roundTripMs: number | undefined
  readonly told: number
}

export const crawlLine = (chain: string, { info, node, roundTripMs, told }: Found, seen: UnixSeconds): CrawlLine => ({
  ...seedLine(chain, node, info.services, seen),
  version: info.protocolVersion,
  userAgent: sanitizeUserAgent(info.userAgent),
  height: info.startHeight,
  transport: info.transport,
  roundTripMs: roundTripMs === undefined ? null : Math.round(roundTripMs * 1000) / 1000,
  told
})
