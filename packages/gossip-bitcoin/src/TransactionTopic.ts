/**
 * Transactions by gossip: judged by all that needs no coins, by the fee that a lookup knows, and by how much a peer has sent; then they wait in
 * a queue for whoever takes them, the best fee rate first. What a peer has besides is asked of it by `synchronize`.
 */
import { transactionFindings } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { type GossipShape, type PublishError, type Published, type TopicCodec, type Verdict } from "@satwire/gossip"
import { type Rate, TokenBucket, forgetOldest } from "@satwire/machine"
import { TransactionView, WITNESS_SCALE_FACTOR } from "@satwire/primitives"
import type { DialError, ListenError } from "@satwire/transport"
import type { StreamError } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { FeeQueue, type QueuedTransaction } from "./FeeQueue.ts"
import { type Synchronized, serveTransactions, synchronize } from "./Synchronizing.ts"

/**
 * Bitcoin Core's `MAX_STANDARD_TX_WEIGHT`; no transaction of that weight has more bytes.
 *
 * @limit weight of a transaction that is passed on, and its bytes
 */
export const MAX_TRANSACTION_WEIGHT = 400_000
/**
 * @limit bytes of transactions that wait to be taken, unless told otherwise; those that pay least go
 */
export const MAX_QUEUE_BYTES = 5_000_000
/**
 * @limit transactions in a second that are taken of one peer, unless told otherwise
 */
export const TRANSACTIONS_PER_SECOND = 14
/**
 * @limit transactions at once that are taken of one peer, unless told otherwise
 */
export const TRANSACTIONS_AT_ONCE = 1000
/** Peers whose rates are remembered; the oldest are forgotten. */
const MAX_RATED_PEERS = 1024

/** Satoshis; `unknown` where its coins are not: it is dropped at nobody's cost; `invalid` where it spends what it may not. */
export type Fee = number | "unknown" | "invalid"

/** What we have beside the queue, such as a pool. */
export interface TransactionLookup {
  readonly has: (wtxid: Uint8Array) => boolean
  readonly ids: () => Iterable<Uint8Array>
  readonly find: (wtxid: Uint8Array) => Uint8Array | undefined
}

export interface TransactionTopicOptions<R = never> {
  readonly feeOf: (transaction: TransactionView) => Fee | Effect.Effect<Fee, never, R>
  /** 100 where not given, as Bitcoin Core 30. */
  readonly minFeeRateSatPerKvb?: number
  readonly lookup?: TransactionLookup
  readonly maxQueueBytes?: number
  readonly perPeer?: Rate
  readonly sha256?: Sha256
}

export interface TransactionTopic {
  readonly publish: (transaction: TransactionView) => Effect.Effect<Published, PublishError>
  /** The best that waits, sooner or later. */
  readonly take: Effect.Effect<QueuedTransaction>
  readonly transactions: Stream.Stream<QueuedTransaction>
  readonly queue: Pick<FeeQueue, "size" | "bytes" | "has">
  /** Fetches what a peer has and we have not, judged as what comes by gossip; it is not passed on. */
  readonly synchronize: (peer: string) => Effect.Effect<Synchronized, DialError | StreamError>
  readonly peers: () => ReadonlyArray<string>
  readonly mesh: () => ReadonlyArray<string>
}

const codec: TopicCodec<TransactionView> = {
  encode: ({ bytes }) => bytes,
  decode: (bytes) => {
    const decoded = TransactionView.decode(bytes)
    if (Result.isFailure(decoded)) return Result.fail(String(decoded.failure))
    const { value, bytesLeft } = decoded.success
    return bytesLeft === 0 ? Result.succeed(value) : Result.fail(`${bytesLeft} bytes after a transaction`)
  }
}

/** A topic of transactions as long as the scope. */
export const transactionTopic = <R = never>(
  gossip: GossipShape,
  name: string,
  options: TransactionTopicOptions<R>
): Effect.Effect<TransactionTopic, ListenError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R>()
    const room = new Room(gossip, options)
    const topic = yield* gossip.topic<TransactionView, R>(name, {
      codec,
      maxBytes: MAX_TRANSACTION_WEIGHT,
      validate: (transaction, from) => (room.isSpam(from) ? "ignore" : room.judge(transaction, from)),
      // They are in the queue.
      maxWaiting: 1
    })
    const protocol = `/satwire/transactions/1/${name}`
    yield* serveTransactions(gossip.node, protocol, room)
    return {
      peers: topic.peers,
      mesh: topic.mesh,
      publish: topic.publish,
      take: room.take,
      transactions: Stream.fromEffectRepeat(room.take),
      queue: room.queue,
      synchronize: (peer) =>
        synchronize(gossip.node, protocol, peer, {
          has: (id) => room.has(id),
          take: (bytes) => Effect.provideContext(room.takeIn(bytes, peer, name), context)
        })
    }
  })

