/**
 * Bytes and messages of one connection, by command: the table's commands, and names for everything else. It lies in one flat list, because
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

/**
 * In the order in which they came up: a key, which is the side and the label's number, with the messages above it; their bytes; and so on.
 */
type Counts = Array<number>

const FIELDS = 2
const SENT = 1
/** How many keys there could be, so the least by which another message makes the first field larger. */
const ONE_MESSAGE = 256
const NOTHING_YET: Counts = []

export class Traffic {
  #bytesReceived = 0
  #bytesSent = 0
  #counts: Counts = NOTHING_YET

  received(bytes: number): void {
    this.#bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
  }

  message(side: "received" | "sent", label: TrafficLabel, bytes: number): void {
    const counts = this.#counts
    const key = 2 * (NUMBER_OF.get(label) as number) + (side === "sent" ? SENT : 0)
    for (let at = 0; at < counts.length; at += FIELDS) {
      const field = counts[at] as number
      if (field % ONE_MESSAGE !== key) continue
      counts[at] = field + ONE_MESSAGE
      counts[at + 1] = (counts[at + 1] as number) + bytes
      return
    }
    // A new list of just that length, where pushing would keep room for eleven more.
    this.#counts = counts.concat([ONE_MESSAGE + key, bytes])
  }

  snapshot(): TrafficSnapshot {
    return {
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      received: read(this.#counts, 0),
      sent: read(this.#counts, SENT)
    }
  }
}

const read = (counts: Counts, side: number): ReadonlyMap<TrafficLabel, TrafficCount> => {
  const read = new Map<TrafficLabel, TrafficCount>()
  for (let at = 0; at < counts.length; at += FIELDS) {
    const field = counts[at] as number
    const key = field % ONE_MESSAGE
    if (key % 2 !== side) continue
    const label = LABELS[(key - side) / 2] as TrafficLabel
    read.set(label, { messages: Math.floor(field / ONE_MESSAGE), bytes: counts[at + 1] as number })
  }
  return read
}
