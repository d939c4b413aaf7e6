/**
 * A peer that sends a chain of little work for ever, at the least difficulty there is: what the node holds of it, after a million headers
 * and after ten. The chain is made while it is sent, and nobody keeps it.
 */
import { ChaChaRandom } from "@satwire/crypto"
import { HeaderSync, type HeaderSyncOutput, HeaderTree } from "@satwire/header-sync"
import { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import {
  type ChainParams,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  genesisHeader,
  mainnet,
  meetsTarget,
  regtest,
  targetFromBits,
  targetWords
} from "@satwire/primitives"
import { sha256 } from "@satwire/simulator"
import { fastTestNetwork } from "@satwire/testkit"
import { MAX_HEADERS_RESULTS, PROTOCOL_VERSION, headersMessage } from "@satwire/wire"

export interface LowWorkResult {
  readonly headers: number
  /** How many of them are kept. */
  readonly kept: number
  /** Memory of the process, and of that what lies outside the heap, after the first tenth of the headers and at the end. */
  readonly memoryMB: readonly [number, number]
  readonly heldMB: readonly [number, number]
}

const START = 1_300_000_000
/** Long enough for all of it at six blocks a second. */
const NOW: number = START + 500_000_000

const params: ChainParams = fastTestNetwork({
  name: "low-work",
  headersSync: mainnet.headersSync,
  minimumChainWork: 1n << 80n,
  genesis: { ...regtest.genesis, time: START }
})

/** The next so many headers, and what follows from the last. */
class Endless {
  readonly #raw: Uint8Array = genesisHeader(params)
  readonly #view: DataView = new DataView(this.#raw.buffer, this.#raw.byteOffset)
  readonly #hash: Uint8Array = new Uint8Array(params.genesisHash)
  readonly #words: Uint32Array = targetWords(targetFromBits(params.genesis.bits) ?? params.powLimit)

  next(count: number): Uint8Array {
    const headers = new Uint8Array(count * HEADER_SIZE)
    for (let i = 0; i < count; i++) {
      this.#raw.set(this.#hash, HEADER_PREVIOUS)
      for (let nonce = 0; ; nonce++) {
        this.#view.setUint32(HEADER_NONCE, nonce, true)
        sha256.sha256d(this.#raw, 0, HEADER_SIZE, this.#hash, 0)
        if (meetsTarget(this.#hash, 0, this.#words)) break
      }
      headers.set(this.#raw, i * HEADER_SIZE)
    }
    return headers
  }
}

const measured = (): readonly [memory: number, held: number] => {
  const { gc: collect } = globalThis as { readonly gc?: () => void }
  collect?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return [(heapUsed + arrayBuffers) / 1e6, arrayBuffers / 1e6]
}

/** Sends `count` headers, a message after another, as they are asked for. */
export const runLowWork = (count: number): LowWorkResult => {
  const random = ChaChaRandom.fromNumber(1)
  const tree = HeaderTree.fromGenesis(params, random.fork())
  const roles = { serve: true, announce: true }
  const sync = new HeaderSync({ tree, sha256, roles, protocolVersion: PROTOCOL_VERSION, random })
  const peer = PeerId(1)
  const chain = new Endless()
  let asked = false
  const out = {
    push(output: HeaderSyncOutput): void {
      if (output._tag === "Send" && output.message._tag === "getheaders") asked = true
      if (output._tag === "Misbehaved") throw new Error(`the chain breaks a rule: ${output.reason.rule}`)
    }
  }
  let sent = 0
  const now = () => ({ instant: Instant(sent), unix: UnixSeconds(NOW) })
  sync.handle({ _tag: "PeerReady", peer, outbound: true }, now(), out)
  const early = Math.floor(count / 10)
  let first = measured()
  while (sent < count) {
    if (!asked) throw new Error(`after ${sent} headers nobody asks for more`)
    asked = false
    if (sent === early) first = measured()
    const message = headersMessage(chain.next(MAX_HEADERS_RESULTS))
    sent += MAX_HEADERS_RESULTS
    sync.handle({ _tag: "Received", peer, message }, now(), out)
  }
  const last = measured()
  return {
    headers: sent,
    kept: tree.size - 1,
    memoryMB: [first[0], last[0]],
    heldMB: [first[1], last[1]]
  }
}
