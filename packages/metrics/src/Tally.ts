/** Sums of what a node tells, for what its snapshots do not hold. Every label is from a closed set, so that no peer can make more of them. */
import type { NodeFact } from "@satwire/node"
import { formatEndpoint } from "@satwire/transport"

/** Upper ends of steps, in seconds. */
const CONNECT_STEPS_S: ReadonlyArray<number> = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60]
const REBUILD_STEPS_S: ReadonlyArray<number> = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]

/**
 * Of more dials than this at once the first are forgotten, and not measured.
 *
 * @limit dials whose time is measured at once
 */
const DIALS_MEASURED = 1000

/** How often each of a few named things happened. */
export class Counts {
  readonly #counts: Map<string, number> = new Map()

  add(label: string, by: number = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + by)
  }

  /** `[label, count]`, in the order in which they first happened. */
  [Symbol.iterator](): Iterator<[string, number]> {
    return this.#counts[Symbol.iterator]()
  }
}

/** How long something took, by steps. */
export class Durations {
  readonly ends: ReadonlyArray<number>
  readonly counts: Float64Array
  sum = 0

  constructor(ends: ReadonlyArray<number>) {
    this.ends = ends
    this.counts = new Float64Array(ends.length + 1)
  }

  took(seconds: number): void {
    const step = this.ends.findIndex((end) => seconds <= end)
    const at = step < 0 ? this.ends.length : step
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
  }
}

export class Tally {
  readonly dials: Counts = new Counts()
  readonly dialsFailed: Counts = new Counts()
  readonly connected: Counts = new Counts()
  readonly introduced: Counts = new Counts()
  /** From the dial to hands that are shaken. */
  readonly connectSeconds: Durations = new Durations(CONNECT_STEPS_S)
  readonly disconnected: Counts = new Counts()
  /** Those that broke a rule which no honest peer breaks. */
  readonly misbehaved: Counts = new Counts()
  readonly refused: Counts = new Counts()
  /** Messages that were dropped: their commands are the peers' to choose, and no label. */
  dropped = 0
  readonly transactions: Counts = new Counts()
  readonly rebuildSeconds: Durations = new Durations(REBUILD_STEPS_S)
  headersAccepted = 0
  headersStored = 0
  blocksStored = 0
  blockBytesStored = 0
  blocksPruned = 0
  blocksInvalid = 0
  reorganisations = 0
  /** Blocks that left the followed chain. */
  blocksLeft = 0
  deepestReorganisation = 0
  rebuilt = 0
  rebuiltAtOnce = 0
  rebuiltBytes = 0
  rebuiltFromBytes = 0
  addressesLearned = 0
  isStoreFull = false
  isStoreBehind = false
  /** When each dial that is under way began, by its address, in milliseconds. */
  readonly #dialling: Map<string, number> = new Map()

  /** Takes note of a fact. @param ms the time of any clock that does not go back */
  note(fact: NodeFact, ms: number): void {
    switch (fact._tag) {
      case "PeerConnecting":
        return this.#dials(formatEndpoint(fact.endpoint), fact.kind, ms)
      case "DialFailed":
        this.#dialling.delete(formatEndpoint(fact.endpoint))
        return this.dialsFailed.add(fact.error.reason)
      case "PeerConnected":
        return this.connected.add(fact.kind)
      case "PeerReady":
        this.introduced.add(fact.info.kind)
        return this.#shookHands(fact.address, ms)
      case "PeerDisconnecting":
        this.#dialling.delete(fact.address)
        this.disconnected.add(fact.reason._tag)
        if (fact.cost === "discourage") this.misbehaved.add(fact.reason._tag)
        return
      case "InboundRefused":
        return this.refused.add(fact.because)
      case "MessageDropped":
        this.dropped += 1
        return
      case "AddressesLearned":
        this.addressesLearned += fact.added
        return
      default:
        return this.#noteChain(fact)
    }
  }

  #noteChain(fact: NodeFact): void {
    switch (fact._tag) {
      case "HeadersAccepted":
        this.headersAccepted += fact.count
        return
      case "HeadersStored":
        this.headersStored += fact.count
        return
      case "TipChanged":
        return this.#moved(fact.removed)
      case "BlocksStored":
        this.blocksStored += fact.count
        this.blockBytesStored += fact.bytes
        return
      case "BlocksPruned":
        this.blocksPruned += fact.count
        return
      case "BlockInvalid":
        this.blocksInvalid += 1
        return
      case "TransactionAccepted":
        return this.transactions.add(fact.from === undefined ? "own" : "peer")
      case "CompactReconstructed":
        return this.#rebuilt(fact)
      case "StoreFull":
        this.isStoreFull = true
        return
      case "StoreHasRoom":
        this.isStoreFull = false
        return
      case "StoreBehind":
        this.isStoreBehind = fact.isBehind
        return
      default:
        return
    }
  }

  #dials(address: string, kind: string, ms: number): void {
    this.dials.add(kind)
    this.#dialling.delete(address)
    this.#dialling.set(address, ms)
    const [first] = this.#dialling.keys()
    if (this.#dialling.size > DIALS_MEASURED && first !== undefined) this.#dialling.delete(first)
  }

  #shookHands(address: string, ms: number): void {
    const since = this.#dialling.get(address)
    this.#dialling.delete(address)
    if (since !== undefined) this.connectSeconds.took((ms - since) / 1000)
  }

  #moved(removed: number): void {
    if (removed === 0) return
    this.reorganisations += 1
    this.blocksLeft += removed
    this.deepestReorganisation = Math.max(this.deepestReorganisation, removed)
  }

  #rebuilt({ roundTrips, stats, tookMs }: Extract<NodeFact, { readonly _tag: "CompactReconstructed" }>): void {
    this.rebuilt += 1
    if (roundTrips === 0) this.rebuiltAtOnce += 1
    this.rebuiltBytes += stats.blockBytes
    this.rebuiltFromBytes += stats.messageBytes
    this.rebuildSeconds.took(tookMs / 1000)
  }
}
