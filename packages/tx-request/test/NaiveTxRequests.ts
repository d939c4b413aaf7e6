/** Who is asked for what, as a list of announcements that is looked through for everything. */
import { type SipKey, sipHash24 } from "@satwire/crypto"

export type NaiveState = "candidate" | "requested" | "completed"

export interface NaiveAnnouncement {
  readonly peer: number
  readonly hash: number
  readonly isWtxid: boolean
  readonly isPreferred: boolean
  readonly sequence: number
  readonly priority: number
  /** For a candidate when it may be asked, for one that was asked when its time is over. */
  time: number
  state: NaiveState
}

/** 32 bytes that stand for a number. */
export const hashOf = (n: number): Uint8Array => {
  const hash = new Uint8Array(32).fill(7)
  new DataView(hash.buffer).setUint32(12, n)
  return hash
}

export class NaiveTxRequests {
  #all: Array<NaiveAnnouncement> = []
  readonly #key: SipKey
  #sequence = 0
  #now = 0

  constructor(key: SipKey) {
    this.#key = key
  }

  receivedInv(peer: number, hash: number, isWtxid: boolean, isPreferred: boolean, time: number): void {
    if (this.#find(peer, hash) !== undefined) return
    const sequence = this.#sequence++
    const priority = this.#priority(peer, hash) + (isPreferred ? 2 ** 33 : 0)
    this.#all.push({ peer, hash, isWtxid, isPreferred, sequence, priority, time, state: "candidate" })
  }

  advance(now: number): void {
    this.#now = now
    for (const each of this.#all) if (each.state === "requested" && each.time <= now) each.state = "completed"
    this.#tidy()
  }

  /** What a peer is to be asked for, in the order in which it announced it. */
  requestable(peer: number): ReadonlyArray<NaiveAnnouncement> {
    return this.#all
      .filter((each) => each.peer === peer && this.#bestOf(each.hash) === each)
      .toSorted((a, b) => a.sequence - b.sequence)
  }

  requested(peer: number, hash: number, expiry: number): void {
    const found = this.#find(peer, hash)
    if (found === undefined) return
    found.state = "requested"
    found.time = expiry
  }

  receivedResponse(peer: number, hash: number): void {
    const found = this.#find(peer, hash)
    if (found !== undefined) found.state = "completed"
    this.#tidy()
  }

  forget(hash: number): void {
    this.#all = this.#all.filter((each) => each.hash !== hash)
  }

  disconnected(peer: number): void {
    this.#all = this.#all.filter((each) => each.peer !== peer)
    this.#tidy()
  }

  count(peer: number, ...states: ReadonlyArray<NaiveState>): number {
    return this.#all.filter((each) => each.peer === peer && states.includes(each.state)).length
  }

  get size(): number {
    return this.#all.length
  }

  candidatePeers(hash: number): ReadonlyArray<number> {
    return this.#all.filter((each) => each.hash === hash && each.state !== "completed").map(({ peer }) => peer)
  }

  nextTimeout(): number | undefined {
    const waiting = this.#all.filter(
      ({ state, time }) => state === "requested" || (state === "candidate" && time > this.#now)
    )
    return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ time }) => time))
  }

  #bestOf(hash: number): NaiveAnnouncement | undefined {
    const all = this.#all.filter((each) => each.hash === hash)
    if (all.some(({ state }) => state === "requested")) return undefined
    const ready = all.filter(({ state, time }) => state === "candidate" && time <= this.#now)
    return ready.toSorted((a, b) => b.priority - a.priority)[0]
  }

  #find(peer: number, hash: number): NaiveAnnouncement | undefined {
    return this.#all.find((each) => each.peer === peer && each.hash === hash)
  }

  /** Where nobody is left to ask, all is forgotten. */
  #tidy(): void {
    const open = new Set(this.#all.filter(({ state }) => state !== "completed").map(({ hash }) => hash))
    this.#all = this.#all.filter(({ hash }) => open.has(hash))
  }

  #priority(peer: number, hash: number): number {
    const bytes = new Uint8Array(40)
    bytes.set(hashOf(hash))
    new DataView(bytes.buffer).setFloat64(32, peer)
    const halves = new Uint32Array(2)
    sipHash24(this.#key, bytes, 0, 40, halves)
    return (halves[0] as number) | 0
  }
}
