/**
 * Fetches headers along a list of points, each peer another stretch at once, and hands them out in order.
 *
 * ```
 *   points      0 ──── 2000 ──── 4000 ──── 6000 ──── …
 *   peer 1      ██████▶                             handed out, into the tree
 *   peer 2                ░░░░░░▶                   on its way
 *   peer 3                          ██████▶         held until what lies before it is there
 * ```
 *
 * Specification: the points are trusted in nothing. What is handed out is validated as any headers are, from the tree on, and what the
 * points say decides only who is asked for what. Rationale: a wrong list costs time and nothing else.
 *
 * A stretch that is late is given to a second peer. Who does not have a stretch is asked for none any more, which is no fault: the list may be
 * wrong. Three who do not have one, or none that is left, end the download, and the ordinary sync goes on from what there is.
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { type Instant, type Now, type PeerId, after, earliest } from "@satwire/machine"
import { type BlockHash, HEADER_PREVIOUS, HEADER_SIZE, headerHash, type HeaderPoint } from "@satwire/primitives"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import type { HeaderTree } from "./HeaderTree.ts"
import { MAX_BLOCKS_TO_ANNOUNCE } from "./Serving.ts"
import { HEADERS_RESPONSE_TIME_MS } from "./Timeouts.ts"

/**
 * How far two points of a skeleton may be apart: what lies between is held in memory until it is whole.
 *
 * @limit headers between two points of a skeleton
 */
export const MAX_STRETCH_HEADERS = 20_000

/**
 * How far above the tree a stretch may end that is asked for: what comes out of order waits in memory, 80 bytes a header.
 *
 * @limit headers above the tree that are fetched ahead along a skeleton
 */
export const MAX_AHEAD_HEADERS = 100_000
/** After how long a second peer is asked for a stretch, where one has nothing to do. */
export const STRETCH_LATE_MS = 5000
/** So many peers who do not have a stretch say that the list is wrong. */
const REFUSALS = 3

/** A question: the headers after `from`, up to `to`. */
export interface StretchQuery {
  readonly peer: PeerId
  readonly from: BlockHash
  readonly to: BlockHash
}

/** Headers in order, ready to be validated. */
export interface Stretch {
  readonly peer: PeerId
  readonly runs: ReadonlyArray<Uint8Array>
}

interface Task {
  /** Between the point before and this one. */
  readonly stretch: number
  askedAt: Instant
  /** The last header that has come of it. */
  reached: BlockHash
  /** How many are still to come. */
  missing: number
  readonly runs: Array<Uint8Array>
}

interface Fetcher {
  readonly peer: PeerId
  task: Task | undefined
}

export class SkeletonDownload {
  readonly #sha256: Sha256
  /** The first is in the tree. */
  readonly #points: ReadonlyArray<HeaderPoint>
  readonly #fetchers: Map<PeerId, Fetcher> = new Map()
  /** Stretches that are whole, by the number of the point that they end with. */
  readonly #held: Map<number, Stretch> = new Map()
  readonly #refusals: Map<number, number> = new Map()
  /** The stretch that is handed out next. */
  #next = 1
  #refused = 0
  #isWrong = false

