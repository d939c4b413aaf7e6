/**
 * Core's rule for peers whose chain stays behind ours as Core has it: asked of each peer again and again (`ConsiderEviction`, Bitcoin Core
 * 28.1 `net_processing.cpp`), with heights in place of work, on a tree that is one chain. Core acts once it is later than the time, and
 * this as soon as the time has come.
 */
const CHAIN_SYNC_TIMEOUT_S: number = 20 * 60
const HEADERS_RESPONSE_TIME_S: number = 2 * 60
const MAX_PROTECTED = 4

interface Follower {
  readonly isFullRelay: boolean
  best: number
  timeout: number
  workHeader: number
  isAsked: boolean
  isProtected: boolean
  isGone: boolean
}

export interface NaiveVerdict {
  readonly peer: number
  readonly what: "Ask" | "LetGo"
  readonly second: number
}

export class NaiveKeepingUp {
  readonly #followers: Array<Follower> = []
  readonly verdicts: Array<NaiveVerdict> = []
  tip = 0

  add(isFullRelay: boolean): void {
    const rest = { best: 0, timeout: 0, workHeader: -1, isAsked: false, isProtected: false, isGone: false }
    this.#followers.push({ isFullRelay, ...rest })
  }

  /** The peer sent headers up to this height. */
  heard(peer: number, height: number): void {
    const follower = this.#followers[peer] as Follower
    if (follower.isGone) return
    follower.best = Math.max(follower.best, height)
    const protectedOnes = this.#followers.filter(({ isGone, isProtected }) => isProtected && !isGone).length
    if (follower.isFullRelay && follower.best >= this.tip && protectedOnes < MAX_PROTECTED) follower.isProtected = true
  }

  poll(second: number): void {
    for (const [peer, follower] of this.#followers.entries()) {
      if (follower.isProtected || follower.isGone) continue
      if (follower.best >= this.tip) {
        follower.timeout = 0
        follower.workHeader = -1
        follower.isAsked = false
      } else if (follower.timeout === 0 || (follower.workHeader >= 0 && follower.best >= follower.workHeader)) {
        follower.timeout = second + CHAIN_SYNC_TIMEOUT_S
        follower.workHeader = this.tip
        follower.isAsked = false
      } else if (second >= follower.timeout) {
        this.verdicts.push({ peer, what: follower.isAsked ? "LetGo" : "Ask", second })
        if (follower.isAsked) follower.isGone = true
        follower.isAsked = true
        follower.timeout = second + HEADERS_RESPONSE_TIME_S
      }
    }
  }
}
