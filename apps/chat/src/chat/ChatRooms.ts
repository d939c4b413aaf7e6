/**
 * The chat without a network: records in, what has changed out. It reads no clock and draws nothing; the same records at the same times give
 * the same rooms.
 *
 * ```
 *   bytes ─▶ size, form, time ─▶ seen before? ─▶ signature ─▶ too fast? ─▶ a room of ours? ─▶ Room
 * ```
 *
 * What is good goes on to others, whichever room it is of: who is between two people need not be in their room.
 */
import { keepLast } from "@satwire/machine"
import * as Result from "effect/Result"
import { type Backends, type ChatRecord, type RecordFault, isProven, readRecord } from "./Record.ts"
import { type Member, type PersonChanged, Room } from "./Room.ts"

/**
 * @limit rooms of the chat that one is in at a time
 */
export const MAX_ROOMS = 16
/**
 * @limit ids of records of the chat that are remembered so that none counts twice
 */
export const MAX_SEEN = 16_384
/**
 * @limit texts a second of one person that are taken, beside a few at once
 */
export const TEXTS_PER_SECOND = 2
/** And so many at once. */
export const TEXTS_AT_ONCE = 20
/**
 * @limit people whose rate is kept
 */
export const MAX_RATED = 1024
/**
 * @limit records that are handed over to who asks for the history of a room
 */
export const MAX_HISTORY = 400

/** A text as it is shown. */
export interface ShownText {
  readonly room: string
  readonly id: string
  readonly key: string
  /** The name, with some of the key where another has the same. */
  readonly from: string
  readonly at: number
  readonly text: string
}

export type ChatEvent =
  | { readonly _tag: "Said"; readonly text: ShownText; readonly isHistory: boolean }
  | { readonly _tag: "Person"; readonly room: string; readonly label: string; readonly changed: PersonChanged }
  | { readonly _tag: "Joined"; readonly room: string }
  | { readonly _tag: "Left"; readonly room: string }

/**
 * What became of a record. `Fresh`: it is good and new, and others should have it; `events` are empty where it is of a room that we are not in.
 * `crowded`: its author says too much.
 */
export type Taken =
  | { readonly _tag: "Fresh"; readonly events: ReadonlyArray<ChatEvent> }
  | { readonly _tag: "Known" }
  | { readonly _tag: "Refused"; readonly why: RecordFault | "crowded" }

const KNOWN: Taken = { _tag: "Known" }

export interface ChatRoomsOptions extends Backends {
  /** Our own key. */
  readonly self: string
}

/** What somebody may still say. */
interface Rate {
  tokens: number
  atMs: number
}

export class ChatRooms {
  readonly #options: ChatRoomsOptions
  readonly #rooms: Map<string, Room> = new Map()
  /** The oldest first. */
  readonly #seen: Set<string> = new Set()
  /** The same of rooms of others. */
  readonly #passed: Set<string> = new Set()
  readonly #rates: Map<string, Rate> = new Map()

  constructor(options: ChatRoomsOptions) {
    this.#options = options
  }

