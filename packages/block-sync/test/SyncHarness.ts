/** A block sync machine with its clock in hand: inputs in sentences, outputs as lists, timeouts where they are due. */
import type { BlockFault, BlockRule } from "@satwire/consensus"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import type { ChainParams } from "@satwire/primitives"
import {
  Inventory,
  MSG_BLOCK,
  MSG_WITNESS_BLOCK,
  NODE_NETWORK,
  NODE_NETWORK_LIMITED,
  NODE_WITNESS,
  PROTOCOL_VERSION,
  type InventoryEntry
} from "@satwire/wire"
import {
  BlockSync,
  type BlockSyncInput,
  type BlockSyncMessage,
  type BlockSyncOptions,
  type BlockSyncOutput
} from "../src/index.ts"
import { TestTree, hashOf } from "./TestTree.ts"

type Output<Tag extends BlockSyncOutput["_tag"]> = Extract<BlockSyncOutput, { readonly _tag: Tag }>

export interface HarnessOptions extends Partial<
  Pick<
    BlockSyncOptions,
    "wanted" | "isLimited" | "serves" | "compact" | "leavesTransactions" | "bloom" | "mostBytes" | "blockTimeoutMs"
  >
> {
  /** How many headers stand on top of genesis: the one at a height has that number. */
  readonly headers?: number
  readonly params?: ChainParams
  /** Our clock when it starts; by default a year after the last header, which is far behind. */
  readonly unix?: number
  /** Blocks that are here from the beginning, up to this height. */
  readonly has?: number
  /** Of those, the ones up to this height were pruned. */
  readonly prunedTo?: number
}

export interface PeerOptions {
  /** The end of its chain, by default the best header there is; -1 where nothing is known of it. */
  readonly best?: number
  readonly services?: bigint
  readonly isPreferred?: boolean
  readonly isPrivileged?: boolean
}

export const FULL: bigint = NODE_NETWORK | NODE_WITNESS
export const LIMITED: bigint = NODE_NETWORK_LIMITED | NODE_WITNESS
const YEAR = 365 * 24 * 60 * 60
/** So many things may be due at one instant. */
const MOST_AT_ONCE = 500

export const faultOf = (rule: BlockRule, isMutation: boolean): BlockFault => ({
  rule,
  isMutation,
  transaction: undefined
})

export class SyncHarness {
  readonly tree: TestTree
  readonly sync: BlockSync
  /** What is answered at once: checks without fault, blocks that are kept. */
  checks = true
  stores = true
  isTargetReached = false
  readonly #best: Map<PeerId, number> = new Map()
  #unix: number
  #outputs: Array<BlockSyncOutput> = []
  #elapsedMs = 0

