/**
 * Hosts whose peers misbehaved. They are not dialled, their addresses are not passed on, and when places are short they are the first to go;
 * but they are not banned, since what looks like malice may be an error, and whoever shares the address did nothing.
 *
 * Specification: the last 50,000 are remembered in a rolling filter that is wrong once in a million, for as long as the node runs.
 * Rationale: a list of them grew without bound and was walked for every address (CVE-2020-14198).
 *
 * Source: Bitcoin Core 28.1 `banman.h` (`m_discouraged`).
 */
import { concat } from "@satwire/bytes"
import { RollingBloomFilter } from "@satwire/filters"
import type { Random } from "@satwire/machine"
import { NETWORKS, type NetAddr } from "@satwire/netaddress"

/**
 * How many of the last discouraged hosts are surely remembered.
 *
 * @limit discouraged hosts that are remembered
 */
export const DISCOURAGED_REMEMBERED = 50_000
const FALSE_POSITIVES = 1e-6

export class Discouraged {
  readonly #filter: RollingBloomFilter

  constructor(random: Random) {
    this.#filter = new RollingBloomFilter(DISCOURAGED_REMEMBERED, FALSE_POSITIVES, random)
  }

  add(host: NetAddr): void {
    this.#filter.insert(keyOf(host))
  }

  has(host: NetAddr): boolean {
    return this.#filter.contains(keyOf(host))
  }
}

/** A host alone: who misbehaves on one port does so on all. */
const keyOf = ({ network, address }: NetAddr): Uint8Array =>
  concat([Uint8Array.of(NETWORKS.find((row) => row.network === network)?.id ?? 0), address])
