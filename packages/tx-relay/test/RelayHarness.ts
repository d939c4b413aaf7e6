/** A relay machine with its clock in hand: inputs in sentences, outputs as words, answers of a pool at once unless told otherwise. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { BlockView, type Satoshis, type Transaction, Txid, ZERO_HASH } from "@satwire/primitives"
import { looseTransaction } from "@satwire/testkit"
import type { NamedTransaction } from "@satwire/tx-request"
import {
  Inventory,
  type InventoryEntry,
  MEMPOOL,
  MSG_TX,
  MSG_WITNESS_TX,
  MSG_WTX,
  NODE_NETWORK,
  NODE_WITNESS
} from "@satwire/wire"
import {
  type SubmitResult,
  type TxPeerReady,
  TxRelay,
  type TxRelayInput,
  type TxRelayMessage,
  type TxRelayOptions,
  type TxRelayOutput
} from "../src/index.ts"
import { TestPool } from "./TestPool.ts"

type Output<Tag extends TxRelayOutput["_tag"]> = Extract<TxRelayOutput, { readonly _tag: Tag }>

export interface HarnessOptions extends Partial<
  Pick<TxRelayOptions, "relays" | "fetches" | "isBlocksOnly" | "filters" | "isTargetReached">
> {
  readonly seed?: number
}

export type PeerOptions = Partial<Omit<TxPeerReady, "_tag" | "peer">>

/** So many things may be due at one instant. */
const MOST_AT_ONCE = 5000

export class RelayHarness {
  readonly pool: TestPool = new TestPool()
  readonly relay: TxRelay
  isCatchingUp = false
  /** Whether the pool answers within the turn. */
  answers = true
  /** Whether what is sent leaves at once. */
  drains = true
  /** What the pool has not been asked yet. */
  readonly waiting: Array<Output<"Submit">> = []
  readonly owed: Set<number> = new Set()
  readonly #blocks: Array<Uint8Array> = []
  #outputs: Array<TxRelayOutput> = []
  #elapsedMs = 0

  constructor({ seed = 1, ...options }: HarnessOptions = {}) {
    this.relay = new TxRelay({
      random: ChaChaRandom.fromNumber(seed),
      sha256: portableSha256,
      pool: this.pool,
      relays: true,
      fetches: true,
      isBlocksOnly: false,
      isCatchingUp: () => this.isCatchingUp,
      ...options
    })
  }