  constructor({ has = 0, headers = 0, params, prunedTo, unix, ...options }: HarnessOptions = {}) {
    this.tree = new TestTree(params)
    const last = this.tree.grow(0, headers)
    this.#unix = unix ?? this.tree.time(last) + YEAR
    this.sync = new BlockSync({
      headers: this.tree,
      chains: { bestOf: (peer) => this.#best.get(peer) ?? -1 },
      locate: (tip, locator) =>
        locator
          .map((hash) => this.tree.find(hash))
          .find((header) => header >= 0 && this.tree.isAncestor(header, tip)) ?? 0,
      contextOf: (header) => ({
        height: this.tree.height(header),
        hasHeight: true,
        lockTimeCutoff: undefined,
        hasWitness: true,
        signetChallenge: undefined
      }),
      isTargetReached: () => this.isTargetReached,
      serves: true,
      isLimited: false,
      ...options
    })
    for (let header = (prunedTo ?? 0) + 1; header <= has; header++) this.sync.restore(header)
    this.sync.restored(prunedTo)
  }

  get now(): Now {
    return { instant: Instant(this.#elapsedMs), unix: UnixSeconds(this.#unix + Math.floor(this.#elapsedMs / 1000)) }
  }

  /** One turn: the input, what is answered to it at once, and the end. */
  input(input: BlockSyncInput): this {
    this.#handle(input)
    this.#handle({ _tag: "TurnEnds" })
    return this
  }

  #handle(input: BlockSyncInput): void {
    const answers: Array<BlockSyncInput> = []
    const push = (output: BlockSyncOutput): void => {
      this.#outputs.push(output)
      if (output._tag === "CheckBlock" && this.checks) {
        answers.push({ _tag: "BlockChecked", header: output.header, block: output.block, fault: undefined })
      }
      if (output._tag === "StoreBlock" && this.stores) answers.push({ _tag: "BlocksStored", headers: [output.header] })
    }
    this.sync.handle(input, this.now, { push })
    for (const answer of answers) this.#handle(answer)
  }

  /** Lets time pass, with a timeout at each instant at which the machine wants one. */
  elapse(ms: number): this {
    const end = this.#elapsedMs + ms
    let again = 0
    for (let next = this.sync.nextTimeout(); next !== undefined && next <= end; next = this.sync.nextTimeout()) {
      again = next > this.#elapsedMs ? 0 : again + 1
      if (again > MOST_AT_ONCE) throw new Error("timeouts are answered with the same timeout again and again")
      this.#elapsedMs = Math.max(this.#elapsedMs, next)
      this.input({ _tag: "Timeout" })
    }
    this.#elapsedMs = end
    return this
  }

  /** Lets time pass without a timeout, as on a busy machine. */
  sleep(ms: number): this {
    this.#elapsedMs += ms
    return this
  }

  ready(peer: number, options: PeerOptions = {}): this {
    const { best = this.tree.best, isPreferred = true, isPrivileged = false, services = FULL } = options
    this.#best.set(PeerId(peer), best)
    return this.input({ _tag: "PeerReady", peer: PeerId(peer), services, isPreferred, isPrivileged })
  }

  gone(peer: number): this {
    this.#best.delete(PeerId(peer))
    return this.input({ _tag: "PeerGone", peer: PeerId(peer) })
  }

  /** More is known of what a peer has. */
  advanced(peer: number, best: number): this {
    this.#best.set(PeerId(peer), best)
    return this.input({ _tag: "PeerAdvanced", peer: PeerId(peer) })
  }

  headersMoved(anew: boolean = false): this {
    return this.input({ _tag: "HeadersMoved", anew })
  }

  /** A peer sends blocks, each in a turn of its own. */
  gives(peer: number, headers: ReadonlyArray<number>, sizeBytes?: number): this {
    for (const header of headers) {
      const block = this.tree.block(header, sizeBytes)
      this.input({ _tag: "BlockReceived", from: PeerId(peer), block, hash: hashOf(header) })
    }
    return this
  }

  notFound(peer: number, headers: ReadonlyArray<number>): this {
    return this.received(peer, {
      _tag: "notfound",
      inventory: Inventory.ofType(MSG_WITNESS_BLOCK, headers.map(hashOf))
    })
  }

  checked(header: number, fault?: BlockFault): this {
    return this.input({ _tag: "BlockChecked", header, block: this.tree.block(header), fault })
  }

  stored(...headers: ReadonlyArray<number>): this {
    return this.input({ _tag: "BlocksStored", headers })
  }

  received(peer: number, message: BlockSyncMessage): this {
    return this.input({ _tag: "Received", peer: PeerId(peer), message })
  }

  getdata(peer: number, headers: ReadonlyArray<number>, type: number = MSG_WITNESS_BLOCK): this {
    return this.asks(
      peer,
      headers.map((header) => ({ type, hash: hashOf(header) }))
    )
  }

  /** A peer asks for these entries, and its answer may begin at once. */
  asks(peer: number, entries: ReadonlyArray<InventoryEntry>): this {
    return this.received(peer, { _tag: "getdata", inventory: Inventory.of(entries) }).drained(peer)
  }

  drained(peer: number): this {
    return this.input({ _tag: "Drained", peer: PeerId(peer) })
  }

  /** The disk has read what was asked for. */
  read(peer: number, header: number | undefined): this {
    const block = header === undefined ? undefined : this.tree.block(header)
    return this.input({ _tag: "BlockRead", peer: PeerId(peer), block })
  }

  getblocks(peer: number, from: number, stop?: number): this {
    return this.received(peer, {
      _tag: "getblocks",
      protocolVersion: PROTOCOL_VERSION,
      locator: [hashOf(from)],
      stopHash: stop === undefined ? (new Uint8Array(32) as ReturnType<typeof hashOf>) : hashOf(stop)
    })
  }

  /** The outputs of one kind since this was last asked for that kind. */
  take<Tag extends BlockSyncOutput["_tag"]>(tag: Tag): ReadonlyArray<Output<Tag>> {
    const taken = this.#outputs.filter((output): output is Output<Tag> => output._tag === tag)
    this.#outputs = this.#outputs.filter((output) => output._tag !== tag)
    return taken
  }

  /** The blocks that a peer was asked for since this was last asked. */
  asked(peer: number): ReadonlyArray<number> {
    const taken = this.#takeSent(peer, "getdata")
    return taken.flatMap(({ message }) =>
      message._tag === "getdata" ? [...message.inventory].map(({ hash }) => this.tree.find(hash)) : []
    )
  }

  /** What a peer was told or given, as words: `"block 7"`, `"notfound 3"`, `"inv 500"` (the last hash of so many). */
  told(peer: number): ReadonlyArray<string> {
    return this.#takeSent(peer, "block", "notfound", "inv").map(({ message }) => {
      if (message._tag === "block") return `block ${new DataView(message.block.bytes.buffer).getUint32(76)}`
      const { inventory } = message
      const numbers = [...inventory].map(({ hash }) => this.tree.find(hash))
      return `${message._tag} ${numbers.length > 3 ? `${numbers[0]}-${numbers.at(-1)}` : numbers.join(",")}`
    })
  }

  #takeSent(peer: number, ...commands: ReadonlyArray<string>): ReadonlyArray<Output<"Send">> {
    const isTaken = (output: BlockSyncOutput): output is Output<"Send"> =>
      output._tag === "Send" && output.peer === peer && commands.includes(output.message._tag)
    const taken = this.#outputs.filter(isTaken)
    this.#outputs = this.#outputs.filter((output) => !isTaken(output))
    return taken
  }

  /** Who is let go, and why: `"1 BlockStalling 2000"`, `"2 BadBlock bad-txnmrklroot"`. */
  parted(): ReadonlyArray<string> {
    const slow = this.take("TooSlow").map(({ peer, reason }) =>
      reason._tag === "NotServed" ? `${peer} NotServed ${reason.because}` : `${peer} ${reason._tag} ${reason.allowedMs}`
    )
    return [...slow, ...this.take("Misbehaved").map(({ peer, reason }) => `${peer} ${reason._tag} ${reason.rule}`)]
  }

  /** How the followed chain changed: `"-2 +3 at 7"`. */
  moves(): ReadonlyArray<string> {
    return this.take("BlockTipChanged").map(
      ({ added, forkHeight, header, removed }) => `-${removed} +${added} on ${forkHeight} to ${header}`
    )
  }

  get tip(): number {
    return this.sync.tip
  }
}

export { MSG_BLOCK }

/** From one number to another, both included. */
export const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
