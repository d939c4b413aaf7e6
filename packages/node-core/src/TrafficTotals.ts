/** What came and went over all connections that there ever were: those that are over are added up here. */
import type { TrafficCount, TrafficLabel, TrafficSnapshot } from "@satwire/peer"

export class TrafficTotals {
  #bytesReceived = 0
  #bytesSent = 0
  readonly #received: Map<TrafficLabel, TrafficCount> = new Map()
  readonly #sent: Map<TrafficLabel, TrafficCount> = new Map()

  /** A connection is over. */
  add({ bytesReceived, bytesSent, received, sent }: TrafficSnapshot): void {
    this.#bytesReceived += bytesReceived
    this.#bytesSent += bytesSent
    addUp(this.#received, received)
    addUp(this.#sent, sent)
  }

  /** All that is over, and what is not. */
  with(open: Iterable<TrafficSnapshot>): TrafficSnapshot {
    const totals = new TrafficTotals()
    totals.add(this.#snapshot)
    for (const each of open) totals.add(each)
    return totals.#snapshot
  }

  get #snapshot(): TrafficSnapshot {
    const [bytesReceived, bytesSent] = [this.#bytesReceived, this.#bytesSent]
    return { bytesReceived, bytesSent, received: this.#received, sent: this.#sent }
  }
}

const addUp = (sums: Map<TrafficLabel, TrafficCount>, counts: ReadonlyMap<TrafficLabel, TrafficCount>): void => {
  for (const [label, { bytes, messages }] of counts) {
    const sum = sums.get(label)
    sums.set(label, { messages: (sum?.messages ?? 0) + messages, bytes: (sum?.bytes ?? 0) + bytes })
  }
}
