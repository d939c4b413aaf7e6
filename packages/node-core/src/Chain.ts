/**
 * All that is about the chain, behind one door of the node: headers, blocks, transactions and mining, and what one of them is to know of the
 * other. Connections are the node's.
 */
import { BlockContexts } from "@satwire/consensus"
import type { BlockSyncInput } from "@satwire/block-sync"
import type { ConnectionsInput } from "@satwire/connections"
import type {
  ChosenFor,
  HeaderSync,
  HeaderSyncInput,
  HeaderSyncMessage,
  HeaderSyncOutput,
  HeaderTree
} from "@satwire/header-sync"
import { type Instant, type Now, type Outbox, type PeerId, earliest } from "@satwire/machine"
import type { Miner, MinerInput, MinerOutput } from "@satwire/mining"
import type { ConnectionKind, PeerInfo } from "@satwire/peer"
import { BlockView } from "@satwire/primitives"
import type { CompactInput } from "@satwire/compact-blocks"
import {
  Blocks,
  type BlocksHost,
  type BlocksRole,
  BloomFilters,
  type ChainLookups,
  Compact,
  type CompactHost,
  Manager,
  RecentBlocks,
  Transactions,
  type TransactionsHost,
  type TransactionsRole,
  chainLookups
} from "@satwire/node-roles"
import { Inventory, MSG_WITNESS_BLOCK, type Message } from "@satwire/wire"
import type { DisconnectReason } from "./DisconnectReason.ts"
import { type NodeCoreOptions, headerSyncOf, minerOf } from "./NodeCoreOptions.ts"
import type { NodeCoreInput, NodeCoreOutput, Queries } from "./NodeCoreEvents.ts"
import type { PeerChainDetails } from "./PeerDetails.ts"
import type { Owing, PeerEntry } from "./PeerEntry.ts"
import { ROUTES } from "./Routes.ts"
import { SubmittedBlocks } from "./SubmittedBlocks.ts"

/** What it asks of the node around it. */
export interface ChainHost {
  /** A reply or a request, or, where it says what about, news. */
  readonly send: (
    peer: PeerId,
    message: Message,
    about: "block" | "transaction" | undefined,
    isHistoric?: boolean
  ) => void
  /** A message of a reply that is several. */
  readonly sendPart: (peer: PeerId, message: Message, hasMore: boolean) => void
  /** Nothing more of the peer is to be handled until it is owed nothing by anybody. */
  readonly owe: (peer: PeerId, by: Owing, owed: boolean) => void
  readonly close: (peer: PeerId, reason: DisconnectReason, cost: "disconnect" | "discourage") => void
  /** Whether so much was uploaded today that nothing more is given, or, before, nothing historic. */
  readonly isTargetReached: (now: Now, isHistoric: boolean) => boolean
  readonly connections: (input: ConnectionsInput) => void
  readonly tell: (output: NodeCoreOutput) => void
}

/** What of the node's inputs is about the chain. */
export type ChainInput = Extract<
  NodeCoreInput,
  {
    readonly _tag:
      | "SubmitHeaders"
      | "SubmitBlock"
      | "BlockChecked"
      | "BlockDropped"
      | "BlocksStored"
      | "BlockRead"
      | "BlocksPruned"
      | "BlockLost"
      | "HoldBlocks"
      | "InvalidateHeader"
      | "ReconsiderHeader"
      | "WatchScripts"
      | "MakeBlock"
      | "SubmitTransaction"
      | "MakeTransactions"
  }
>

type ChainQueries = Pick<Queries, "headers" | "blocks" | "filters" | "tips" | "pool" | "compact">

/** Connections that are opened of our own accord, and have to be worth their place. */
const CHOSEN_FOR: ReadonlyMap<ConnectionKind, ChosenFor> = new Map([
  ["outbound-full-relay", "full-relay"],
  ["block-relay-only", "block-relay-only"]
])

/** Core's `DEFAULT_MAX_TIP_AGE`: with an older tip a node takes itself for one that has to catch up. */
export const MAX_TIP_AGE_S: number = 24 * 60 * 60

/** So many blocks behind the present the chain is near enough for new blocks to be fetched as they come. */
const BLOCKS_BEHIND = 20