class Room<R> {
  readonly #gossip: GossipShape
  readonly #options: TransactionTopicOptions<R>
  readonly #sha256: Sha256
  readonly queue: FeeQueue
  readonly #rates: Map<string, TokenBucket> = new Map()
  readonly #waiting: Set<() => void> = new Set()

  constructor(gossip: GossipShape, options: TransactionTopicOptions<R>) {
    this.#gossip = gossip
    this.#options = options
    this.#sha256 = options.sha256 ?? platformSha256
    this.queue = new FeeQueue(options.maxQueueBytes ?? MAX_QUEUE_BYTES)
  }

  has(wtxid: Uint8Array): boolean {
    return this.queue.has(wtxid) || (this.#options.lookup?.has(wtxid) ?? false)
  }

  find(wtxid: Uint8Array): Uint8Array | undefined {
    return this.queue.get(wtxid)?.transaction.bytes ?? this.#options.lookup?.find(wtxid)
  }

  *ids(): Iterable<Uint8Array> {
    yield* this.queue.ids()
    yield* this.#options.lookup?.ids() ?? []
  }

  /** Specification: it is dropped at nobody's cost. Rationale: an honest peer passes on what many others send. */
  isSpam(peer: string): boolean {
    const now = this.#gossip.shared.now().instant
    let bucket = this.#rates.get(peer)
    if (bucket === undefined) {
      if (this.#rates.size >= MAX_RATED_PEERS) forgetOldest(this.#rates)
      this.#rates.set(
        peer,
        (bucket = new TokenBucket(
          this.#options.perPeer ?? { perSecond: TRANSACTIONS_PER_SECOND, burst: TRANSACTIONS_AT_ONCE },
          now
        ))
      )
    }
    return !bucket.take(1, now)
  }

  judge(transaction: TransactionView, from: string): Verdict | Effect.Effect<Verdict, never, R> {
    const { rule, isCoinbase } = transactionFindings(transaction)
    if (rule !== undefined) return { reject: "invalid", detail: rule }
    if (isCoinbase) return { reject: "invalid", detail: "coinbase" }
    if (transaction.weight > MAX_TRANSACTION_WEIGHT) return { reject: "invalid", detail: "tx-size" }
    const wtxid = transaction.wtxid(this.#sha256)
    if (this.has(wtxid)) return "ignore"
    const settle = (fee: Fee): Verdict => {
      if (fee === "unknown") return "ignore"
      if (fee === "invalid") return { reject: "invalid", detail: "it spends what it may not" }
      const feeRateSatPerKvb = (fee * 1000 * WITNESS_SCALE_FACTOR) / transaction.weight
      // What is too little for one is enough for another.
      if (feeRateSatPerKvb < (this.#options.minFeeRateSatPerKvb ?? 100)) return "ignore"
      const gone = this.queue.add({ transaction, wtxid, fee, feeRateSatPerKvb, from })
      if (gone.some((one) => one.wtxid === wtxid)) return "ignore"
      for (const wake of this.#waiting) wake()
      return "accept"
    }
    const fee = this.#options.feeOf(transaction)
    return Effect.isEffect(fee) ? Effect.map(fee, settle) : settle(fee)
  }

  /** One that was asked for; whether it was taken. */
  takeIn(bytes: Uint8Array, peer: string, topic: string): Effect.Effect<boolean, never, R> {
    return Effect.gen({ self: this }, function* () {
      const decoded = codec.decode(bytes)
      const judged = Result.isFailure(decoded)
        ? ({ reject: "undecodable", detail: decoded.failure } as const)
        : this.judge(decoded.success, peer)
      const verdict = Effect.isEffect(judged) ? yield* judged : judged
      if (typeof verdict === "object") yield* this.#gossip.fault(peer, topic, verdict.reject, verdict.detail ?? "")
      return verdict === "accept"
    })
  }

  readonly take: Effect.Effect<QueuedTransaction> = Effect.callback((resume) => {
    const look = (): void => {
      const best = this.queue.take()
      if (best === undefined) return
      this.#waiting.delete(look)
      resume(Effect.succeed(best))
    }
    this.#waiting.add(look)
    look()
    return Effect.sync(() => this.#waiting.delete(look))
  })
}
