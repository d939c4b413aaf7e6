/** The role of having blocks: they are fetched, checked, kept, followed and given. Checks, disk and what is read from it are the edge's. */
import {
  type BadBlock,
  type BlockStalling,
  BlockSync,
  type BlockSyncInput,
  type BlockSyncMessage,
  type BlockSyncOutput,
  type BlockTimeout,
  type BloomLookup,
  type BlocksSnapshot,
  type NotServed,
  type WantedRange
} from "@satwire/block-sync"
import type { FilterSyncSnapshot } from "@satwire/filter-sync"
import type { BlockContexts, BlockRule, PeriodFirst } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { type HeaderTree, type Tip, locate, tipOf } from "@satwire/header-sync"
import { type Instant, type Now, type PeerId, earliest } from "@satwire/machine"
import type { MiningView } from "@satwire/mining"
import type { BlockHash, BlockView } from "@satwire/primitives"
import type { Block, Message } from "@satwire/wire"
import { BlockFilters, type FilterFault, type FiltersFact, type MatchingRole } from "./BlockFilters.ts"
import { Manager } from "./Manager.ts"
import { OwedReplies } from "./OwedReplies.ts"

export interface BlocksRole {
  /** Which blocks are fetched; all where it is not given. */
  readonly wanted?: Omit<WantedRange, "isFiltered"> | undefined
  /** Of those only the ones that matter, by the filters that peers give; all where it is not given. */
  readonly matching?: MatchingRole | undefined
  /** Answers `getdata` and `getblocks`. */
  readonly serve: boolean
  /** Old blocks are not kept, and the last 288 are what is offered (BIP-0159). */
  readonly isLimited: boolean
  /** Those that were kept before this began, by the numbers of their headers. */
  readonly kept: Iterable<number>
  /** Blocks up to this one are not fetched again: they were pruned, or did not matter. */
  readonly passedTo?: number | undefined
  /** How new blocks move between peers that both have most of their transactions; "prefilled" where not given. */
  readonly short?: ShortBlocks | undefined
}

/**
 * In short (BIP-0152), with what others are likely to lack whole; in short with nothing whole but coinbases; or whole. The last two are there to
 * see what the first is worth.
 */
export type ShortBlocks = "prefilled" | "plain" | "never"

/** What the role asks of the node around it. */
export interface BlocksHost {
  readonly send: (peer: PeerId, message: Message, isHistoric: boolean) => void
  readonly owe: (peer: PeerId, owed: boolean) => void
  readonly close: (
    peer: PeerId,
    reason: BadBlock | BlockStalling | BlockTimeout | NotServed | FilterFault,
    cost: "disconnect" | "discourage"
  ) => void
  readonly isTargetReached: (now: Now) => boolean
  /** The header of most work that we know the peer has, or -1. */
  readonly bestOf: (peer: PeerId) => number
  /** The header of a block that came without being announced. `from` is `undefined` for one of our own. */
  readonly submitHeader: (raw: Uint8Array, from: PeerId | undefined) => void
  readonly followed: (header: number) => void
  readonly invalid: (header: number) => void
  /** A block is here that was not; `from` is `undefined` for one of our own. */
  readonly delivered: (header: number, from: PeerId | undefined) => void
  /** Whether a block that a peer is to be asked for, and no other, is asked for in short. */
  readonly shouldAskCompact: (peer: PeerId, header: number) => boolean
  /** A peer asked for this block in short. */
  readonly giveCompact: (peer: PeerId, header: number, block: BlockView) => void
  /** Who has a bloom filter, and what such a peer asked for through it. */
  readonly bloom: BloomLookup
  readonly giveFiltered: (peer: PeerId, block: BlockView) => void
  readonly tell: (output: BlocksCommand | BlocksFact) => void
}

/** What of it is the edge's to do. */
export type BlocksCommand =
  | Extract<BlockSyncOutput, { readonly _tag: "CheckBlock" | "StoreBlock" }>
  | (Output<"ReadBlock"> & ReadFor)

/** What a block is read for, which its answer says again: for a peer that wants it, or that wants some of its transactions. */
export interface ReadFor {
  readonly isForTransactions?: boolean
}

/** What of it is news. */
export type BlocksFact =
  /** Another chain of whole blocks is followed: `removed` blocks above the fork are no longer, and `added` are now. */
  | {
      readonly _tag: "BlockTipChanged"
      readonly tip: Tip
      readonly forkHeight: number
      readonly removed: number
      readonly added: number
    }
  /** A block breaks a rule: its header is invalid, and what follows it. */
  | {
      readonly _tag: "BlockInvalid"
      readonly height: number
      readonly hash: BlockHash
      readonly rule: BlockRule
      /** The transaction that breaks it, where it is one. */
      readonly transaction: number | undefined
    }
  | FiltersFact

