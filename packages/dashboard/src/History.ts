/**
 * The last ten minutes, second by second: what came and went by command, latency, heights, how busy the machine was. It is kept whether
 * anybody looks or not, so that who opens the page sees what led to now.
 */
import type { PeerStatus, Queries } from "@satwire/node-core"
import type { TrafficSnapshot } from "@satwire/peer"
import type { TurnsSnapshot } from "@satwire/runtime"
import type { Sample } from "@satwire/dashboard-page"

/**
 * A second each.
 *
 * @limit samples of a dashboard's history
 */
export const SAMPLES_KEPT = 600

/** What a sample is made of. */
export interface Reading extends Pick<Queries, "peers" | "headers" | "blocks" | "traffic"> {
  readonly unixMs: number
  readonly turns: TurnsSnapshot
  readonly process: ProcessReading
}

export interface ProcessReading {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly cpuMs: number
}

export class History {
  readonly #samples: Array<Sample> = []
  #last: Reading
  #counts: Map<string, Count>
  #n = 0

  constructor(first: Reading) {
    this.#last = first
    this.#counts = countsOf(first.traffic)
  }

  note(reading: Reading): void {
    const before = this.#last
    const counts = countsOf(reading.traffic)
    const { blocks, headers, peers, traffic, turns, unixMs } = reading
    const [pingMedianMs, pingP99Ms] = latency(peers)
    this.#samples.push({
      n: ++this.#n,
      unixMs,
      overMs: Math.max(1, unixMs - before.unixMs),
      received: traffic.bytesReceived - before.traffic.bytesReceived,
      sent: traffic.bytesSent - before.traffic.bytesSent,
      ...this.#risen(counts),
      peers: peers.filter(({ state }) => state === "ready").length,
      pingMedianMs,
      pingP99Ms,
      headers: headers?.tip.height ?? 0,
      blocks: blocks?.tip.height ?? null,
      turns: turns.turns - before.turns.turns,
      turnMs: rounded(turns.totalMs - before.turns.totalMs),
      steps: turns.steps.map((step, i) => step - (before.turns.steps[i] ?? 0)),
      cpuMs: rounded(reading.process.cpuMs - before.process.cpuMs),
      residentBytes: reading.process.residentBytes,
      heapBytes: reading.process.heapBytes,
      receivedBytesWaiting: peers.reduce((sum, peer) => sum + peer.receivedBytesWaiting, 0),
      blocksWaiting: blocks?.waiting ?? 0,
      blocksInFlight: blocks?.inFlight ?? 0
    })
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift()
    this.#last = reading
    this.#counts = counts
  }

  /** Those after sample `n`; all where `n` is of another run. */
  after(n: number): ReadonlyArray<Sample> {
    const first = this.#samples[0]?.n ?? 0
    return n > this.#n ? this.#samples : this.#samples.slice(Math.max(0, n + 1 - first))
  }

  #risen(counts: ReadonlyMap<string, Count>): Pick<Sample, "bytes" | "messages"> {
    const bytes: Record<string, number> = {}
    const messages: Record<string, number> = {}
    for (const [label, count] of counts) {
      const before = this.#counts.get(label)
      const more = count.messages - (before?.messages ?? 0)
      if (more <= 0) continue
      messages[label] = more
      bytes[label] = count.bytes - (before?.bytes ?? 0)
    }
    return { bytes, messages }
  }
}

interface Count {
  bytes: number
  messages: number
}

/** Both ways. */
const countsOf = ({ received, sent }: TrafficSnapshot): Map<string, Count> => {
  const counts = new Map<string, Count>()
  for (const side of [received, sent]) {
    for (const [label, { bytes, messages }] of side) {
      const sum = counts.get(label)
      if (sum === undefined) counts.set(label, { bytes, messages })
      else {
        sum.bytes += bytes
        sum.messages += messages
      }
    }
  }
  return counts
}

/** The median of the last round trips of all peers, and what one in a hundred is above. */
const latency = (peers: ReadonlyArray<PeerStatus>): readonly [median: number | null, p99: number | null] => {
  const pings = Float64Array.from(peers.flatMap(({ pingMs }) => pingMs ?? [])).sort()
  const at = (share: number): number | null => {
    const ping = pings[Math.ceil(share * pings.length) - 1]
    return ping === undefined ? null : rounded(ping)
  }
  return [at(0.5), at(0.99)]
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000
