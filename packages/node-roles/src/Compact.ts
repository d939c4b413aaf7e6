/** The part of the role of having blocks that moves them in short (BIP-0152), of transactions that both ends have. */
import {
  type BadCompactBlock,
  CompactBlocks,
  type CompactBlocksOptions,
  type CompactInput,
  type CompactOutput,
  type CompactSnapshot,
  ExtraTransactions,
  type TransactionPool
} from "@satwire/compact-blocks"
import type { Sha256 } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import type { Now, PeerId } from "@satwire/machine"
import { type TransactionView, encodeHeader, headerHash } from "@satwire/primitives"
import type { CmpctBlock, Message } from "@satwire/wire"
import { Manager } from "./Manager.ts"
import { OwedReplies } from "./OwedReplies.ts"

/** What of it is news. */
export type CompactFact = Extract<CompactOutput, { readonly _tag: "HighBandwidthChosen" | "CompactReconstructed" }>

/** What it asks of the node around it. */
export interface CompactHost extends Pick<
  CompactBlocksOptions,
  "requests" | "hasHeader" | "hasWitness" | "canDirectFetch"
> {
  readonly send: (peer: PeerId, message: Message, isAnnouncement: boolean) => void
  readonly owe: (peer: PeerId, owed: boolean) => void
  readonly close: (peer: PeerId, reason: BadCompactBlock, cost: "discourage") => void
  /** The header of a block that nobody announced. */
  readonly submitHeader: (raw: Uint8Array, from: PeerId) => void
  /** What changes of which block is asked of whom, and what is done about blocks. */
  readonly perform: (
    output: Extract<
      CompactOutput,
      { readonly _tag: "Claim" | "Release" | "AskWhole" | "GiveWhole" | "Rebuilt" | "ReadBlock" | "Announced" }
    >
  ) => void
  readonly tell: (fact: CompactFact) => void
}

export interface CompactGiven extends Pick<
  CompactBlocksOptions,
  "random" | "serves" | "announces" | "prefills" | "unbroadcast"
> {
  readonly tree: HeaderTree
  readonly sha256: Sha256
  /** Where transactions are looked for first; where there is none blocks are fetched whole. */
  readonly pool: TransactionPool | undefined
  readonly host: CompactHost
}

export class Compact {
  readonly #machine: CompactBlocks
  readonly #manager: Manager<CompactInput, CompactOutput>
  readonly #extra: ExtraTransactions = new ExtraTransactions()
  readonly #host: CompactHost
  readonly #tree: HeaderTree
  readonly #sha256: Sha256
  readonly #owed: OwedReplies

  constructor({ host, pool, sha256, tree, ...given }: CompactGiven) {
    this.#host = host
    this.#owed = new OwedReplies(host.owe)
    this.#tree = tree
    this.#sha256 = sha256
    const { canDirectFetch, hasHeader, hasWitness, requests } = host
    this.#machine = new CompactBlocks({
      ...given,
      sha256,
      headers: tree,
      pools: pool === undefined ? [] : [pool, this.#extra],
      isBlocksOnly: pool === undefined,
      canDirectFetch,
      hasHeader,
      hasWitness,
      requests
    })
    this.#manager = new Manager(this.#machine, (output: CompactOutput) => this.#perform(output))
  }

  get isEmpty(): boolean {
    return this.#machine.isEmpty
  }

  snapshot(): CompactSnapshot {
    return this.#machine.snapshot()
  }

  /** A transaction that is not in the pool, or no longer, and may be in a block all the same. */
  add(tx: TransactionView): void {
    this.#extra.add(tx, tx.wtxid(this.#sha256))
  }

  shouldAsk(peer: PeerId, header: number, now: Now): boolean {
    return this.#machine.shouldAskCompact(peer, header, now)
  }

  handle(input: CompactInput, now: Now): void {
    this.#manager.handle(input, now)
    this.#owed.release(this.#manager)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    if (message._tag === "cmpctblock") this.#compact(peer, message, now)
    else if (message._tag === "sendcmpct" || message._tag === "getblocktxn" || message._tag === "blocktxn") {
      this.handle({ _tag: "Received", peer, message }, now)
    }
  }

  /** The header of a block that nobody announced is looked at first, as any header is. */
  #compact(peer: PeerId, message: CmpctBlock, now: Now): void {
    const raw = encodeHeader(message.header)
    const hash = headerHash(this.#sha256, raw)
    if (this.#tree.find(hash) < 0) this.#host.submitHeader(raw, peer)
    const header = this.#tree.find(hash)
    this.handle(
      { _tag: "CmpctBlockReceived", peer, message, header: header >= 0 && this.#tree.isValid(header) ? header : -1 },
      now
    )
  }

  #perform(output: CompactOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message, output.message._tag === "cmpctblock")
      case "ReplyOwed":
        return this.#owed.said(output)
      case "Misbehaved":
        return host.close(output.peer, output.reason, "discourage")
      case "HighBandwidthChosen":
      case "CompactReconstructed":
        return host.tell(output)
      default:
        return host.perform(output)
    }
  }
}