/** One for all turns. */
const TURN_ENDS: BlockSyncInput = { _tag: "TurnEnds" }

/** When the end of the followed chain was mined; of a base that is known by its hash alone, when what follows it was. */
const timeOf = (tree: HeaderTree, tip: number): number => {
  if (tree.time(tip) >= 0) return tree.time(tip)
  const next = tree.ancestor(tree.best, tree.height(tip) + 1)
  return next < 0 ? -1 : tree.time(next)
}

export class Chain {
  readonly #options: NodeCoreOptions
  readonly #host: ChainHost
  readonly #contexts: BlockContexts
  readonly #headerSync: HeaderSync | undefined
  readonly #toHeaderSyncMachine: Manager<HeaderSyncInput, HeaderSyncOutput> | undefined
  readonly #bloom: BloomFilters
  readonly #blocks: Blocks | undefined
  readonly #transactions: Transactions | undefined
  readonly #compact: Compact | undefined
  readonly #recent: RecentBlocks = new RecentBlocks()
  readonly #submitted: SubmittedBlocks
  /** Why the headers that were submitted last were refused. */
  #lastRefusal: string | undefined = undefined
  /** What can be looked up between turns. */
  readonly lookups: ChainLookups
  /** Whether the followed chain has ever been near the present. */
  #isNear = false
  /** The end of the followed chain that transactions were told of last. */
  #toldTip: number
  /** The last block that was made here. */
  #made = -1
  readonly #miner: Miner | undefined
  readonly #minerOutbox: Outbox<MinerOutput> = { push: (output) => this.#fromMiner(output) }
  /** That of the turn that is under way. */
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }

  constructor(options: NodeCoreOptions, host: ChainHost) {
    this.#options = options
    this.#host = host
    this.#contexts = new BlockContexts(options.tree.params, options.tree)
    const { blocks, transactions } = options.roles
    this.#bloom = this.#makeBloom()
    this.#blocks = blocks === undefined ? undefined : this.#makeBlocks(blocks)
    this.#headerSync = headerSyncOf(options, this.#blocks?.tip)
    this.#toHeaderSyncMachine =
      this.#headerSync === undefined
        ? undefined
        : new Manager(this.#headerSync, (output: HeaderSyncOutput) => this.#fromHeaderSync(output))
    this.#transactions = transactions === undefined ? undefined : this.#makeTransactions(transactions)
    this.#toldTip = this.#followedTip
    this.#compact =
      this.#blocks === undefined || blocks === undefined ? undefined : this.#makeCompact(this.#blocks, blocks)
    this.#miner = minerOf(options, this.#blocks?.miningView ?? options.tree, this.#transactions?.source)
    this.#submitted = new SubmittedBlocks({
      hash: (header) => options.tree.hash(header),
      tell: (hash, rule) => host.tell({ _tag: "BlockSubmitted", hash, rule })
    })
    this.lookups = this.#makeLookups()
  }

  #makeLookups(): ChainLookups {
    const { sha256, tree } = this.#options
    return chainLookups({
      tree,
      sha256,
      blocks: this.#blocks,
      transactions: this.#transactions,
      tip: () => this.#followedTip,
      isNearPresent: () => this.#isNearPresent(),
      lastRefusal: () => this.#lastRefusal
    })
  }

  #makeBloom(): BloomFilters {
    return new BloomFilters(this.#options.sha256, {
      send: this.#host.sendPart,
      close: this.#host.close,
      filterSet: (peer, isSet) => {
        this.#transactions?.filterSet(peer, this.#now)
        this.#host.connections({ _tag: "FilterSet", peer, isSet })
      },
      given: (peer, isSent) => this.#toBlocks({ _tag: "FilteredGiven", peer, isSent })
    })
  }

  #makeBlocks(role: BlocksRole): Blocks {
    const { sha256, tree } = this.#options
    const host: BlocksHost = {
      send: (peer, message, isHistoric) => this.#host.send(peer, message, undefined, isHistoric),
      owe: (peer, owed) => this.#host.owe(peer, "blocks", owed),
      close: this.#host.close,
      isTargetReached: (now) => this.#host.isTargetReached(now, true),
      bestOf: (peer) => this.#headerSync?.bestOf(peer) ?? -1,
      submitHeader: (headers, from) => this.#toHeaderSync({ _tag: "Submit", headers, count: 1, from }),
      followed: (header) => {
        this.#toHeaderSync({ _tag: "Show", header })
        this.#followed(header)
        this.#toMiner({ _tag: "TipMoved" })
      },
      invalid: (header) => this.#toHeaderSync({ _tag: "Invalidate", hash: tree.hash(header) }),
      delivered: (header, from) => {
        if (from !== undefined) this.#host.connections({ _tag: "UsefulBlock", peer: from })
        this.#toCompact({ _tag: "BlockDelivered", header, peer: from })
      },
      shouldAskCompact: (peer, header) => this.#compact?.shouldAsk(peer, header, this.#now) === true,
      giveCompact: (peer, header, block) => this.#toCompact({ _tag: "BlockRequested", peer, header, block }),
      bloom: this.#bloom.lookup,
      giveFiltered: (peer, block) => this.#bloom.handle({ _tag: "GiveBlock", peer, block }, this.#now),
      tell: this.#host.tell
    }
    const leavesTransactions = this.#options.roles.transactions !== undefined
    return new Blocks(role, { contexts: this.#contexts, host, leavesTransactions, sha256, tree })
  }

  #makeTransactions(role: TransactionsRole): Transactions {
    const { random, sha256, tree } = this.#options
    const host: TransactionsHost = {
      send: (peer, message, isAnnouncement) =>
        this.#host.send(peer, message, isAnnouncement ? "transaction" : undefined),
      owe: (peer, owed) => this.#host.owe(peer, "transactions", owed),
      close: this.#host.close,
      isCatchingUp: () => !this.#isNearPresent(),
      bloom: this.#bloom.lookup,
      isTargetReached: (now) => this.#host.isTargetReached(now, false),
      tip: () => this.#followedTip,
      block: (header) => this.#recent.get(header),
      notInPool: (tx) => this.#compact?.add(tx),
      tell: (fact) => {
        if (fact._tag === "TransactionAccepted" && fact.from !== undefined)
          this.#host.connections({ _tag: "UsefulTransaction", peer: fact.from })
        this.#host.tell(fact)
      }
    }
    return new Transactions(role, { contexts: this.#contexts, host, random: random.fork(), sha256, tree })
  }

  #makeCompact(blocks: Blocks, { serve, short }: BlocksRole): Compact | undefined {
    if (short === "never") return undefined
    const { params, random, roles, sha256, tree } = this.#options
    const host: CompactHost = {
      send: (peer, message, isAnnouncement) => this.#host.send(peer, message, isAnnouncement ? "block" : undefined),
      owe: (peer, owed) => this.#host.owe(peer, "compact", owed),
      close: this.#host.close,
      requests: blocks.requests,
      hasHeader: (peer, header) => this.#headerSync?.hasHeader(peer, header) === true,
      hasWitness: (header) => this.#contexts.after(tree.parent(header), tree.time(header)).hasWitness,
      // Core's `CanDirectFetch`.
      canDirectFetch: (now) => now.unix - timeOf(tree, blocks.tip) < BLOCKS_BEHIND * params.powTargetSpacing,
      submitHeader: (headers, from) => this.#toHeaderSync({ _tag: "Submit", headers, count: 1, from }),
      perform: (output) => this.#aboutBlocks(blocks, output),
      tell: this.#host.tell
    }
    return new Compact({
      host,
      pool: this.#transactions?.pool,
      sha256,
      tree,
      random: random.fork(),
      serves: serve,
      prefills: short !== "plain",
      unbroadcast: () => this.#transactions?.unbroadcast ?? [],
      announces: roles.headers?.announce === true
    })
  }

  /** What moving blocks in short is for fetching and giving them. */
  #aboutBlocks(blocks: Blocks, output: Parameters<CompactHost["perform"]>[0]): void {
    const { header, peer } = output
    const hash = this.#options.tree.hash(header)
    switch (output._tag) {
      case "Claim":
        return this.#toBlocks({ _tag: "BlockClaimed", peer, header })
      case "Release":
        return this.#toBlocks({ _tag: "BlockReleased", peer, header })
      case "AskWhole":
        return this.#toBlocks({ _tag: "BlockAskedWhole", peer, header })
      case "GiveWhole": {
        const inventory = Inventory.ofType(MSG_WITNESS_BLOCK, [hash])
        return blocks.received(peer, { _tag: "getdata", inventory }, this.#now)
      }
      case "Rebuilt":
        return this.#toBlocks({ _tag: "BlockReceived", from: peer, block: output.block, hash, isRebuilt: true })
      case "ReadBlock":
        return this.#host.tell({ _tag: "ReadBlock", peer, header, hash, hasWitness: true, isForTransactions: true })
      case "Announced":
        return this.#toHeaderSync({ _tag: "Told", peer, header })
    }
  }

  get #followedTip(): number {
    return this.#blocks?.tip ?? this.#options.tree.best
  }

  #isNearPresent(): boolean {
    const age = this.#now.unix - this.#options.tree.time(this.#followedTip)
    this.#isNear ||= age <= MAX_TIP_AGE_S
    return this.#isNear
  }

  #followed(header: number): void {
    const from = this.#toldTip
    this.#toldTip = header
    this.#transactions?.moved({ from, to: header }, this.#now)
  }

  /** A turn begins. */
  begin(now: Now): void {
    this.#now = now
  }

  nextTimeout(): Instant | undefined {
    const chain = earliest(this.#headerSync?.nextTimeout(), this.#blocks?.nextTimeout())
    const rest = earliest(this.#transactions?.nextTimeout(), this.#bloom.nextTimeout())
    return earliest(chain, earliest(rest, this.#miner?.nextTimeout()))
  }

  /** The end of the chain of which we have the blocks, by the number of its header; the tree's first without the role. */
  get blockTip(): number {
    return this.#blocks?.tip ?? 0
  }

  /** Whether a block of that chain does not matter, where only those that do are kept. */
  isPassedOver(header: number): boolean {
    return this.#blocks?.isPassedOver(header) === true
  }

  /** The memory that lists of a peer take that are still to be gone through. */
  heldBytes(peer: PeerId): number {
    return (this.#blocks?.heldBytes(peer) ?? 0) + (this.#transactions?.heldBytes(peer) ?? 0)
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    const headers = this.#headerSync?.snapshot()
    return (
      this.#blocks?.isEmpty !== false &&
      this.#transactions?.isEmpty !== false &&
      this.#compact?.isEmpty !== false &&
      this.#bloom.isEmpty &&
      (headers === undefined || (headers.peers === 0 && this.#headerSync?.nextTimeout() === undefined))
    )
  }

  query<Name extends keyof ChainQueries>(name: Name): ChainQueries[Name] {
    const answers: { readonly [N in keyof ChainQueries]: () => ChainQueries[N] } = {
      headers: () => this.#headerSync?.snapshot(),
      blocks: () => this.#blocks?.snapshot(),
      filters: () => this.#blocks?.filters,
      tips: () => this.#options.tree.tips(),
      pool: () => this.#transactions?.snapshot(),
      compact: () => this.#compact?.snapshot()
    }
    return answers[name]()
  }

  /** What is known of the chains of peers: what is the same for all is looked up once. */
  details(): (peer: PeerId) => PeerChainDetails {
    const { tree } = this.#options
    const presyncing = this.#headerSync?.snapshot().presyncing ?? []
    const presynced = new Map(
      presyncing.filter(({ phase }) => phase === "presync").map(({ height, peer }) => [peer, height])
    )
    const compact = this.#compact?.snapshot()
    const [to, from] = [new Set(compact?.highBandwidthTo), new Set(compact?.highBandwidthFrom)]
    return (peer) => {
      const best = this.#headerSync?.bestOf(peer) ?? -1
      return {
        presyncedHeight: presynced.get(peer) ?? -1,
        headersHeight: best < 0 ? -1 : tree.height(best),
        blocksHeight: best < 0 || this.#blocks === undefined ? -1 : tree.height(tree.fork(best, this.#blocks.tip)),
        inFlight: this.#blocks?.inFlight(peer) ?? [],
        isHighBandwidthTo: to.has(peer),
        isHighBandwidthFrom: from.has(peer),
        transactions: this.#transactions?.peer(peer)
      }
    }
  }

  handle(input: ChainInput): void {
    switch (input._tag) {
      case "SubmitHeaders":
        this.#lastRefusal = undefined
        return this.#toHeaderSync({ _tag: "Submit", headers: input.headers, count: input.count })
      case "SubmitBlock":
        return this.#submitOurs(input.block)
      case "HoldBlocks":
        return this.#toBlocks({ _tag: "Hold", held: input.held })
      case "InvalidateHeader":
        this.#toHeaderSync({ _tag: "Invalidate", hash: input.hash })
        return this.#toBlocks({ _tag: "HeadersMoved", anew: true })
      case "ReconsiderHeader":
        this.#toHeaderSync({ _tag: "Reconsider", hash: input.hash })
        // The chain of headers of most work may be another than that of blocks, and stay.
        return this.#toBlocks({ _tag: "HeadersMoved", anew: true })
      case "WatchScripts":
        return this.#blocks?.watch(input.scripts, this.#now)
      case "MakeBlock":
        return this.#toMiner({ _tag: "MakeBlock" })
      case "SubmitTransaction":
        return this.#transactions?.submit(input.tx, this.#now)
      case "MakeTransactions":
        return this.#transactions?.make(input.count, this.#now)
      case "BlockChecked":
        return this.#checked(input)
      case "BlocksStored":
        this.#toBlocks(input)
        for (const header of input.headers) this.#settled(header)
        return
      case "BlockDropped":
        this.#submitted.settle(input.header, "inconclusive")
        return this.#toBlocks(input)
      case "BlockRead":
        if (input.isForTransactions !== true) return this.#toBlocks(input)
        return this.#toCompact({ _tag: "BlockTxnRead", peer: input.peer, block: input.block })
      default:
        return this.#toBlocks(input)
    }
  }

  #checked(input: ChainInput & { readonly _tag: "BlockChecked" }): void {
    const { block, fault, header } = input
    const { tree } = this.#options
    if (fault === undefined && this.#transactions !== undefined) this.#recent.add(header, block)
    const isNext = tree.parent(header) === this.#followedTip
    this.#toBlocks(input)
    if (fault !== undefined) this.#submitted.settle(header, fault.rule)
    else if (!tree.isValid(header)) this.#submitted.settle(header, "duplicate-invalid")
    if (fault !== undefined || !isNext || !tree.isValid(header)) return
    this.#toCompact({ _tag: "BlockValid", header, block, isOurs: header === this.#made })
  }

  /** A peer's handshake is done. */
  ready(entry: PeerEntry, info: PeerInfo): void {
    const { id: peer, kind, permissions } = entry
    const isTrusted = permissions.has("noban")
    const outbound = kind !== "inbound"
    this.#toHeaderSync({ _tag: "PeerReady", peer, outbound, isTrusted, chosenFor: CHOSEN_FOR.get(kind) })
    this.#toBlocks({
      _tag: "PeerReady",
      peer,
      services: info.services,
      isPreferred: outbound || isTrusted,
      isPrivileged: permissions.has("download")
    })
    this.#bloom.handle({ _tag: "PeerReady", peer, isOffered: entry.offersBloom }, this.#now)
    this.#transactions?.ready(entry, info, this.#now)
    this.#toCompact({ _tag: "PeerReady", peer, outbound, protocolVersion: info.commonVersion })
  }

  gone(peer: PeerId): void {
    this.#toHeaderSync({ _tag: "PeerGone", peer })
    this.#toBlocks({ _tag: "PeerGone", peer })
    this.#bloom.handle({ _tag: "PeerGone", peer }, this.#now)
    this.#transactions?.gone(peer, this.#now)
    this.#toCompact({ _tag: "PeerGone", peer })
  }

  /** What was sent to a peer last is on its way. */
  drained(peer: PeerId): void {
    this.#toBlocks({ _tag: "Drained", peer })
    this.#transactions?.drained(peer, this.#now)
  }

  received(peer: PeerId, message: Message): void {
    switch (ROUTES[message._tag]) {
      case "headerSync":
        this.#toHeaderSync({ _tag: "Received", peer, message: message as HeaderSyncMessage })
        return this.#toBlocks({ _tag: "PeerAdvanced", peer })
      case "inventory":
        this.#toHeaderSync({ _tag: "Received", peer, message: message as HeaderSyncMessage })
        this.#toBlocks({ _tag: "PeerAdvanced", peer })
        return this.#transactions?.received(peer, message, this.#now)
      case "blocks":
        return this.#blocks?.received(peer, message, this.#now)
      case "data":
        this.#blocks?.received(peer, message, this.#now)
        return this.#transactions?.received(peer, message, this.#now)
      case "bloom":
        return this.#bloom.received(peer, message, this.#now)
      case "compact":
        return this.#compact?.received(peer, message, this.#now)
      case "transactions":
        return this.#transactions?.received(peer, message, this.#now)
      default:
        return
    }
  }

  endTurn(): void {
    this.#toBlocks(TURN_ENDS)
  }

  timeout(): void {
    const { instant } = this.#now
    if (this.#toHeaderSyncMachine?.isDue(instant) === true) this.#toHeaderSync({ _tag: "Timeout" })
    this.#blocks?.timeout(this.#now)
    this.#bloom.timeout(this.#now)
    this.#transactions?.timeout(this.#now)
    if ((this.#miner?.nextTimeout() ?? Infinity) <= instant) this.#toMiner({ _tag: "Timeout" })
  }

  #toHeaderSync(input: HeaderSyncInput): void {
    this.#toHeaderSyncMachine?.handle(input, this.#now)
  }

  #toBlocks(input: BlockSyncInput): void {
    this.#blocks?.handle(input, this.#now)
  }

  #toCompact(input: CompactInput): void {
    this.#compact?.handle(input, this.#now)
  }

  #toMiner(input: MinerInput): void {
    this.#miner?.handle(input, this.#now, this.#minerOutbox)
  }

  #fromHeaderSync(output: HeaderSyncOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message, output.isAnnouncement === true ? "block" : undefined)
      case "Misbehaved":
        return host.close(output.peer, output.reason, "discourage")
      case "TipStale":
        host.tell(output)
        return host.connections(output)
      case "Protected":
        return host.connections(output)
      case "TooSlow":
        return host.close(output.peer, output.reason, "disconnect")
      case "HeadersAccepted":
        return host.tell({
          _tag: "HeadersAccepted",
          headers: output.headers,
          count: output.count,
          from: output.from
        })
      case "TipChanged":
        host.tell(output)
        if (output.from !== undefined) host.connections({ _tag: "BlockAnnounced", peer: output.from })
        if (this.#blocks === undefined) this.#toMiner({ _tag: "TipMoved" })
        return this.#toBlocks({ _tag: "HeadersMoved", anew: output.from === undefined })
      case "SubmitRefused":
        this.#lastRefusal = output.rule
        return host.tell(output)
      default:
        return host.tell(output)
    }
  }

  #fromMiner(output: MinerOutput): void {
    this.#host.tell(output)
    this.#submit(BlockView.of(output.block))
  }

  #submitOurs(block: BlockView): void {
    const { sha256, tree } = this.#options
    const hash = block.hash(sha256)
    const known = tree.find(hash)
    const tell = (rule: string | undefined): void => this.#host.tell({ _tag: "BlockSubmitted", hash, rule })
    if (known >= 0 && !tree.isValid(known)) return tell("duplicate-invalid")
    if (known >= 0 && this.#blocks?.isHere(known) !== false) return tell("duplicate")
    this.#lastRefusal = undefined
    this.#submit(block)
    const header = tree.find(hash)
    if (header < 0) tell(this.#lastRefusal === "unconnected" ? "prev-blk-not-found" : this.#lastRefusal)
    else if (this.#blocks === undefined) tell(tree.isValid(header) ? undefined : "bad-prevblk")
    else if (tree.isValid(header)) this.#submitted.wait(header)
    else tell("bad-prevblk")
  }

  /** A block is kept, and what follows of that is done. */
  #settled(header: number): void {
    const isFollowed = this.#options.tree.isAncestor(header, this.#followedTip)
    this.#submitted.settle(header, isFollowed ? undefined : "inconclusive")
  }

  #submit(block: BlockView): void {
    if (this.#blocks !== undefined) {
      this.#blocks.take(block, undefined, this.#now)
      this.#made = this.#options.tree.find(block.hash(this.#options.sha256))
    } else this.#toHeaderSync({ _tag: "Submit", headers: block.rawHeader.slice(), count: 1 })
  }
}