  rooms(): ReadonlyArray<string> {
    return [...this.#rooms.keys()]
  }

  /** Opens a room; in words why not. Nothing happens where it is open. */
  join(name: string): Result.Result<boolean, string> {
    if (this.#rooms.has(name)) return Result.succeed(false)
    if (this.#rooms.size >= MAX_ROOMS) return Result.fail(`one is in ${MAX_ROOMS} rooms at most: leave one first`)
    this.#rooms.set(name, new Room(name))
    return Result.succeed(true)
  }

  /** Closes a room and forgets what was in it; whether it was open. */
  leave(name: string): boolean {
    const room = this.#rooms.get(name)
    // Who comes back is told once more.
    for (const { id } of [...(room?.texts ?? []), ...(room?.presences(0) ?? [])]) {
      this.#seen.delete(id)
      keep(this.#passed, id)
    }
    return this.#rooms.delete(name)
  }

  members(name: string): ReadonlyArray<Member & { readonly label: string }> {
    const room = this.#rooms.get(name)
    if (room === undefined) return []
    const labelOf = room.labels()
    return room.members().map((member) => ({ ...member, label: labelOf(member.key, member.name) }))
  }

  texts(name: string): ReadonlyArray<ShownText> {
    const room = this.#rooms.get(name)
    if (room === undefined) return []
    const labelOf = room.labels()
    return room.texts.flatMap((record) => shown(room, record, labelOf))
  }

  /**
   * Takes a record that anybody may have sent.
   *
   * @param isHistory whether it was asked for: then no rate holds, and what it says is old
   */
  take(bytes: Uint8Array, nowMs: number, isHistory: boolean): Taken {
    const read = readRecord(bytes, this.#options.sha256, nowMs)
    if (Result.isFailure(read)) return { _tag: "Refused", why: read.failure }
    const record = read.success
    const room = this.#rooms.get(record.content.room)
    if (this.#seen.has(record.id) || (room === undefined && this.#passed.has(record.id))) return KNOWN
    // A copy with a broken signature must not keep the true one out, so nothing is remembered before this.
    if (!isProven(record, this.#options.signatures)) return { _tag: "Refused", why: "forged" }
    // What comes too fast is not remembered: it may still be part of a history, within its bounds.
    if (!isHistory && !this.#mayGoOn(record.key, nowMs)) return { _tag: "Refused", why: "crowded" }
    // What is remembered of rooms of others is apart: when such a room is joined, it is history.
    keep(room === undefined ? this.#passed : this.#seen, record.id)
    if (room === undefined) return { _tag: "Fresh", events: [] }
    return { _tag: "Fresh", events: this.#apply(room, record, nowMs, isHistory) }
  }

  /** The last records of a room for who asks: who is here, and then what was said, the oldest first. */
  history(name: string, nowMs: number): ReadonlyArray<Uint8Array> {
    const room = this.#rooms.get(name)
    if (room === undefined) return []
    const texts = room.texts.filter(({ expires }) => expires > nowMs)
    return [...room.presences(nowMs), ...texts].slice(-MAX_HISTORY).map(({ bytes }) => bytes)
  }

  /** What time alone changes. To be called every few seconds. */
  sweep(nowMs: number): ReadonlyArray<ChatEvent> {
    const events: Array<ChatEvent> = []
    for (const room of this.#rooms.values()) {
      for (const changed of room.sweep(nowMs, this.#options.self)) events.push(personEvent(room, changed))
    }
    return events
  }

  #apply(room: Room, record: ChatRecord, nowMs: number, isHistory: boolean): ReadonlyArray<ChatEvent> {
    const { content, key } = record
    if ("text" in content) {
      const isKept = room.say(record)
      // Who speaks is here, unless he spoke long ago; that he has come is for his presence to say.
      const isMember = !isHistory && room.members().some((member) => member.key === key)
      const changed = isMember ? room.see(record, nowMs) : undefined
      const said = isKept
        ? shown(room, record, room.labels()).map((text) => ({ _tag: "Said" as const, text, isHistory }))
        : []
      return changed === undefined ? said : [personEvent(room, changed), ...said]
    }
    const changed = room.see(record, nowMs)
    return changed === undefined ? [] : [personEvent(room, changed)]
  }

  #mayGoOn(key: string, nowMs: number): boolean {
    if (key === this.#options.self) return true
    const rate = this.#rates.get(key) ?? { tokens: TEXTS_AT_ONCE, atMs: nowMs }
    const since = Math.max(0, nowMs - rate.atMs) / 1000
    const tokens = Math.min(TEXTS_AT_ONCE, rate.tokens + since * TEXTS_PER_SECOND)
    keepLast(this.#rates, key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs }, MAX_RATED)
    return tokens >= 1
  }
}

/** Adds an id; where there are too many, the oldest goes. */
const keep = (ids: Set<string>, id: string): void => {
  ids.add(id)
  if (ids.size > MAX_SEEN) ids.delete(ids.values().next().value as string)
}

const personEvent = (room: Room, changed: PersonChanged): ChatEvent => ({
  _tag: "Person",
  room: room.name,
  label: room.labels()(changed.key, changed.name),
  changed
})

const shown = (
  room: Room,
  { content, id, key }: ChatRecord,
  labelOf: ReturnType<Room["labels"]>
): ReadonlyArray<ShownText> =>
  "text" in content
    ? [{ room: room.name, id, key, from: labelOf(key, content.name), at: content.at, text: content.text }]
    : []