  /**
   * @param points lowest first
   * @throws RangeError where two are further apart than {@link MAX_STRETCH_HEADERS}
   */
  constructor(tree: HeaderTree, sha256: Sha256, points: ReadonlyArray<HeaderPoint>) {
    this.#sha256 = sha256
    const known = points.findLastIndex(({ hash }) => tree.find(hash) >= 0)
    const root: HeaderPoint = { height: tree.height(0), hash: tree.hash(0) }
    const rest = points.slice(known + 1).filter(({ height }) => height > root.height)
    this.#points = thinned([known < 0 ? root : (points[known] as HeaderPoint), ...rest])
    for (let i = 1; i < this.#points.length; i++) {
      if (this.#length(i) > MAX_STRETCH_HEADERS)
        throw new RangeError(`two points of a skeleton are ${this.#length(i)} headers apart`)
    }
  }

  /** Whether there is nothing more to do: all of it is in the tree, or it led to nothing. */
  get isOver(): boolean {
    return this.#isWrong || this.#next >= this.#points.length
  }

  /** Whether the list was found to be of no use. */
  get isWrong(): boolean {
    return this.#isWrong
  }

  /** How many there are who may be asked. */
  get size(): number {
    return this.#fetchers.size
  }

  /** Headers that came and wait for what lies before them. */
  get heldHeaders(): number {
    let held = 0
    for (const { runs } of this.#held.values()) for (const run of runs) held += run.length / HEADER_SIZE
    return held
  }

  /** Somebody who may be asked. */
  add(peer: PeerId): void {
    this.#fetchers.set(peer, { peer, task: undefined })
  }

  delete(peer: PeerId): void {
    this.#fetchers.delete(peer)
    this.#lookWhoIsLeft()
  }

  /** When a stretch is late, or a peer has been silent for too long. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined = undefined
    const somebodyIsFree = [...this.#fetchers.values()].some(({ task }) => task === undefined)
    for (const { task } of this.#fetchers.values()) {
      if (task === undefined) continue
      next = earliest(next, after(task.askedAt, HEADERS_RESPONSE_TIME_MS))
      // Only what somebody else would be asked for then.
      if (somebodyIsFree && this.#isWanted(task.stretch) && this.#asked(task.stretch) === 1)
        next = earliest(next, after(task.askedAt, STRETCH_LATE_MS))
    }
    return next
  }

  /** Asks those no more who have not answered for too long. */
  timeout(now: Now): void {
    for (const fetcher of [...this.#fetchers.values()]) {
      const { task } = fetcher
      if (task !== undefined && after(task.askedAt, HEADERS_RESPONSE_TIME_MS) <= now.instant)
        this.#refuse(fetcher, task)
    }
  }

  /** What to ask whom, for everybody who has nothing to do. */
  queries(now: Now): ReadonlyArray<StretchQuery> {
    const queries: Array<StretchQuery> = []
    for (const fetcher of this.#fetchers.values()) {
      if (this.isOver || fetcher.task !== undefined) continue
      const stretch = this.#choose(now)
      if (stretch === undefined) break
      const { hash } = this.#points[stretch - 1] as HeaderPoint
      fetcher.task = { stretch, askedAt: now.instant, reached: hash, missing: this.#length(stretch), runs: [] }
      queries.push(this.#query(fetcher.peer, fetcher.task))
    }
    return queries
  }

  /**
   * Takes what a peer sent, where it answers a question of ours: the next question to it, if its stretch is longer than a message.
   * `undefined` where it answers none.
   */
  take(
    peer: PeerId,
    headers: Uint8Array,
    count: number,
    now: Now
  ): { readonly more: StretchQuery | undefined } | undefined {
    const fetcher = this.#fetchers.get(peer)
    const task = fetcher?.task
    if (fetcher === undefined || task === undefined) return undefined
    const wanted = Math.min(count, task.missing)
    if (wanted === 0) return this.#refuse(fetcher, task)
    if (!equals(headers.subarray(HEADER_PREVIOUS, HEADER_PREVIOUS + 32), task.reached)) {
      // News of a block answers nothing. Who does not know our point tells of its chain from the start.
      return count <= MAX_BLOCKS_TO_ANNOUNCE ? undefined : this.#refuse(fetcher, task)
    }
    const last = headerHash(this.#sha256, headers.subarray((wanted - 1) * HEADER_SIZE, wanted * HEADER_SIZE))
    const isWhole = wanted === task.missing
    const ends = isWhole
      ? equals(last, (this.#points[task.stretch] as HeaderPoint).hash)
      : count === MAX_HEADERS_RESULTS
    if (!ends) return this.#refuse(fetcher, task)
    // What was not asked for is not to be held along with it.
    task.runs.push(wanted === count ? headers : headers.slice(0, wanted * HEADER_SIZE))
    task.reached = last
    task.missing -= wanted
    if (!isWhole) {
      task.askedAt = now.instant
      return { more: this.#query(peer, task) }
    }
    fetcher.task = undefined
    // Another peer may have been quicker.
    if (this.#isWanted(task.stretch)) this.#held.set(task.stretch, { peer, runs: task.runs })
    return TAKEN
  }

  /** The next stretch in order, where it is there. It is the caller's to validate it, and to say what came of it. */
  ready(): Stretch | undefined {
    return this.#held.get(this.#next)
  }

  /** What came of the stretch that was ready: it is in the tree, or it was no good and somebody else is asked for it. */
  settle(isGood: boolean): void {
    this.#held.delete(this.#next)
    if (isGood) this.#next += 1
    else this.#count(this.#next)
  }

  #length(stretch: number): number {
    return (this.#points[stretch] as HeaderPoint).height - (this.#points[stretch - 1] as HeaderPoint).height
  }

  /** How many peers a stretch is asked of. */
  #asked(stretch: number): number {
    let asked = 0
    for (const { task } of this.#fetchers.values()) if (task?.stretch === stretch) asked += 1
    return asked
  }

  /** The lowest stretch that nobody was asked for; else the lowest that is late. */
  #choose(now: Now): number | undefined {
    let late: number | undefined = undefined
    for (let stretch = this.#next; stretch < this.#points.length && this.#isNear(stretch); stretch++) {
      if (!this.#isWanted(stretch)) continue
      const asked = this.#asked(stretch)
      if (asked === 0) return stretch
      if (asked === 1 && late === undefined && this.#isLate(stretch, now)) late = stretch
    }
    return late
  }

  /** Whether it may be held until what lies before it is there. */
  #isNear(stretch: number): boolean {
    const { height } = this.#points[stretch] as HeaderPoint
    return stretch === this.#next || height - (this.#points[this.#next - 1] as HeaderPoint).height <= MAX_AHEAD_HEADERS
  }

  /** Whether it has neither come nor is done with. */
  #isWanted(stretch: number): boolean {
    return stretch >= this.#next && !this.#held.has(stretch)
  }

  #isLate(stretch: number, now: Now): boolean {
    for (const { task } of this.#fetchers.values()) {
      if (task?.stretch === stretch) return after(task.askedAt, STRETCH_LATE_MS) <= now.instant
    }
    return false
  }

  #query(peer: PeerId, { reached, stretch }: Task): StretchQuery {
    return { peer, from: reached, to: (this.#points[stretch] as HeaderPoint).hash }
  }

  #refuse(fetcher: Fetcher, { stretch }: Task): { readonly more: undefined } {
    this.#fetchers.delete(fetcher.peer)
    this.#refused += 1
    if (this.#isWanted(stretch)) this.#count(stretch)
    this.#lookWhoIsLeft()
    return TAKEN
  }

  #count(stretch: number): void {
    const refusals = (this.#refusals.get(stretch) ?? 0) + 1
    this.#refusals.set(stretch, refusals)
    if (refusals >= REFUSALS) this.#end()
  }

  #lookWhoIsLeft(): void {
    if (this.#fetchers.size === 0 && this.#refused > 0) this.#end()
  }

  #end(): void {
    this.#isWrong = true
    this.#held.clear()
    this.#fetchers.clear()
  }
}

/** Nearer points would only make more of them. */
const LEAST_APART = 100

/** Points that are not too near to one another. The last one stays. */
const thinned = (points: ReadonlyArray<HeaderPoint>): ReadonlyArray<HeaderPoint> => {
  let kept = -Infinity
  return points.filter(({ height }, i) => {
    const next = points[i + 1]?.height ?? Infinity
    const isNeeded = height - kept >= LEAST_APART || next - kept > MAX_STRETCH_HEADERS
    if (isNeeded) kept = height
    return isNeeded
  })
}

const TAKEN: { readonly more: undefined } = { more: undefined }

/** Points of the best chain from genesis on, every so many headers, the tip last: one message of `headers` lies between two. */
export const headerPointsOf = (tree: HeaderTree, every: number = MAX_HEADERS_RESULTS): ReadonlyArray<HeaderPoint> => {
  const points: Array<HeaderPoint> = []
  const { best } = tree
  const top = tree.height(best)
  for (let height = tree.height(0); ; height = Math.min(height + every, top)) {
    points.push({ height, hash: tree.hash(tree.ancestor(best, height)) })
    if (height === top) return points
  }
}
