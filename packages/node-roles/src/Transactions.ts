/** The role of having transactions: they are asked for, kept until a block has them, and passed on. What a pool takes is the pool's to say. */
import { type BlockContexts, MAX_BLOCK_WEIGHT } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import type { Instant, Now, PeerId, Random } from "@satwire/machine"
import { type BlockSelection, type CoinLookup, Mempool, type PoolResult, type PoolTest } from "@satwire/mempool"
import { RESERVED_WEIGHT, Spender, type TransactionSource } from "@satwire/mining"
import { parseNode } from "@satwire/netaddress"
import type { ConnectionKind, PeerInfo } from "@satwire/peer"
import { type BlockView, TransactionView, type Txid, type Wtxid } from "@satwire/primitives"
import {
  type BloomLookup,
  type PoolNotServed,
  type SubmitResult,
  type TransactionsUnwanted,
  type TxPeerSnapshot,
  TxRelay,
  type TxRelayInput,
  type TxRelayMessage,
  type TxRelayOutput,
  type TxRelaySnapshot
} from "@satwire/tx-relay"
import type { KeptOrphan } from "@satwire/tx-request"
import type { Message } from "@satwire/wire"
import { Manager } from "./Manager.ts"
import { OwedReplies } from "./OwedReplies.ts"

export interface TransactionsRole {
  /**
   * Tells peers of the pool's transactions, and gives them. On public networks not before coins and scripts are verified: nothing is relayed
   * there that is not validated.
   */
  readonly relays: boolean
  /** Asks for what peers announce; so where not given. */
  readonly fetches?: boolean | undefined
  /** Core's default of 300 MB where not given. */
  readonly maxPoolBytes?: number | undefined
  /** Makes transactions when it is told to, of outputs that anybody may spend: for regtest. */
  readonly makes?: boolean | undefined
  /** Who knows coins; those of its own where it makes transactions, and else nobody, if not given. */
  readonly coins?: CoinLookup | undefined
}

/** What of it is news. */
export type TransactionsFact =
  /** A transaction is in the pool that was not; `from` is `undefined` for one of our own. */
  | { readonly _tag: "TransactionAccepted"; readonly wtxid: Wtxid; readonly from: PeerId | undefined }
  /** What became of one of our own. */
  | {
      readonly _tag: "TransactionSubmitted"
      readonly txid: Txid
      readonly wtxid: Wtxid
      /** Why it is not taken, as Bitcoin Core names it; `undefined` where it is. */
      readonly rule: string | undefined
    }

export interface PoolSnapshot extends TxRelaySnapshot {
  /** Transactions of the pool, and the memory that it takes. */
  readonly count: number
  readonly memoryBytes: number
  readonly minFeeRateSatPerKvb: number
  /** Outputs of our own that may be spent; `undefined` where none are made. */
  readonly spendable: number | undefined
}

/** A connection whose handshake is done. */
export interface ReadyPeer {
  readonly id: PeerId
  readonly kind: ConnectionKind
  readonly address: string
  /** Our end, where somebody dialled us. */
  readonly socket: string
  /** What our user allows to it, by Core's names. */
  readonly permissions: { has(permission: "noban" | "relay" | "forcerelay" | "mempool"): boolean }
  /** Our `version` offered `NODE_BLOOM` to it. */
  readonly offersBloom: boolean
}

/** What the role asks of the node around it. */
export interface TransactionsHost {
  readonly send: (peer: PeerId, message: Message, isAnnouncement: boolean) => void
  readonly owe: (peer: PeerId, owed: boolean) => void
  readonly close: (peer: PeerId, reason: TransactionsUnwanted | PoolNotServed, cost: "disconnect") => void
  readonly isCatchingUp: () => boolean
  /** Who has a bloom filter, and what matches it. */
  readonly bloom: BloomLookup
  /** Whether so much was uploaded today that the pool is given to nobody without the permission. */
  readonly isTargetReached: (now: Now) => boolean
  /** The end of the followed chain. */
  readonly tip: () => number
  /** A block of the followed chain, or of one that was, where it is at hand. */
  readonly block: (header: number) => BlockView | undefined
  /** It may be in a block all the same. */
  readonly notInPool: (tx: TransactionView) => void
  readonly tell: (fact: TransactionsFact) => void
}

