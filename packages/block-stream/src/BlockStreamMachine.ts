/**
 * A block stream for somebody who has a list of peers and no node: the header stream's machine, block sync, and the blocks in memory between
 * the peers and one reader. It reads no clock, and has blocks checked outside.
 *
 * ```
 *   PeerReady, Received, … ─▶ HeaderStreamMachine ─▶ TipChanged
 *            │                                            ▼
 *            └──────────────▶ BlockSync ─▶ CheckBlock … BlockChecked ─▶ FetchedBlocks ─▶ Moved
 *                                 ▲                                          │
 *                                 └────────────── Unread ◀──── ReaderAt ─────┘
 * ```
 *
 * Specification: blocks are fetched while those that were asked for or wait for the reader take less than `bytesAhead`; when the reader waits for
 * one, that one is asked for in any case. Rationale: a slow reader stops the fetching, and no block that came too early can.
 *
 * Specification: a peer that cannot give the block that the reader waits for is let go after {@link LACKING_MS}, where no connected peer can.
 * Rationale: others of the list may have it, and when nobody has it that is said.
 */
import { BlockSync, type BlockSyncInput, type BlockSyncOutput } from "@satwire/block-sync"
import { BlockContexts } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { type HeaderStreamInput, HeaderStreamMachine, type HeaderStreamOutput } from "@satwire/header-stream"
import { type HeaderSyncMessage, type HeaderTree, locate } from "@satwire/header-sync"
import {
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  after,
  earliest
} from "@satwire/machine"
import type { BlockView, HeaderPoint } from "@satwire/primitives"
import { type Block, NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS, type NotFound } from "@satwire/wire"
import type {
  BlockServingFault,
  BlockStreamInput,
  BlockStreamOutput,
  BlockStreamProgress
} from "./BlockStreamEvents.ts"
import { FetchedBlocks } from "./FetchedBlocks.ts"
import { type StreamStart, placeAtStart } from "./StreamStart.ts"

/**
 * How many bytes of blocks may have been asked for and not be taken by the reader where nothing else is said, by what blocks have of late.
 *
 * @limit bytes of blocks that a block stream has asked for and its reader has not taken
 */
export const DEFAULT_BLOCK_BYTES_AHEAD = 32_000_000
/**
 * How many blocks may wait for the reader, however small they are.
 *
 * @limit blocks of a block stream that wait for its reader
 */
export const MAX_BLOCKS_AHEAD = 1024
/** How long others of the list may take to be dialled and to tell what they have, before a peer counts as useless. */
export const LACKING_MS = 10_000

export interface BlockStreamMachineOptions {
  readonly tree: HeaderTree
  readonly sha256: Sha256
  readonly random: Random
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  readonly start: StreamStart
  /** {@link DEFAULT_BLOCK_BYTES_AHEAD} where not given. */
  readonly bytesAhead?: number | undefined
  /** How long a peer may take for the first block that it owes; Core's ten minutes where not given. */
  readonly blockTimeoutMs?: number | undefined
}

/** What is known of a connected peer beside its headers. */
interface Giver {
  readonly services: bigint
  /** It sent a block that was kept. */
  hasServed: boolean
}

export class BlockStreamMachine implements Machine<BlockStreamInput, BlockStreamOutput> {
  readonly #options: BlockStreamMachineOptions
  readonly #tree: HeaderTree
  readonly #contexts: BlockContexts
  readonly #headers: HeaderStreamMachine
  readonly #fetched: FetchedBlocks
  readonly #givers: Map<PeerId, Giver> = new Map()
  /** From when on the reader's place is known. */
  #blocks: BlockSync | undefined = undefined
  #at = -1
  /** Since when the best chain is known, and where the reader is to begin is not in it. */
  #placeSoughtSince: Instant | undefined = undefined
  #isPlaceUnknown = false
  /** What block sync was told last of the reader. */
  #unread: { readonly bytes: number; readonly isStarving: boolean } = { bytes: 0, isStarving: false }
  /** Since when the reader waits for a block that nobody has. */
  #lackingSince: Instant | undefined = undefined
  #hasMoved = false
  /** Those of the turn that is under way. */
  #now: Now | undefined = undefined
  #out: Outbox<BlockStreamOutput> = { push: () => {} }

  /** @throws RangeError for a signet whose challenge has a form that is not verified */
  constructor(options: BlockStreamMachineOptions) {
    const { bytesAhead = DEFAULT_BLOCK_BYTES_AHEAD, random, sha256, skeleton, tree } = options
    this.#options = { ...options, bytesAhead }
    this.#tree = tree
    this.#contexts = new BlockContexts(tree.params, tree)
    this.#headers = new HeaderStreamMachine({ tree, sha256, random, skeleton })
    this.#fetched = new FetchedBlocks(bytesAhead / MAX_BLOCKS_AHEAD)
  }

