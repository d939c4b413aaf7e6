/**
 * Bytes and messages of one connection, by command: the table's commands, and names for everything else. In little memory, because
 * most connections use ten commands and there may be ten thousand connections.
 */
import { type Message, commands } from "@satwire/wire"

/**
 * A command of the table, `*other*` for commands it does not have, `*dropped*` for frames that were no messages, `*decoy*` for packets of
 * the encrypted transport that say nothing.
 */
export type TrafficLabel = Message["_tag"] | "*other*" | "*dropped*" | "*decoy*"

export interface TrafficCount {
  readonly messages: number
  readonly bytes: number
}

export interface TrafficSnapshot {
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly received: ReadonlyMap<TrafficLabel, TrafficCount>
  readonly sent: ReadonlyMap<TrafficLabel, TrafficCount>
}

const LABELS: ReadonlyArray<TrafficLabel> = [...commands, "*other*", "*dropped*", "*decoy*"]
const NUMBER_OF: ReadonlyMap<TrafficLabel, number> = new Map(LABELS.map((label, number) => [label, number]))

/** The side and the label in one number. */
const keyOf = (side: "received" | "sent", label: TrafficLabel): number =>
  2 * (NUMBER_OF.get(label) as number) + (side === "sent" ? SENT : 0)
const SENT = 1

/**
 * In which order a peer's keys came up. Nearly all shake hands in the same order, so these are shared, and a peer has only its numbers.
 */
class Order {
  readonly keys: ReadonlyArray<number>
  readonly #places: Int8Array = new Int8Array(2 * LABELS.length).fill(-1)
  readonly #next: Map<number, Order> = new Map()

  constructor(keys: ReadonlyArray<number>) {
    this.keys = keys
    for (const [place, key] of keys.entries()) this.#places[key] = place
  }

  /** Where the numbers of this key stand, or -1. */
  placeOf(key: number): number {
    return this.#places[key] as number
  }

  /** The order in which this key follows. Peers may bring about any: when there are too many, all begin anew. */
  followedBy(key: number): Order {
    const known = this.#next.get(key)
    if (known !== undefined) return known
    const next = new Order([...this.keys, key])
    if (++orders > MOST_ORDERS) {
      orders = 0
      first = new Order([])
      return next
    }
    this.#next.set(key, next)
    return next
  }
}

/**
 * Beyond them those that are no peer's any more are forgotten.
 *
 * @limit orders of commands that are remembered for all peers
 */
const MOST_ORDERS = 1000
let orders = 0
let first = new Order([])

/** Messages and bytes in one number: so many bytes that the messages, of 20 bytes at least, leave their bits alone. */
const ONE_BYTE: number = 2 ** 22
const MOST_BYTES: number = 2 ** 24
const NOTHING_YET: Array<number> = []

export class Traffic {
  #bytesReceived = 0
  #bytesSent = 0
  #order: Order = first
  #counts: Array<number> = NOTHING_YET
  /** What was more than one number holds, by key; most never have any. */
  #more: Map<number, TrafficCount> | undefined = undefined

  received(bytes: number): void {
    this.#bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
  }

  message(side: "received" | "sent", label: TrafficLabel, bytes: number): void {
    const key = keyOf(side, label)
    const place = this.#order.placeOf(key)
    if (bytes > MOST_BYTES) this.#note(key, { messages: 1, bytes })
    const count = bytes > MOST_BYTES ? 0 : 1 + bytes * ONE_BYTE
    if (place < 0) {
      this.#order = this.#order.followedBy(key)
      // A new list of just that length, where pushing would keep room for more.
      this.#counts = this.#counts.concat([count])
      return
    }
    const sum = (this.#counts[place] as number) + count
    this.#counts[place] = sum
    if (sum < MOST_BYTES * ONE_BYTE) return
    this.#note(key, countOf(sum))
    this.#counts[place] = 0
  }

  snapshot(): TrafficSnapshot {
    return {
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      received: this.#read(0),
      sent: this.#read(SENT)
    }
  }

  #note(key: number, { bytes, messages }: TrafficCount): void {
    this.#more ??= new Map()
    const before = this.#more.get(key) ?? { messages: 0, bytes: 0 }
    this.#more.set(key, { messages: before.messages + messages, bytes: before.bytes + bytes })
  }

  #read(side: number): ReadonlyMap<TrafficLabel, TrafficCount> {
    const read = new Map<TrafficLabel, TrafficCount>()
    for (const [place, key] of this.#order.keys.entries()) {
      if (key % 2 !== side) continue
      const { bytes, messages } = countOf(this.#counts[place] as number)
      const more = this.#more?.get(key) ?? { messages: 0, bytes: 0 }
      const label = LABELS[(key - side) / 2] as TrafficLabel
      read.set(label, { messages: messages + more.messages, bytes: bytes + more.bytes })
    }
    return read
  }
}

const countOf = (sum: number): TrafficCount => ({ messages: sum % ONE_BYTE, bytes: Math.floor(sum / ONE_BYTE) })
