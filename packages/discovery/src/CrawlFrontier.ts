/**
 * Whom a crawl visits next: each node once, and no network so often that it would notice. It dials nobody and reads no message.
 *
 * Specification: between two visits to one group of addresses lies a pause. Rationale: who owns a network sees all that reaches it, and takes
 * many connections at once for an attack.
 *
 * Specification: private addresses are visited only where somebody on a private network told of them, or our user. Rationale: a stranger could
 * send us to the machines around us.
 */
import { copyOut } from "@satwire/bytes"
import { Deadlines, type Instant, after } from "@satwire/machine"
import { type NetGroups, type Network, type NodeAddress, isRoutable, nodeKey } from "@satwire/netaddress"

/**
 * All addresses that are told of on mainnet, dead ones among them, are some 60,000.
 *
 * @limit nodes that a crawl knows of
 */
export const MAX_CRAWLED_NODES = 100_000
/** The pause between two visits to one group. */
export const CRAWL_GROUP_PAUSE_MS = 1000

export interface CrawlTarget extends NodeAddress {
  /** What is told of its services; 0 where nothing is. */
  readonly services: bigint
}

export type CrawlStep =
  | { readonly _tag: "Visit"; readonly target: CrawlTarget }
  /** Whoever is left has to wait until then. */
  | { readonly _tag: "Wait"; readonly until: Instant }
  /** Nobody is left, unless who is being visited tells of others. */
  | { readonly _tag: "Empty" }

export interface CrawlFrontierOptions {
  readonly groups: NetGroups
  /** The networks on which we can dial. */
  readonly reachable: ReadonlySet<Network>
  /** {@link CRAWL_GROUP_PAUSE_MS} where not given. */
  readonly pauseMs?: number
  /** {@link MAX_CRAWLED_NODES} where not given. */
  readonly maxNodes?: number
}

export class CrawlFrontier {
  readonly #groups: NetGroups
  readonly #reachable: ReadonlySet<Network>
  readonly #pauseMs: number
  readonly #maxNodes: number
  readonly #known: Set<string> = new Set()
  /** Who is left, by group. */
  readonly #left: Map<string, Array<CrawlTarget>> = new Map()
  /** When each group that has somebody left may be visited again. */
  readonly #turns: Deadlines<string> = new Deadlines()
  /** When each group was visited last. */
  readonly #visited: Map<string, Instant> = new Map()

  constructor({ groups, maxNodes, pauseMs, reachable }: CrawlFrontierOptions) {
    this.#groups = groups
    this.#reachable = reachable
    this.#pauseMs = pauseMs ?? CRAWL_GROUP_PAUSE_MS
    this.#maxNodes = maxNodes ?? MAX_CRAWLED_NODES
  }

  /** How many nodes are known, visited or not. */
  get size(): number {
    return this.#known.size
  }

  /** Whether nobody more is taken in. */
  get isFull(): boolean {
    return this.#known.size >= this.#maxNodes
  }

  /** Takes in a node that was visited under another name; `false` where it is known, or one too many. */
  know(node: NodeAddress): boolean {
    const key = textOf(nodeKey(node))
    if (this.isFull || this.#known.has(key)) return false
    this.#known.add(key)
    return true
  }

  /**
   * Takes in a node to be visited; `false` where it is known, out of reach, or one too many.
   *
   * @param mayBePrivate whether our user told of it, or somebody who is on a private network himself
   */
  add(target: CrawlTarget, mayBePrivate: boolean, now: Instant): boolean {
    if (!this.#reachable.has(target.network) || !(mayBePrivate || isRoutable(target))) return false
    if (!this.know(target)) return false
    const key = textOf(nodeKey(target))
    // Of private networks each node is a group: nobody is there who would mind.
    const group = isRoutable(target) ? textOf(this.#groups.group(target)) : key
    const left = this.#left.get(group)
    const { address, network, port, services } = target
    const kept = { network, address: copyOut(address), port, services }
    if (left === undefined) this.#left.set(group, [kept])
    else left.push(kept)
    this.#turns.set(group, this.#nextTurn(group, now))
    return true
  }

  /** Whom to visit now. */
  next(now: Instant): CrawlStep {
    const group = this.#turns.takeDue(now)
    if (group === undefined) {
      const until = this.#turns.earliest()
      return until === undefined ? { _tag: "Empty" } : { _tag: "Wait", until }
    }
    const left = this.#left.get(group) as Array<CrawlTarget>
    const target = left.pop() as CrawlTarget
    this.#visited.set(group, now)
    if (left.length > 0) this.#turns.set(group, this.#nextTurn(group, now))
    else this.#left.delete(group)
    return { _tag: "Visit", target }
  }

  #nextTurn(group: string, now: Instant): Instant {
    const visited = this.#visited.get(group)
    return visited === undefined ? now : (Math.max(now, after(visited, this.#pauseMs)) as Instant)
  }
}

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
