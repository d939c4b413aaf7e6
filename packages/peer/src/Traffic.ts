/**
 * Bytes and messages of one connection, by command: the table's commands, and names for everything else. It lies in one flat list for
 * each side, because most connections use ten commands and there may be ten thousand connections.
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

/** A label's number, its messages, its bytes, and so on, in the order in which they came up. */
type Counts = Array<number>

const FIELDS = 3
const NOTHING_YET: Counts = []

export class Traffic {
  #bytesReceived = 0
  #bytesSent = 0
  #received: Counts = NOTHING_YET
  #sent: Counts = NOTHING_YET

  received(bytes: number): void {
    this.#bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
  }

  message(side: "received" | "sent", label: TrafficLabel, bytes: number): void {
    const counts = side === "received" ? this.#received : this.#sent
    const number = NUMBER_OF.get(label) as number
    for (let at = 0; at < counts.length; at += FIELDS) {
      if (counts[at] !== number) continue
      counts[at + 1] = (counts[at + 1] as number) + 1
      counts[at + 2] = (counts[at + 2] as number) + bytes
      return
    }
    // A new list of just that length, where pushing would keep room for eleven more.
    const more = counts.concat([number, 1, bytes])
    if (side === "received") this.#received = more
    else this.#sent = more
  }

  snapshot(): TrafficSnapshot {
    return {
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      received: read(this.#received),
      sent: read(this.#sent)
    }
  }
}

const read = (counts: Counts): ReadonlyMap<TrafficLabel, TrafficCount> => {
  const read = new Map<TrafficLabel, TrafficCount>()
  for (let at = 0; at < counts.length; at += FIELDS) {
    const label = LABELS[counts[at] as number] as TrafficLabel
    read.set(label, { messages: counts[at + 1] as number, bytes: counts[at + 2] as number })
  }
  return read
}
