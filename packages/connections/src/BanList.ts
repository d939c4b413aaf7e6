/**
 * Whom our user wants nothing to do with, by host or subnet and until when. Nothing a peer does puts anybody here: what peers do is for
 * {@link Discouraged}, which forgets.
 *
 * Source: Bitcoin Core 28.1 `banman.h`, `banman.cpp`.
 */
import { UnixSeconds } from "@satwire/machine"
import type { NetAddr } from "@satwire/netaddress"
import { type Subnet, containsHost, formatSubnet, parseSubnet } from "./Subnet.ts"

/** Core's `DEFAULT_MISBEHAVING_BANTIME`. */
export const DEFAULT_BAN_SECONDS: number = 24 * 60 * 60
/**
 * How many bans there are at most: each connection is held against all of them.
 *
 * @limit bans that a user may set
 */
export const MAX_BANS = 10_000

export interface Ban {
  readonly subnet: Subnet
  readonly createdAt: UnixSeconds
  readonly until: UnixSeconds
  /** How many connections it refused. */
  readonly refused: number
}

/** A ban as it is kept on disk. */
export interface KeptBan {
  /** As {@link formatSubnet} writes it. */
  readonly subnet: string
  readonly createdAt: number
  readonly until: number
  readonly refused: number
}

export class BanList {
  /** By their subnet's text. */
  readonly #bans: Map<
    string,
    { readonly subnet: Subnet; createdAt: UnixSeconds; until: UnixSeconds; refused: number }
  > = new Map()
  /** Changed since the last snapshot. */
  #isDirty = false

  get size(): number {
    return this.#bans.size
  }

  get isDirty(): boolean {
    return this.#isDirty
  }

  /**
   * Bans a subnet for so long. A ban that lasts longer already stays as it is. `false` where there are {@link MAX_BANS} and this is another.
   */
  ban(subnet: Subnet, now: UnixSeconds, seconds: number = DEFAULT_BAN_SECONDS): boolean {
    const key = formatSubnet(subnet)
    const until = UnixSeconds(now + seconds)
    const known = this.#bans.get(key)
    if (known === undefined) {
      this.#sweep(now)
      if (this.#bans.size >= MAX_BANS) return false
      this.#bans.set(key, { subnet, createdAt: now, until, refused: 0 })
      this.#isDirty = true
    } else if (until > known.until) {
      known.createdAt = now
      known.until = until
      this.#isDirty = true
    }
    return true
  }

  /** Lifts a ban; `false` where there was none. */
  unban(subnet: Subnet): boolean {
    const wasBanned = this.#bans.delete(formatSubnet(subnet))
    if (wasBanned) this.#isDirty = true
    return wasBanned
  }

  clear(): void {
    if (this.#bans.size > 0) this.#isDirty = true
    this.#bans.clear()
  }

  /** Whether a host is banned now. */
  isBanned(host: NetAddr, now: UnixSeconds): boolean {
    return this.#banOf(host, now) !== undefined
  }

  /** The same for a connection that is refused for it, which is counted. */
  refuses(host: NetAddr, now: UnixSeconds): boolean {
    const ban = this.#banOf(host, now)
    if (ban !== undefined) ban.refused += 1
    return ban !== undefined
  }

  /** Every ban that is in force, in the order in which they were set. */
  list(now: UnixSeconds): ReadonlyArray<Ban> {
    this.#sweep(now)
    return [...this.#bans.values()].map((ban) => ({ ...ban }))
  }

  snapshot(now: UnixSeconds): ReadonlyArray<KeptBan> {
    this.#isDirty = false
    return this.list(now).map(({ subnet, createdAt, until, refused }) => ({
      subnet: formatSubnet(subnet),
      createdAt,
      until,
      refused
    }))
  }

  /** The list that was kept, without what has run out or makes no sense; `lost` says how many made none. */
  static restore(kept: ReadonlyArray<KeptBan>, now: UnixSeconds): { readonly bans: BanList; readonly lost: number } {
    const bans = new BanList()
    let lost = 0
    for (const { subnet: text, createdAt, until, refused } of kept) {
      const subnet = parseSubnet(text)
      const isSound =
        subnet !== undefined && [createdAt, until, refused].every((n) => Number.isSafeInteger(n) && n >= 0)
      if (!isSound || bans.size >= MAX_BANS) lost += 1
      else if (until > now) {
        const key = formatSubnet(subnet)
        bans.#bans.set(key, { subnet, createdAt: UnixSeconds(createdAt), until: UnixSeconds(until), refused })
      }
    }
    return { bans, lost }
  }

  #banOf(host: NetAddr, now: UnixSeconds): { refused: number } | undefined {
    for (const ban of this.#bans.values()) if (ban.until > now && containsHost(ban.subnet, host)) return ban
    return undefined
  }

  /** Forgets what has run out. */
  #sweep(now: UnixSeconds): void {
    for (const [key, { until }] of this.#bans) {
      if (until > now) continue
      this.#bans.delete(key)
      this.#isDirty = true
    }
  }
}
