/**
 * How much each source takes: connections at once, and new ones a minute. Sources go by what `sourceKey` of `netaddress` says of a host.
 */
import { TokenBucket } from "@satwire/machine"
import * as NetAddress from "effect/net/NetAddress"
import { addressOf } from "./Targets.ts"

export interface SourceLimits {
  /** At once, over all sources. */
  readonly maxConnections: number
  /** At once, for one source. */
  readonly maxPerSource: number
  /** New ones a minute, for one source; as many may come at once. */
  readonly perMinute: number
}

/**
 * How many sources are remembered for what they did in the last minute. Beyond it the one that has been quiet for longest is forgotten.
 *
 * @limit sources that a bridge remembers
 */
export const MAX_SOURCES = 10_000

interface Source {
  open: number
  readonly bucket: TokenBucket
}

/** Why there is no connection for a source now. */
export type Excess =
  | "too many connections"
  | "too many connections of this source"
  | "too many new connections of this source"

export class Sources {
  readonly #limits: SourceLimits
  /** In the order of their last connection. */
  readonly #known: Map<string, Source> = new Map()
  #open = 0

  constructor(limits: SourceLimits) {
    this.#limits = limits
  }

  /** How many connections are open. */
  get open(): number {
    return this.#open
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#known.size
  }

  /** Counts a connection of `source`, or says why there is none; what is refused counts as an attempt. */
  enter(source: string, nowMs: number): Excess | undefined {
    const { maxConnections, maxPerSource, perMinute } = this.#limits
    const known = this.#known.get(source) ?? {
      open: 0,
      bucket: new TokenBucket({ perSecond: perMinute / 60, burst: perMinute }, nowMs)
    }
    this.#known.delete(source)
    this.#forget(nowMs)
    this.#known.set(source, known)
    if (!known.bucket.take(1, nowMs)) return "too many new connections of this source"
    if (known.open >= maxPerSource) return "too many connections of this source"
    if (this.#open >= maxConnections) return "too many connections"
    known.open++
    this.#open++
    return undefined
  }

  /** A connection that entered is gone. */
  leave(source: string): void {
    const known = this.#known.get(source)
    if (known !== undefined) known.open--
    this.#open--
  }

  /** From the one that has been quiet for longest: who has nothing open, and nothing to answer for or no room to be remembered. */
  #forget(nowMs: number): void {
    for (const [source, { open, bucket }] of this.#known) {
      if (open > 0) continue
      if (this.#known.size < MAX_SOURCES && bucket.tokens(nowMs) < bucket.rate.burst) return
      this.#known.delete(source)
    }
  }
}

/**
 * Who asks: the other end of the TCP connection, or, where that is one of our own proxies, the last one in `X-Forwarded-For` that is none
 * of them. What stands before it is hearsay.
 */
export const sourceOf = (
  remote: string,
  forwardedFor: string | undefined,
  isProxy: (address: NetAddress.IpAddress) => boolean
): string => {
  const hops = [...(forwardedFor ?? "").split(","), remote]
  let source = remote
  for (const hop of hops.toReversed()) {
    const address = addressOf(hop.trim())
    if (address === undefined) break
    source = NetAddress.formatIp(address)
    if (!isProxy(address)) break
  }
  return source
}