  get now(): Now {
    return { instant: Instant(this.#elapsedMs), unix: UnixSeconds(1_800_000_000 + Math.floor(this.#elapsedMs / 1000)) }
  }

  /** One turn: the input, what is answered to it at once, and what has left then. */
  input(input: TxRelayInput): this {
    const sent = new Set<number>()
    const inputs: Array<TxRelayInput> = [input]
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      this.relay.handle(next, this.now, { push: (output) => this.#push(output, inputs, sent) })
    }
    if (!this.drains) return this
    for (const peer of sent) if (this.owed.has(peer)) this.drained(peer)
    return this
  }

  #push(output: TxRelayOutput, inputs: Array<TxRelayInput>, sent: Set<number>): void {
    this.#outputs.push(output)
    if (output._tag === "Send") sent.add(output.peer)
    if (output._tag === "ReplyOwed") {
      if (this.owed.has(output.peer) === output.owed) throw new Error("it is said twice what is owed")
      if (output.owed) this.owed.add(output.peer)
      else this.owed.delete(output.peer)
    }
    if (output._tag !== "Submit") return
    if (this.answers) inputs.push(this.#answer(output))
    else this.waiting.push(output)
  }

  #answer({ child, tx, txid, wtxid }: Output<"Submit">): TxRelayInput {
    const result = this.pool.submit({ tx, txid, wtxid })
    return child === undefined
      ? { _tag: "Submitted", wtxid, result }
      : { _tag: "Submitted", wtxid, result, childResult: this.pool.submit(child) }
  }

  /** The pool answers what waits, or the first of it in this way. */
  answer(result?: SubmitResult): this {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (result !== undefined) return this.input({ _tag: "Submitted", wtxid: next.wtxid, result })
      this.input(this.#answer(next))
    }
    return this
  }

  drained(peer: number): this {
    this.relay.handle({ _tag: "Drained", peer: PeerId(peer) }, this.now, {
      push: (output) => this.#push(output, [], new Set())
    })
    return this
  }

  /** Lets time pass, with a timeout at each instant at which the machine wants one. */
  elapse(ms: number): this {
    const end = this.#elapsedMs + ms
    let again = 0
    for (let next = this.relay.nextTimeout(); next !== undefined && next <= end; next = this.relay.nextTimeout()) {
      again = next > this.#elapsedMs ? 0 : again + 1
      if (again > MOST_AT_ONCE) throw new Error("timeouts are answered with the same timeout again and again")
      this.#elapsedMs = Math.max(this.#elapsedMs, next)
      this.input({ _tag: "Timeout" })
    }
    this.#elapsedMs = end
    return this
  }

  /** One turn, if the machine wants one now. */
  turn(): boolean {
    const next = this.relay.nextTimeout()
    if (next === undefined || next > this.#elapsedMs) return false
    this.input({ _tag: "Timeout" })
    return true
  }

  ready(peer: number, options: PeerOptions = {}): this {
    return this.input({
      _tag: "PeerReady",
      peer: PeerId(peer),
      isOutbound: false,
      networkKey: "ipv4",
      services: NODE_NETWORK | NODE_WITNESS,
      relaysTransactions: true,
      wtxidRelay: true,
      isBlockOnly: false,
      isPreferred: options.isOutbound === true,
      isTrusted: false,
      mayRelay: false,
      forceRelay: false,
      mayAskForPool: false,
      ...options
    })
  }

  outbound(peer: number, options: PeerOptions = {}): this {
    return this.ready(peer, { isOutbound: true, ...options })
  }

  gone(peer: number): this {
    this.owed.delete(peer)
    return this.input({ _tag: "PeerGone", peer: PeerId(peer) })
  }

  received(peer: number, message: TxRelayMessage): this {
    return this.input({ _tag: "Received", peer: PeerId(peer), message })
  }

  /** A peer announces these by wtxid. */
  inv(peer: number, ...transactions: ReadonlyArray<NamedTransaction>): this {
    return this.announces(
      peer,
      transactions.map(({ wtxid }) => ({ type: MSG_WTX, hash: wtxid }))
    )
  }

  invByTxid(peer: number, ...transactions: ReadonlyArray<NamedTransaction>): this {
    return this.announces(
      peer,
      transactions.map(({ txid }) => ({ type: MSG_TX, hash: txid }))
    )
  }

  announces(peer: number, entries: ReadonlyArray<InventoryEntry>): this {
    return this.received(peer, { _tag: "inv", inventory: Inventory.of(entries) })
  }

  tx(peer: number, ...transactions: ReadonlyArray<NamedTransaction>): this {
    for (const { tx } of transactions) this.received(peer, { _tag: "tx", tx })
    return this
  }

  notFound(peer: number, ...transactions: ReadonlyArray<NamedTransaction>): this {
    const inventory = Inventory.ofType(
      MSG_WTX,
      transactions.map(({ wtxid }) => wtxid)
    )
    return this.received(peer, { _tag: "notfound", inventory })
  }

  getdata(peer: number, entries: ReadonlyArray<InventoryEntry>): this {
    return this.received(peer, { _tag: "getdata", inventory: Inventory.of(entries) })
  }

  /** A peer asks for these by wtxid. */
  asks(peer: number, ...transactions: ReadonlyArray<NamedTransaction>): this {
    return this.getdata(
      peer,
      transactions.map(({ wtxid }) => ({ type: MSG_WTX, hash: wtxid }))
    )
  }

  feefilter(peer: number, rate: bigint): this {
    return this.received(peer, { _tag: "feefilter", feeRateSatPerKvb: rate as Satoshis })
  }

  mempool(peer: number): this {
    return this.received(peer, MEMPOOL)
  }

  /** Ours, and so in the pool. */
  local(...transactions: ReadonlyArray<NamedTransaction>): this {
    for (const { tx } of transactions) this.input({ _tag: "SubmitLocal", tx })
    return this
  }

  /** A block of these joins the chain, and the pool lets them go. */
  block(...transactions: ReadonlyArray<NamedTransaction>): this {
    const block = blockOf(transactions)
    this.#blocks.push(block.hash(portableSha256))
    this.input({ _tag: "BlockConnected", block })
    for (const each of transactions) this.pool.confirm(each)
    return this.input({ _tag: "TipChanged" })
  }

  /** The last block leaves the chain; `hash` is that of one that nobody had. */
  reorganised(hash: Uint8Array | undefined = this.#blocks.pop()): this {
    return hash === undefined ? this : this.input({ _tag: "BlockDisconnected", hash })
  }

  /** The outputs of one kind since this was last asked for that kind. */
  take<Tag extends TxRelayOutput["_tag"]>(tag: Tag): ReadonlyArray<Output<Tag>> {
    const taken = this.#outputs.filter((output): output is Output<Tag> => output._tag === tag)
    this.#outputs = this.#outputs.filter((output) => output._tag !== tag)
    return taken
  }

  /** The messages of these commands that were sent to a peer since this was last asked. */
  sent(peer: number, ...commands: ReadonlyArray<string>): ReadonlyArray<Output<"Send">["message"]> {
    const isTaken = (output: TxRelayOutput): output is Output<"Send"> =>
      output._tag === "Send" && output.peer === peer && commands.includes(output.message._tag)
    const taken = this.#outputs.filter(isTaken)
    this.#outputs = this.#outputs.filter((output) => !isTaken(output))
    return taken.map(({ message }) => message)
  }

  /** The hashes that a peer was asked for, told of or told to be missing, each in its hexadecimal beginning. */
  listed(peer: number, command: "getdata" | "inv" | "notfound"): ReadonlyArray<string> {
    return this.sent(peer, command).flatMap((message) =>
      "inventory" in message
        ? [...message.inventory].map(({ hash, type }) => `${TYPES.get(type) ?? type} ${nameOf(hash)}`)
        : []
    )
  }

  asked(peer: number): ReadonlyArray<string> {
    return this.listed(peer, "getdata")
  }

  told(peer: number): ReadonlyArray<string> {
    return this.listed(peer, "inv")
  }

  /** What a peer was given. */
  given(peer: number): ReadonlyArray<string> {
    return this.sent(peer, "tx").map((message) =>
      message._tag === "tx" ? nameOf(message.tx.wtxid(portableSha256)) : ""
    )
  }

  /** Whom the pool was asked about, by their names, and who sent them. */
  submitted(): ReadonlyArray<string> {
    return this.take("Submit").map(({ from, wtxid }) => `${nameOf(wtxid)} of ${from ?? "ours"}`)
  }
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [MSG_WTX, "wtx"],
  [MSG_TX, "tx"],
  [MSG_WITNESS_TX, "witness tx"]
])

/** A hash in short. */
export const nameOf = (hash: Uint8Array): string => hash.subarray(0, 4).join(".")
export const wtx = ({ wtxid }: NamedTransaction): string => `wtx ${nameOf(wtxid)}`

let counted = 0
/** Another transaction each time, that spends a coin of the chain or what it is told. */
export const fresh = (shape: Partial<Parameters<typeof looseTransaction>[0]> = {}): NamedTransaction =>
  looseTransaction({ spends: [1_000_000 + counted++], witnessBytes: 10, ...shape })

/** One that spends the outputs of others. */
export const childOf = (...parents: ReadonlyArray<NamedTransaction>): NamedTransaction =>
  fresh({ spends: parents.map(({ txid }) => [txid, 0] as const), nonce: counted++ })

export const many = (count: number): ReadonlyArray<NamedTransaction> => Array.from({ length: count }, () => fresh())

const blockOf = (transactions: ReadonlyArray<NamedTransaction>): BlockView => {
  const coinbase: Transaction = {
    version: 2,
    lockTime: 0,
    inputs: [
      {
        previousOutput: { txid: Txid(new Uint8Array(32)), index: 0xffffffff },
        scriptSig: new Uint8Array(4),
        sequence: 0,
        witness: []
      }
    ],
    outputs: []
  }
  return BlockView.of({
    header: {
      version: 4,
      previousBlock: ZERO_HASH,
      merkleRoot: new Uint8Array(32),
      time: 0,
      bits: 0,
      nonce: 0
    },
    transactions: [coinbase, ...transactions.map(({ tx }) => tx.materialise())]
  })
}