interface Given {
  readonly tree: HeaderTree
  readonly contexts: BlockContexts
  readonly sha256: Sha256
  readonly random: Random
  readonly host: TransactionsHost
}

/** How the followed chain moved. */
export interface ChainMove {
  /** Its end before, and now. */
  readonly from: number
  readonly to: number
}

export class Transactions {
  readonly #host: TransactionsHost
  readonly #tree: HeaderTree
  readonly #sha256: Sha256
  readonly #pool: Mempool
  readonly #spender: Spender | undefined
  readonly #relay: TxRelay
  readonly #manager: Manager<TxRelayInput, TxRelayOutput>
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }
  readonly #owed: OwedReplies

  constructor(role: TransactionsRole, { contexts, host, random, sha256, tree }: Given) {
    this.#host = host
    this.#owed = new OwedReplies(host.owe)
    this.#tree = tree
    this.#sha256 = sha256
    this.#spender = role.makes === true ? new Spender({ sha256, random: random.fork() }) : undefined
    this.#pool = new Mempool({
      sha256,
      random: random.fork(),
      nextBlock: () => contexts.after(host.tip(), this.#now.unix),
      coins: role.coins ?? this.#spender,
      maxBytes: role.maxPoolBytes
    })
    this.#relay = new TxRelay({
      random: random.fork(),
      sha256,
      pool: this.#pool,
      relays: role.relays,
      fetches: role.fetches !== false,
      isBlocksOnly: role.fetches === false,
      isCatchingUp: host.isCatchingUp,
      filters: host.bloom,
      isTargetReached: () => host.isTargetReached(this.#now)
    })
    this.#manager = new Manager(this.#relay, (output: TxRelayOutput) => this.#perform(output))
  }

  /** What a block is made of. */
  get source(): TransactionSource {
    return { select: (maxWeight, withWitness) => this.#pool.forBlock(maxWeight, withWitness) }
  }

  get pool(): Mempool {
    return this.#pool
  }

  /** What fills the next block. */
  select(withWitness: boolean): BlockSelection {
    return this.#pool.forBlock(MAX_BLOCK_WEIGHT - RESERVED_WEIGHT, withWitness)
  }

  /** What would become of a transaction. */
  test(tx: TransactionView): PoolTest {
    return this.#pool.test(tx)
  }

  get orphans(): ReadonlyArray<KeptOrphan> {
    return this.#relay.orphans()
  }

  /** Transactions of our own that nobody has asked for yet. */
  get unbroadcast(): ReadonlyArray<Wtxid> {
    return this.#relay.unbroadcast
  }

  /** The memory that lists of a peer take that are still to be gone through. */
  heldBytes(peer: PeerId): number {
    return this.#relay.heldBytes(peer)
  }

  get isEmpty(): boolean {
    return this.#relay.isEmpty
  }

  snapshot(): PoolSnapshot {
    const { count, memoryBytes, minFeeRateSatPerKvb } = this.#pool
    return { ...this.#relay.snapshot(), count, memoryBytes, minFeeRateSatPerKvb, spendable: this.#spender?.spendable }
  }

  peer(id: PeerId): TxPeerSnapshot | undefined {
    return this.#relay.peer(id)
  }

  nextTimeout(): Instant | undefined {
    return this.#relay.nextTimeout()
  }

  ready({ address, id: peer, kind, offersBloom, permissions, socket }: ReadyPeer, info: PeerInfo, now: Now): void {
    const isOutbound = kind !== "inbound"
    const isTrusted = permissions.has("noban")
    this.#handle(
      {
        _tag: "PeerReady",
        peer,
        isOutbound,
        networkKey: `${parseNode(address)?.network ?? ""} ${socket}`,
        services: info.services,
        relaysTransactions: info.relay,
        wtxidRelay: info.wtxidRelay,
        isBlockOnly: kind === "block-relay-only" || kind === "feeler" || kind === "addr-fetch",
        isPreferred: isOutbound || isTrusted,
        isTrusted,
        mayRelay: permissions.has("relay"),
        forceRelay: permissions.has("forcerelay"),
        mayAskForPool: permissions.has("mempool"),
        maySetFilter: offersBloom
      },
      now
    )
  }

  gone(peer: PeerId, now: Now): void {
    this.#handle({ _tag: "PeerGone", peer }, now)
  }

  filterSet(peer: PeerId, now: Now): void {
    this.#handle({ _tag: "FilterSet", peer }, now)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    this.#handle({ _tag: "Received", peer, message: message as TxRelayMessage }, now)
  }

  drained(peer: PeerId, now: Now): void {
    this.#handle({ _tag: "Drained", peer }, now)
  }

  timeout(now: Now): void {
    if (!this.#manager.isDue(now.instant)) return
    for (const { tx } of this.#pool.expire(now)) this.#host.notInPool(tx)
    this.#handle({ _tag: "Timeout" }, now)
  }

  submit(tx: TransactionView, now: Now): void {
    this.#handle({ _tag: "SubmitLocal", tx }, now)
  }

  /** Makes so many transactions, or as many as there are outputs for. */
  make(count: number, now: Now): void {
    for (const tx of this.#spender?.spendMany(count) ?? []) this.submit(TransactionView.of(tx), now)
  }

  /**
   * Another chain is followed.
   *
   * Specification: a block that is not at hand is passed over: what it holds stays in the pool until it expires or is spent. Rationale: it is one
   * of many that came long ago, when the pool had nothing.
   */
  moved({ from, to }: ChainMove, now: Now): void {
    const tree = this.#tree
    this.#now = now
    const fork = tree.fork(from, to)
    const left = pathOf(tree, fork, from)
    for (const header of left.toReversed()) {
      this.#handle({ _tag: "BlockDisconnected", hash: tree.hash(header) }, now)
      const block = this.#host.block(header)
      if (block !== undefined) this.#spender?.disconnected(block, tree.height(header))
    }
    // Nothing here could be in them; our own coins are.
    if (this.#host.isCatchingUp() && this.#pool.count === 0 && this.#spender === undefined) return
    const joined = pathOf(tree, fork, to)
    for (const header of left) {
      const block = this.#host.block(header)
      if (block !== undefined) this.#pool.disconnected(block, now)
    }
    for (const header of joined) this.#join(header, now)
    this.#handle({ _tag: "TipChanged" }, now)
  }

  #join(header: number, now: Now): void {
    const block = this.#host.block(header)
    if (block === undefined) return
    const txids = block.txids(this.#sha256)
    this.#handle({ _tag: "BlockConnected", block }, now)
    this.#spender?.connected(block, this.#tree.height(header), txids)
    const { conflicting } = this.#pool.connected(block, now, txids)
    for (const { tx } of conflicting) this.#host.notInPool(tx)
  }

  #handle(input: TxRelayInput, now: Now): void {
    this.#now = now
    this.#manager.handle(input, now)
    this.#owed.release(this.#manager)
  }

  #perform(output: TxRelayOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message, output.isAnnouncement === true)
      case "ReplyOwed":
        return this.#owed.said(output)
      case "Submit":
        return this.#submit(output)
      case "TransactionAccepted":
        return host.tell(output)
      case "RejectedTransaction":
      case "ReplacedTransaction":
        return host.notInPool(output.tx)
      case "Disconnect":
        return host.close(output.peer, output.reason, "disconnect")
    }
  }

  #submit({ child, from, tx, txid, wtxid }: TxRelayOutput & { readonly _tag: "Submit" }): void {
    const result = this.#take(tx)
    const childResult = child === undefined ? undefined : this.#take(child.tx)
    this.#manager.handle(
      { _tag: "Submitted", wtxid, result, ...(childResult === undefined ? {} : { childResult }) },
      this.#now
    )
    if (from === undefined) this.#host.tell({ _tag: "TransactionSubmitted", txid, wtxid, rule: ruleOf(result) })
  }

  #take(tx: TransactionView): SubmitResult {
    const result: PoolResult = this.#pool.submit(tx, this.#now)
    if (result._tag !== "MissingInputs") for (const left of result.evicted) this.#host.notInPool(left.tx)
    return result
  }
}

const ruleOf = (result: SubmitResult): string | undefined => {
  if (result._tag === "Accepted") return undefined
  return result._tag === "Rejected" ? result.rule : "missing-inputs"
}

/** What lies above a header on the way to another, the lowest first. */
const pathOf = (tree: HeaderTree, fork: number, to: number): ReadonlyArray<number> => {
  const path: Array<number> = []
  for (let at = to; at !== fork; at = tree.parent(at)) path.push(at)
  return path.reverse()
}
