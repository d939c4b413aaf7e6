/**
 * Makes blocks on request, on top of whatever tip is the best: a template, then the search for its nonce, a bounded number of tries a
 * turn. If the tip moves meanwhile it starts over on the new one.
 *
 * ```
 *   MakeBlock ──▶ searching ──(Timeout: some tries)──▶ BlockMade
 *                  ▲     │ TipMoved, or no nonce is left              │ where it is checked and kept first
 *                  └─────┘ another template                           ▼
 *                  ▲───────────────────── TipMoved ───────────── awaiting
 * ```
 */
import { type ChainView, MAX_BLOCK_WEIGHT } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import type { Instant, Machine, Now, Outbox } from "@satwire/machine"
import { type Block, type BlockHash, type ChainParams, encodeHeader } from "@satwire/primitives"
import { BlockTemplates } from "./BlockTemplate.ts"
import { ProofSearch } from "./ProofSearch.ts"
import type { TransactionSource } from "./TransactionSource.ts"

/**
 * How many nonces a turn tries: about a millisecond of hashing.
 *
 * @limit nonces tried in one turn
 */
export const TRIES_PER_TURN = 1000

/**
 * Bitcoin Core's `DEFAULT_BLOCK_RESERVED_WEIGHT` (policy/policy.h): for the header and the coinbase.
 *
 * @limit weight of a block that is left to its header and coinbase
 */
export const RESERVED_WEIGHT = 8000

/** What the miner looks up. The interface lives here, with its consumer; `header-sync`'s tree happens to satisfy it. */
export interface MiningView extends ChainView {
  /** The header to build on. */
  readonly best: number
  hash(header: number): BlockHash
}

export type MinerInput =
  | { readonly _tag: "MakeBlock" }
  /** Another header is the best. */
  | { readonly _tag: "TipMoved" }
  | { readonly _tag: "Timeout" }

export type MinerOutput = {
  readonly _tag: "BlockMade"
  readonly block: Block
  /** The 80 raw bytes of its header, with the nonce that was found. */
  readonly header: Uint8Array
}

type Mode =
  | { readonly _tag: "Idle" }
  /** Until what was made is the view's best. */
  | { readonly _tag: "Awaiting" }
  | { readonly _tag: "Searching"; readonly block: Block; readonly search: ProofSearch; readonly since: Instant }

export class Miner implements Machine<MinerInput, MinerOutput> {
  readonly #view: MiningView
  readonly #sha256: Sha256
  readonly #templates: BlockTemplates
  readonly #payTo: Uint8Array
  readonly #transactions: TransactionSource | undefined
  #mode: Mode = { _tag: "Idle" }
  /** How many more blocks were asked for. */
  #wanted = 0
  #extraNonce: number
  readonly #isTakenAtOnce: boolean

  constructor(options: {
    readonly params: ChainParams
    readonly view: MiningView
    readonly sha256: Sha256
    /** The output script that is paid. */
    readonly payTo: Uint8Array
    /** What blocks hold besides their coinbases; nothing where not given. Asked once for each template. */
    readonly transactions?: TransactionSource | undefined
    /** Where the extra nonces begin: two miners of one payee that begin apart never make the same block. */
    readonly firstExtraNonce: number
    /** Whether what was made is taken in while it is told. Where it is not, as it is checked and kept first, the next waits for `TipMoved`. */
    readonly isTakenAtOnce?: boolean
  }) {
    this.#view = options.view
    this.#sha256 = options.sha256
    this.#templates = new BlockTemplates(options.params, options.view)
    this.#payTo = options.payTo
    this.#transactions = options.transactions
    this.#extraNonce = options.firstExtraNonce
    this.#isTakenAtOnce = options.isTakenAtOnce ?? true
  }

  handle(input: MinerInput, now: Now, out: Outbox<MinerOutput>): void {
    switch (input._tag) {
      case "MakeBlock":
        this.#wanted += 1
        if (this.#mode._tag === "Idle") this.#begin(now)
        return
      case "TipMoved":
        if (this.#wanted > 0) this.#begin(now)
        else this.#mode = { _tag: "Idle" }
        return
      case "Timeout":
        return this.#search(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#mode._tag === "Searching" ? this.#mode.since : undefined
  }

  /** Idle or Searching ─▶ Searching. */
  #begin(now: Now): void {
    const { best } = this.#view
    this.#extraNonce = (this.#extraNonce + 1) >>> 0
    const chosen = this.#transactions?.select(
      MAX_BLOCK_WEIGHT - RESERVED_WEIGHT,
      this.#templates.mayHoldWitnesses(best)
    )
    const block = this.#templates.make({
      sha256: this.#sha256,
      parent: best,
      parentHash: this.#view.hash(best),
      unix: now.unix,
      extraNonce: this.#extraNonce,
      scriptPubKey: this.#payTo,
      transactions: (chosen?.transactions ?? []).map((tx) => ("materialise" in tx ? tx.materialise() : tx)),
      fees: chosen?.fees ?? 0n
    })
    const search = new ProofSearch(this.#sha256, encodeHeader(block.header))
    this.#mode = { _tag: "Searching", block, search, since: now.instant }
  }

  #search(now: Now, out: Outbox<MinerOutput>): void {
    if (this.#mode._tag !== "Searching") return
    const { block, search } = this.#mode
    const step = search.step(TRIES_PER_TURN)
    if (step === "searching") return
    if (step === "exhausted") return this.#begin(now)
    this.#wanted -= 1
    this.#mode = { _tag: this.#isTakenAtOnce ? "Idle" : "Awaiting" }
    out.push({
      _tag: "BlockMade",
      block: { ...block, header: { ...block.header, nonce: search.nonce } },
      header: search.header
    })
    // Taking the block in moves the tip, which begins the next; without that it begins here.
    if (this.#wanted > 0 && this.#isIdle()) this.#begin(now)
  }

  #isIdle(): boolean {
    return this.#mode._tag === "Idle"
  }
}
