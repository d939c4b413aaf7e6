/**
 * One room: what was said in it, in order and within bounds, and who is here.
 *
 * Specification: texts are in the order of the times that their authors gave them, and of their ids where those are the same, so that all who
 * have the same texts have them in the same order. Where there is no room, the oldest goes; of who has more than half of it, his oldest.
 * Rationale: whoever talks most would else push out what all others have said.
 */
import { keepLast } from "@satwire/machine"
import type { ChatRecord } from "./Record.ts"
import { foldedName } from "./Text.ts"

/**
 * @limit texts that are kept of a room
 */
export const MAX_KEPT_TEXTS = 200
/**
 * @limit bytes of texts that are kept of a room
 */
export const MAX_KEPT_BYTES: number = 256 * 1024
/**
 * @limit people who are kept of a room
 */
export const MAX_MEMBERS = 256
/** More than are shown at once. */
const MAX_FOLDED = 1024
/** Who is silent for so long is away: three heartbeats. */
export const AWAY_AFTER_MS = 50_000
/** And for so long, gone. */
export const GONE_AFTER_MS = 300_000

export interface Member {
  readonly key: string
  readonly name: string
  readonly state: "here" | "away"
}

interface Kept {
  name: string
  state: "here" | "away"
  /** Of his last record, by his clock. */
  at: number
  /** When it came, by ours. */
  heardMs: number
  record: ChatRecord
}

/** What a record, or time, has changed about a person. */
export type PersonChange = "came" | "back" | "away" | "left" | "renamed"

export interface PersonChanged {
  readonly change: PersonChange
  readonly key: string
  readonly name: string
  /** What a `renamed` was called before. */
  readonly before?: string
}

export class Room {
  readonly name: string
  #texts: Array<ChatRecord> = []
  #bytes = 0
  readonly #members: Map<string, Kept> = new Map()
  /** When they have left, by their clocks: others may still tell that they were here. */
  readonly #gone: Map<string, number> = new Map()
  readonly #folded: Map<string, string> = new Map()

  constructor(name: string) {
    this.name = name
  }

  get texts(): ReadonlyArray<ChatRecord> {
    return this.#texts
  }

  get bytes(): number {
    return this.#bytes
  }

  members(): ReadonlyArray<Member> {
    return [...this.#members].map(([key, { name, state }]) => ({ key, name, state }))
  }

  /** The last presence of everybody who is here, to be handed on. */
  presences(nowMs: number): ReadonlyArray<ChatRecord> {
    return [...this.#members.values()].flatMap(({ record }) => (record.expires > nowMs ? [record] : []))
  }

  /** Puts a text where it belongs; whether it is still there once room was made. */
  say(record: ChatRecord): boolean {
    let at = this.#texts.length
    while (at > 0 && isBefore(record, this.#texts[at - 1] as ChatRecord)) at--
    this.#texts.splice(at, 0, record)
    this.#bytes += record.bytes.length
    while (this.#texts.length > MAX_KEPT_TEXTS || this.#bytes > MAX_KEPT_BYTES) this.#drop(this.#leastWanted())
    return this.#texts.includes(record)
  }

  /** What presence of somebody changes. One that is older than what is known changes nothing. */
  see(record: ChatRecord, nowMs: number): PersonChanged | undefined {
    const { content, key } = record
    const known = this.#members.get(key)
    if (known !== undefined && content.at < known.at) return undefined
    const { name } = content
    if ("here" in content && !content.here) {
      keepLast(this.#gone, key, content.at, MAX_MEMBERS)
      return this.#members.delete(key) ? { change: "left", key, name } : undefined
    }
    if (content.at <= (this.#gone.get(key) ?? -1)) return undefined
    if (known === undefined) {
      if (this.#members.size >= MAX_MEMBERS && !this.#forgetAway()) return undefined
      this.#members.set(key, { name, state: "here", at: content.at, heardMs: nowMs, record })
      return { change: "came", key, name }
    }
    const [before, was] = [known.name, known.state]
    Object.assign(known, { name, state: "here", at: content.at, heardMs: nowMs })
    if ("here" in content) known.record = record
    if (before !== name) return { change: "renamed", key, name, before }
    return was === "away" ? { change: "back", key, name } : undefined
  }

  /** Who was silent for too long, and texts that nobody hands over any more. `self` is always here. */
  sweep(nowMs: number, self: string): ReadonlyArray<PersonChanged> {
    const changes: Array<PersonChanged> = []
    for (const [key, member] of this.#members) {
      const { name, state } = member
      const silentMs = nowMs - member.heardMs
      if (key === self || silentMs < AWAY_AFTER_MS) continue
      if (silentMs >= GONE_AFTER_MS) {
        this.#members.delete(key)
        changes.push({ change: "left", key, name })
      } else if (state === "here") {
        member.state = "away"
        changes.push({ change: "away", key, name })
      }
    }
    for (const text of this.#texts.filter(({ expires }) => expires <= nowMs)) this.#drop(this.#texts.indexOf(text))
    return changes
  }

  /**
   * Names as they are shown now: with some of the key behind it where another key goes by the same name. Made once for all names of a list: folding
   * all for each of them is a second of work in a full room.
   */
  labels(): (key: string, name: string) => string {
    const keysOf = new Map<string, Set<string>>()
    const goesBy = (key: string, name: string): void => {
      const folded = this.#fold(name)
      keysOf.set(folded, (keysOf.get(folded) ?? new Set<string>()).add(key))
    }
    for (const [key, { name }] of this.#members) goesBy(key, name)
    for (const { content, key } of this.#texts) goesBy(key, content.name)
    return (key, name) => {
      const others = [...(keysOf.get(this.#fold(name)) ?? [])].filter((other) => other !== key)
      if (others.length === 0) return name
      let length = SHORTEST_TAG
      while (length < key.length && others.some((other) => other.startsWith(key.slice(0, length)))) length += 2
      return `${name}#${key.slice(0, length)}`
    }
  }

  /** Names come again and again. */
  #fold(name: string): string {
    const known = this.#folded.get(name)
    if (known !== undefined) return known
    if (this.#folded.size >= MAX_FOLDED) this.#folded.clear()
    const folded = foldedName(name)
    this.#folded.set(name, folded)
    return folded
  }

  #leastWanted(): number {
    const bytesOf = new Map<string, number>()
    for (const { key, bytes } of this.#texts) bytesOf.set(key, (bytesOf.get(key) ?? 0) + bytes.length)
    const [loudest] = [...bytesOf].find(([, bytes]) => bytes > this.#bytes / 2) ?? []
    return loudest === undefined ? 0 : this.#texts.findIndex(({ key }) => key === loudest)
  }

  #drop(at: number): void {
    const [dropped] = this.#texts.splice(at, 1)
    this.#bytes -= dropped?.bytes.length ?? 0
  }

  /** Makes room by who has been away for longest; whether there was anybody. */
  #forgetAway(): boolean {
    let longest: readonly [string, Kept] | undefined
    for (const entry of this.#members) {
      if (entry[1].state === "away" && (longest === undefined || entry[1].heardMs < longest[1].heardMs)) longest = entry
    }
    if (longest !== undefined) this.#members.delete(longest[0])
    return longest !== undefined
  }
}

const SHORTEST_TAG = 4

const isBefore = (a: ChatRecord, b: ChatRecord): boolean =>
  a.content.at < b.content.at || (a.content.at === b.content.at && a.id < b.id)