  /** The header that the reader has taken in last; -1 before it is known where he begins. */
  get at(): number {
    return this.#at
  }

  /** The end of the chain of which all blocks were fetched; -1 before it is known where the reader begins. */
  get tip(): number {
    return this.#blocks?.tip ?? -1
  }

  /** A block that is in memory. */
  block(header: number): BlockView | undefined {
    return this.#fetched.get(header)
  }

  /** Whether a connected peer has no more headers than are here, and those have the network's least work. */
  get isFound(): boolean {
    return this.#headers.isFound
  }

  /** Whether the peer, which is connected, has brought anything that was new. */
  hasServed(peer: PeerId): boolean {
    return this.#headers.hasServed(peer) || this.#givers.get(peer)?.hasServed === true
  }

  /** Whether nothing is held for any peer. */
  get isEmpty(): boolean {
    return this.#givers.size === 0 && this.#headers.isEmpty && this.#blocks?.isEmpty !== false
  }

  snapshot(): BlockStreamProgress {
    const { bytesPerSecond = 0, inFlight = 0 } = this.#blocks?.snapshot() ?? {}
    const { bytesAhead, countAhead } = this.#fetched
    return { blocksAhead: countAhead, bytesAhead, inFlight, bytesPerSecond }
  }

  nextTimeout(): Instant | undefined {
    const looked = this.#blocks === undefined ? this.#placeSoughtSince : this.#lackingSince
    const own = looked === undefined ? undefined : after(looked, LACKING_MS)
    return earliest(own, earliest(this.#headers.nextTimeout(), this.#blocks?.nextTimeout()))
  }

  handle(input: BlockStreamInput, now: Now, out: Outbox<BlockStreamOutput>): void {
    this.#now = now
    this.#out = out
    this.#input(input)
    if (this.#blocks === undefined) this.#begin(now.instant)
    this.#endTurn(now.instant)
  }

  #input(input: BlockStreamInput): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input)
      case "PeerGone":
        this.#givers.delete(input.peer)
        break
      case "Received":
        return this.#received(input.peer, input.message)
      case "BlockChecked":
      case "BlockLost":
        return this.#toBlocks(input)
      case "ReaderAt":
        if (this.#tree.parent(input.header) === this.#at) this.#fetched.pass(input.header)
        this.#at = input.header
        return
      case "Hold":
      case "Timeout":
        break
    }
    this.#toHeaders(input)
    this.#toBlocks(input)
  }

  #ready({ _tag, outbound, peer, services }: BlockStreamInput & { readonly _tag: "PeerReady" }): void {
    this.#givers.set(peer, { services, hasServed: false })
    const hasBlocks = (services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) !== 0n && (services & NODE_WITNESS) !== 0n
    if (!hasBlocks) this.#letGo(peer, { _tag: "NoBlocks" })
    this.#toHeaders({ _tag, peer, outbound })
    this.#toBlocks(readyInput(peer, services))
  }

  #received(peer: PeerId, message: HeaderSyncMessage | Block | NotFound): void {
    switch (message._tag) {
      case "block": {
        const { block } = message
        const hash = block.hash(this.#options.sha256)
        // Of what nobody asked for only blocks of known headers are looked at.
        if (this.#tree.find(hash) >= 0) this.#toBlocks({ _tag: "BlockReceived", from: peer, block, hash })
        return
      }
      case "notfound":
        return this.#toBlocks({ _tag: "Received", peer, message })
      default:
        this.#toHeaders({ _tag: "Received", peer, message })
        return this.#toBlocks({ _tag: "PeerAdvanced", peer })
    }
  }

  /** Fetches blocks from when it is known where the reader begins. */
  #begin(now: Instant): void {
    const place = placeAtStart(this.#tree, this.#options.start, this.isFound)
    if (place < 0) return this.#seek(now)
    this.#at = place
    this.#blocks = this.#blockSync(place)
    for (const [peer, { services }] of this.#givers) this.#toBlocks(readyInput(peer, services))
  }

  /** Another peer may have more headers than the first that had no more: it is waited for a while. */
  #seek(now: Instant): void {
    const { after: place } = this.#options.start
    if (place === undefined || this.#isPlaceUnknown) return
    this.#placeSoughtSince = this.isFound ? (this.#placeSoughtSince ?? now) : undefined
    const isOver = this.#placeSoughtSince !== undefined && after(this.#placeSoughtSince, LACKING_MS) <= now
    // Its hash may be here at another height.
    if (!isOver && this.#tree.find(place.hash) < 0) return
    this.#isPlaceUnknown = true
    this.#placeSoughtSince = undefined
    this.#out.push({ _tag: "PlaceUnknown", place })
  }

  /** Block sync with all blocks up to this one behind it: kept as far as it knows, so that any of them can be fetched again. */
  #blockSync(place: number): BlockSync {
    const tree = this.#tree
    const sync = new BlockSync({
      headers: tree,
      chains: this.#headers,
      locate: (tip, locator) => locate(tree, tip, locator),
      contextOf: (header) => this.#contexts.after(tree.parent(header), tree.time(header)),
      serves: false,
      isLimited: false,
      isTargetReached: () => false,
      mostBytes: this.#options.bytesAhead,
      blockTimeoutMs: this.#options.blockTimeoutMs
    })
    const behind: Array<number> = []
    for (let header = place; header > 0; header = tree.parent(header)) behind.push(header)
    for (const header of behind.reverse()) sync.restore(header)
    sync.restored(undefined)
    return sync
  }

  #toHeaders(input: HeaderStreamInput): void {
    const said: Array<HeaderStreamOutput> = []
    this.#headers.handle(input, this.#now as Now, said)
    for (const output of said) {
      this.#out.push(output)
      if (output._tag === "TipChanged") this.#toBlocks({ _tag: "HeadersMoved", anew: output.from === undefined })
    }
  }

  #toBlocks(input: BlockSyncInput): void {
    const said: Array<BlockSyncOutput> = []
    this.#blocks?.handle(input, this.#now as Now, said)
    for (const output of said) this.#blocksSay(output)
  }

  #blocksSay(output: BlockSyncOutput): void {
    switch (output._tag) {
      case "Send":
        // It serves nobody, so that it sends nothing else.
        if (output.message._tag === "getdata") {
          this.#out.push({ _tag: "Send", peer: output.peer, message: output.message })
        }
        return
      case "CheckBlock":
        return this.#out.push(output)
      case "StoreBlock":
        this.#fetched.add(output.header, output.block)
        this.#hasMoved = true
        return this.#toBlocks({ _tag: "BlocksStored", headers: [output.header] })
      case "BlockAccepted": {
        const giver = output.from === undefined ? undefined : this.#givers.get(output.from)
        if (giver !== undefined) giver.hasServed = true
        return
      }
      case "BlockTipChanged":
        this.#hasMoved = true
        if (output.removed > 0 || output.header === this.#tree.best) this.#tidy(output.header)
        return
      case "BlockInvalid":
        return this.#toHeaders({ _tag: "Invalidate", hash: this.#tree.hash(output.header) })
      case "Misbehaved":
        return this.#letGo(output.peer, output.reason)
      case "TooSlow":
        return output.reason._tag === "NotServed" ? undefined : this.#letGo(output.peer, output.reason)
      case "GiveCompact":
      case "GiveFiltered":
      case "ReadBlock":
      case "ReplyOwed":
        return
    }
  }

  /** Blocks that the reader has no reason to want any more wait for him no more. */
  #tidy(tip: number): void {
    const tree = this.#tree
    for (const header of [...this.#fetched.ahead]) {
      const isOnWay = tree.isAncestor(header, tip) && !tree.isAncestor(header, this.#at)
      if (!isOnWay && tree.compareWork(header, tip) <= 0) this.#fetched.pass(header)
    }
  }

  #letGo(peer: PeerId, fault: BlockServingFault): void {
    this.#out.push({ _tag: "LetGo", peer, fault })
  }

  #endTurn(now: Instant): void {
    if (this.#blocks !== undefined) {
      const wanted = this.#wanted(this.#blocks)
      const before = this.#unread
      const bytes = this.#fetched.bytesAhead
      const isStarving = wanted >= 0
      if (bytes !== before.bytes || isStarving !== before.isStarving) {
        this.#unread = { bytes, isStarving }
        this.#toBlocks({ _tag: "Unread", bytes, isStarving })
      }
      this.#toBlocks({ _tag: "TurnEnds" })
      this.#lookWhoLacks(this.isFound && isStarving ? this.#blocks.whoLacks(wanted) : [], wanted, now)
    }
    if (this.#hasMoved) this.#out.push({ _tag: "Moved" })
    this.#hasMoved = false
  }

  /** The block that the reader waits for, or -1. */
  #wanted({ firstMissing, tip }: BlockSync): number {
    const tree = this.#tree
    if (this.#at === tip) return firstMissing
    if (!tree.isAncestor(this.#at, tip)) return -1
    const next = tree.ancestor(tip, tree.height(this.#at) + 1)
    return this.#fetched.get(next) === undefined ? next : -1
  }

  #lookWhoLacks(lacking: ReadonlyArray<PeerId>, wanted: number, now: Instant): void {
    if (lacking.length === 0) {
      this.#lackingSince = undefined
      return
    }
    this.#lackingSince ??= now
    if (after(this.#lackingSince, LACKING_MS) > now) return
    this.#lackingSince = undefined
    for (const peer of lacking) this.#letGo(peer, { _tag: "BlockLacking", height: this.#tree.height(wanted) })
  }
}

const readyInput = (peer: PeerId, services: bigint): BlockSyncInput => ({
  _tag: "PeerReady",
  peer,
  services,
  isPreferred: true,
  isPrivileged: false
})
