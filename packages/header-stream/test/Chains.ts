/** Regtest headers made on the spot, and a machine under test with its clock. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { HeaderStreamMachine, type HeaderStreamInput, type HeaderStreamOutput } from "@satwire/header-stream"
import { HeaderTree, type HeaderSyncMessage, acceptHeaders } from "@satwire/header-sync"
import { ProofOfWork } from "@satwire/consensus"
import { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import {
  type BlockHash,
  type ChainParams,
  HEADER_SIZE,
  headerHash,
  regtest,
  type HeaderPoint
} from "@satwire/primitives"
import { regtestChain } from "@satwire/testkit"

/** `count` raw headers on top of genesis, or of the header with the hash `parent`. Those of another salt are others. */
export const chainOf = (count: number, salt = 0, parent?: BlockHash, first = 0): Uint8Array =>
  regtestChain(count, { salt, time: regtest.genesis.time + 600 + first, ...(parent === undefined ? {} : { parent }) })

export const hashAt = (headers: Uint8Array, index: number): BlockHash =>
  headerHash(portableSha256, headers.slice(index * HEADER_SIZE, (index + 1) * HEADER_SIZE))

export const treeOf = (runs: ReadonlyArray<Uint8Array>, params: ChainParams = regtest): HeaderTree => {
  const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
  for (const run of runs) {
    acceptHeaders(tree, new ProofOfWork(params), portableSha256, run, run.length / HEADER_SIZE, Infinity)
  }
  return tree
}

/** A machine, the time, and what it said last. */
export class Harness {
  readonly machine: HeaderStreamMachine
  readonly tree: HeaderTree
  said: Array<HeaderStreamOutput> = []
  #ms = 0

  constructor(tree: HeaderTree, skeleton?: ReadonlyArray<HeaderPoint>) {
    this.tree = tree
    const random = ChaChaRandom.fromNumber(2)
    this.machine = new HeaderStreamMachine({ tree, sha256: portableSha256, random, skeleton })
  }

  give(input: HeaderStreamInput): ReadonlyArray<HeaderStreamOutput> {
    this.said = []
    const now = { instant: Instant(this.#ms), unix: UnixSeconds(1_767_225_600 + Math.floor(this.#ms / 1000)) }
    this.machine.handle(input, now, this.said)
    return this.said
  }

  ready(peer: number): ReadonlyArray<HeaderStreamOutput> {
    return this.give({ _tag: "PeerReady", peer: PeerId(peer), outbound: true })
  }

  gone(peer: number): ReadonlyArray<HeaderStreamOutput> {
    return this.give({ _tag: "PeerGone", peer: PeerId(peer) })
  }

  receive(peer: number, message: HeaderSyncMessage): ReadonlyArray<HeaderStreamOutput> {
    return this.give({ _tag: "Received", peer: PeerId(peer), message })
  }

  /** Lets time pass, every timeout at its instant, and gives what was said meanwhile. */
  elapse(ms: number): ReadonlyArray<HeaderStreamOutput> {
    const until = this.#ms + ms
    const said: Array<HeaderStreamOutput> = []
    for (
      let next = this.machine.nextTimeout();
      next !== undefined && next <= until;
      next = this.machine.nextTimeout()
    ) {
      this.#ms = Math.max(this.#ms, next)
      said.push(...this.give({ _tag: "Timeout" }))
    }
    this.#ms = until
    return said
  }
}

export const letGo = (outputs: ReadonlyArray<HeaderStreamOutput>): ReadonlyArray<readonly [number, string]> =>
  outputs.flatMap((output) => (output._tag === "LetGo" ? [[output.peer, output.fault._tag] as const] : []))
