/** A header sync machine with its clock in hand: inputs in sentences, outputs as lists, timeouts where they are due. */
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { type BlockHash, type ChainParams, HEADER_SIZE, ZERO_HASH, type HeaderPoint } from "@satwire/primitives"
import {
  type GetHeaders,
  type Headers,
  Inventory,
  MSG_BLOCK,
  PROTOCOL_VERSION,
  SENDHEADERS,
  headersMessage
} from "@satwire/wire"
import {
  HeaderSync,
  type HeaderSyncInput,
  type HeaderSyncMessage,
  type HeaderSyncOutput,
  type HeaderSyncRoles,
  HeaderTree,
  acceptHeaders
} from "../src/index.ts"

type Output<Tag extends HeaderSyncOutput["_tag"]> = Extract<HeaderSyncOutput, { readonly _tag: Tag }>

export interface HarnessOptions {
  readonly params: ChainParams
  /** Our clock when it starts, in seconds since 1970. */
  readonly unix: number
  readonly roles?: HeaderSyncRoles
  /** Raw headers on top of genesis that we have already. */
  readonly chain?: Uint8Array
  readonly skeleton?: ReadonlyArray<HeaderPoint>
}

/** So many things may be due at one instant: something of every peer, and every stretch of a skeleton. */
const MOST_AT_ONCE = 200

export class SyncHarness {
  readonly tree: HeaderTree
  readonly sync: HeaderSync
  /** Called with each output as it comes. */
  onOutput: (output: HeaderSyncOutput) => void = () => {}
  #outputs: Array<HeaderSyncOutput> = []
  #elapsedMs = 0
  readonly #unix: number

  constructor({ params, unix, roles, chain, skeleton }: HarnessOptions) {
    this.#unix = unix
    this.tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(7))
    if (chain !== undefined) {
      acceptHeaders(this.tree, new ProofOfWork(params), portableSha256, chain, chain.length / HEADER_SIZE, Infinity)
    }
    this.sync = new HeaderSync({
      tree: this.tree,
      sha256: portableSha256,
      roles: roles ?? { serve: true, announce: true },
      protocolVersion: PROTOCOL_VERSION,
      random: ChaChaRandom.fromNumber(11),
      skeleton
    })
  }

  get now(): Now {
    return { instant: Instant(this.#elapsedMs), unix: UnixSeconds(this.#unix + Math.floor(this.#elapsedMs / 1000)) }
  }

  input(input: HeaderSyncInput): this {
    this.sync.handle(input, this.now, {
      push: (output) => {
        this.#outputs.push(output)
        this.onOutput(output)
      }
    })
    return this
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

  ready(peer: number, direction: "outbound" | "inbound" = "outbound"): this {
    return this.input({ _tag: "PeerReady", peer: PeerId(peer), outbound: direction === "outbound" })
  }

  gone(peer: number): this {
    return this.input({ _tag: "PeerGone", peer: PeerId(peer) })
  }

  received(peer: number, message: HeaderSyncMessage): this {
    // What is put off to a turn of its own has it.
    return this.input({ _tag: "Received", peer: PeerId(peer), message }).elapse(0)
  }

  headers(peer: number, raw: Uint8Array): this {
    return this.received(peer, headersMessage(raw))
  }

  inv(peer: number, ...hashes: ReadonlyArray<Uint8Array>): this {
    return this.received(peer, { _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, hashes) })
  }

  sendheaders(peer: number): this {
    return this.received(peer, SENDHEADERS)
  }

  getheaders(peer: number, locator: ReadonlyArray<BlockHash>, stopHash: BlockHash = ZERO_HASH): this {
    return this.received(peer, { _tag: "getheaders", protocolVersion: PROTOCOL_VERSION, locator, stopHash })
  }

  submit(raw: Uint8Array): this {
    return this.input({ _tag: "Submit", headers: raw, count: raw.length / HEADER_SIZE })
  }

  /** The outputs of one kind since this was last asked, of any kind. */
  take<Tag extends HeaderSyncOutput["_tag"]>(tag: Tag): ReadonlyArray<Output<Tag>> {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs.filter((output): output is Output<Tag> => output._tag === tag)
  }

  /** What was sent since outputs were last taken: `"1 getheaders"`, `"2 inv"`. */
  takeSent(): ReadonlyArray<string> {
    return this.take("Send").map(({ peer, message }) => `${peer} ${message._tag}`)
  }

  /** The messages of one command that were sent to a peer since outputs were last taken. */
  takeMessages<Command extends "headers" | "getheaders">(
    peer: number,
    command: Command
  ): ReadonlyArray<Command extends "headers" ? Headers : GetHeaders> {
    return this.take("Send")
      .filter((output) => output.peer === peer)
      .map(({ message }) => message)
      .filter((message): message is Command extends "headers" ? Headers : GetHeaders => message._tag === command)
  }

  get tipHeight(): number {
    return this.tree.height(this.tree.best)
  }
}