/** What the edge answers. */
export type BlocksAnswer =
  | Extract<
      BlockSyncInput,
      { readonly _tag: "BlockChecked" | "BlockDropped" | "BlocksStored" | "BlocksPruned" | "BlockLost" }
    >
  | (Extract<BlockSyncInput, { readonly _tag: "BlockRead" }> & ReadFor)

export class Blocks {
  readonly #sync: BlockSync
  readonly #manager: Manager<BlockSyncInput, BlockSyncOutput>
  readonly #filters: BlockFilters | undefined
  readonly #host: BlocksHost
  readonly #tree: HeaderTree
  readonly #sha256: Sha256
  readonly #owed: OwedReplies
  /** That of the turn that is under way. */
  #now: Now = { instant: 0 as Instant, unix: 0 as Now["unix"] }

  constructor(
    role: BlocksRole,
    {
      contexts,
      host,
      leavesTransactions,
      sha256,
      tree
    }: {
      contexts: BlockContexts
      host: BlocksHost
      leavesTransactions: boolean
      sha256: Sha256
      tree: HeaderTree
    }
  ) {
    this.#host = host
    this.#owed = new OwedReplies(host.owe)
    this.#tree = tree
    this.#sha256 = sha256
    this.#sync = new BlockSync({
      headers: tree,
      locate: (tip, locator) => locate(tree, tip, locator),
      chains: { bestOf: host.bestOf },
      wanted: { ...role.wanted, isFiltered: role.matching !== undefined },
      contextOf: (header) => contexts.after(tree.parent(header), tree.time(header)),
      serves: role.serve,
      isLimited: role.isLimited,
      isTargetReached: host.isTargetReached,
      leavesTransactions,
      bloom: host.bloom,
      compact: { shouldAsk: host.shouldAskCompact }
    })
    for (const header of role.kept) this.#sync.restore(header)
    this.#sync.restored(role.passedTo)
    this.#manager = new Manager(this.#sync, (output: BlockSyncOutput) => this.#perform(output))
    this.#filters = role.matching === undefined ? undefined : this.#makeFilters(role.matching)
  }

  #makeFilters(matching: MatchingRole): BlockFilters {
    const host = this.#host
    const options = {
      ...matching,
      headers: this.#tree,
      sha256: this.#sha256,
      chains: { bestOf: host.bestOf },
      range: () => this.#sync.range
    }
    return new BlockFilters(options, {
      send: (peer, message) => host.send(peer, message, false),
      close: host.close,
      judged: (header, matches) => this.#judge({ _tag: "BlockJudged", header, matches }),
      fetch: (header) => this.#judge({ _tag: "BlockWanted", header }),
      tell: host.tell
    })
  }

  #judge(input: BlockSyncInput): void {
    this.#manager.handle(input, this.#now)
  }

  /** The end of the followed chain. */
  get tip(): number {
    return this.#sync.tip
  }

  /** The memory that lists of a peer take that are still to be gone through. */
  heldBytes(peer: PeerId): number {
    return this.#sync.heldBytes(peer)
  }

  get isEmpty(): boolean {
    return this.#sync.isEmpty && this.#filters?.isEmpty !== false
  }

  /** Which block is asked of whom. */
  get requests(): Pick<BlockSync, "tip" | "isHere" | "askedOf"> {
    return this.#sync
  }

  /** What is mined on: a chain of which we have the blocks. */
  get miningView(): MiningView {
    return new FollowedView(this.#tree, () => this.tip)
  }

  /** The heights of the blocks that a peer was asked for and has not sent. */
  inFlight(peer: PeerId): ReadonlyArray<number> {
    return this.#sync.askedFrom(peer).map((header) => this.#tree.height(header))
  }

  /** Whether nothing of it is still to come. */
  isHere(header: number): boolean {
    return this.#sync.blocks.isHere(header)
  }

  isKept(header: number): boolean {
    return this.#sync.blocks.isKept(header)
  }

  /** Whether it is here, and all before it are. */
  isWhole(header: number): boolean {
    return this.#sync.blocks.isWhole(header)
  }

  snapshot(): BlocksSnapshot {
    return this.#sync.snapshot()
  }

  /** Whether a block of the followed chain does not matter, and so is not kept. */
  isPassedOver(header: number): boolean {
    return this.#filters !== undefined && !this.#sync.blocks.isKept(header)
  }

  /** How far filters have come; `undefined` where all blocks are wanted. */
  get filters(): FilterSyncSnapshot | undefined {
    return this.#filters?.snapshot()
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#sync.nextTimeout(), this.#filters?.nextTimeout())
  }

  /** These scripts matter too, in blocks that are still to come. */
  watch(scripts: ReadonlyArray<Uint8Array>, now: Now): void {
    this.#filters?.handle({ _tag: "Watch", scripts }, now)
  }

  handle(input: BlockSyncInput, now: Now): void {
    this.#now = now
    // First, so that what is judged in this turn is fetched at its end.
    if (this.#filters !== undefined) this.#toFilters(this.#filters, input)
    this.#manager.handle(input, now)
    this.#owed.release(this.#manager)
  }

  #toFilters(filters: BlockFilters, input: BlockSyncInput): void {
    switch (input._tag) {
      case "PeerReady":
      case "PeerGone":
      case "HeadersMoved":
      case "TurnEnds":
        return filters.handle(input, this.#now)
      case "BlockChecked":
        if (input.fault === undefined) filters.handle({ ...input, _tag: "BlockSeen" }, this.#now)
        return
      default:
        return
    }
  }

  timeout(now: Now): void {
    this.#now = now
    this.#filters?.timeout(now)
    if (this.#manager.isDue(now.instant)) this.handle({ _tag: "Timeout" }, now)
  }

  /** A message of a peer's. The header of a block that nobody announced is looked at first, as any header is. */
  received(peer: PeerId, message: Message, now: Now): void {
    this.#now = now
    if (message._tag === "block") this.take(message.block, peer, now)
    else if (message._tag === "cfcheckpt" || message._tag === "cfheaders" || message._tag === "cfilter") {
      this.#filters?.received(peer, message, now)
    } else this.handle({ _tag: "Received", peer, message: message as BlockSyncMessage }, now)
  }

  /** A block of a peer's, or one of our own. */
  take(block: Block["block"], from: PeerId | undefined, now: Now): void {
    const hash = block.hash(this.#sha256)
    if (this.#tree.find(hash) < 0) this.#host.submitHeader(block.rawHeader.slice(), from)
    this.handle({ _tag: "BlockReceived", from, block, hash }, now)
  }

  #perform(output: BlockSyncOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message, output.isHistoric === true)
      case "ReplyOwed":
        return this.#owed.said(output)
      case "Misbehaved":
        return host.close(output.peer, output.reason, "discourage")
      case "TooSlow":
        return host.close(output.peer, output.reason, "disconnect")
      case "BlockAccepted":
        return host.delivered(output.header, output.from)
      case "BlockTipChanged":
        return this.#tipChanged(output)
      case "BlockInvalid":
        return this.#invalid(output)
      case "GiveCompact":
        return host.giveCompact(output.peer, output.header, output.block)
      case "GiveFiltered":
        return host.giveFiltered(output.peer, output.block)
      default:
        return host.tell(output)
    }
  }

  #tipChanged({ _tag, added, forkHeight, header, removed }: Output<"BlockTipChanged">): void {
    this.#host.tell({ _tag, tip: tipOf(this.#tree, header), forkHeight, removed, added })
    this.#host.followed(header)
  }

  #invalid({ _tag, fault, header }: Output<"BlockInvalid">): void {
    const { rule, transaction } = fault
    const { hash, height } = tipOf(this.#tree, header)
    this.#host.tell({ _tag, height, hash, rule, transaction })
    this.#host.invalid(header)
  }
}

type Output<Tag extends BlockSyncOutput["_tag"]> = Extract<BlockSyncOutput, { readonly _tag: Tag }>

/** A tree of headers whose best is the end of a chain of which we have the blocks. */
class FollowedView implements MiningView {
  readonly #tree: HeaderTree
  readonly #tip: () => number

  constructor(tree: HeaderTree, tip: () => number) {
    this.#tree = tree
    this.#tip = tip
  }

  get best(): number {
    return this.#tip()
  }
  hash(header: number): BlockHash {
    return this.#tree.hash(header)
  }
  height(header: number): number {
    return this.#tree.height(header)
  }
  version(header: number): number {
    return this.#tree.version(header)
  }
  time(header: number): number {
    return this.#tree.time(header)
  }
  bits(header: number): number {
    return this.#tree.bits(header)
  }
  parent(header: number): number {
    return this.#tree.parent(header)
  }
  ancestor(header: number, height: number): number {
    return this.#tree.ancestor(header, height)
  }
  periodFirst(header: number): PeriodFirst {
    return this.#tree.periodFirst(header)
  }
}
