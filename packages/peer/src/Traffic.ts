/** Bytes and messages of one connection, by command: the table's commands, and two names for everything else. */
import type { Message } from "@satwire/wire"

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

export class Traffic {
  #bytesReceived = 0
  #bytesSent = 0
  readonly #messages: {
    readonly received: Map<TrafficLabel, { messages: number; bytes: number }>
    readonly sent: Map<TrafficLabel, { messages: number; bytes: number }>
  } = { received: new Map(), sent: new Map() }

  received(bytes: number): void {
    this.#bytesReceived += bytes
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes
  }

  message(side: "received" | "sent", label: TrafficLabel, bytes: number): void {
    const counts = this.#messages[side]
    const count = counts.get(label)
    if (count === undefined) {
      counts.set(label, { messages: 1, bytes })
      return
    }
    count.messages += 1
    count.bytes += bytes
  }

  snapshot(): TrafficSnapshot {
    const copy = (from: Map<TrafficLabel, TrafficCount>): Map<TrafficLabel, TrafficCount> =>
      new Map([...from].map(([label, count]) => [label, { ...count }]))
    return {
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      received: copy(this.#messages.received),
      sent: copy(this.#messages.sent)
    }
  }
}
