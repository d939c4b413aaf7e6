/** Chains made without a network, and the book of all headers that may be in an honest node's tree because somebody did their work. */
import { ChaChaRandom } from "@satwire/crypto"
import { HeaderTree } from "@satwire/header-sync"
import { Instant, type Outbox, UnixSeconds } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { NodeCore, type NodeCoreOutput } from "@satwire/node-core"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { sha256 } from "./Sha256.ts"

export class MinedHeaders {
  readonly #known: Set<number> = new Set()

  /** Writes raw headers of 80 bytes into the book. */
  add(headers: Uint8Array): void {
    for (let at = 0; at < headers.length; at += HEADER_SIZE) this.#known.add(fingerprint(headers, at))
  }

  /** Whether every one of these raw headers is in the book. */
  hasAll(headers: Uint8Array): boolean {
    for (let at = 0; at < headers.length; at += HEADER_SIZE)
      if (!this.#known.has(fingerprint(headers, at))) return false
    return true
  }
}

/** 53 bits over the 80 bytes: nobody here makes collisions on purpose. */
const fingerprint = (headers: Uint8Array, start: number): number => {
  let a = 0x811c9dc5 | 0
  let b = 0x9e3779b9 | 0
  for (let at = start; at < start + HEADER_SIZE; at++) {
    a = Math.imul(a ^ (headers[at] as number), 0x01000193)
    b = Math.imul(b ^ (headers[at] as number), 0x85ebca6b) ^ (a >>> 15)
  }
  return (a >>> 0) * 0x20_0000 + ((b >>> 0) & 0x1f_ffff)
}

/** `count` raw headers from genesis on, mined alone by a node of that seed; the time of header `i` (from 1 on) is `timeOf(i)`. */
export const mineChain = (
  params: ChainParams,
  count: number,
  timeOf: (height: number) => number,
  seed: number
): Uint8Array => {
  const random = ChaChaRandom.fromNumber(seed)
  const tree = HeaderTree.fromGenesis(params, random.fork())
  const miner = new NodeCore({
    params,
    roles: { headers: { serve: false, announce: false }, mining: { payTo: ANYONE_CAN_SPEND } },
    tree,
    sha256,
    random,
    userAgent: "",
    services: 0n
  })
  const out: Outbox<NodeCoreOutput> = { push: () => {} }
  for (let height = 1; height <= count; height++) {
    const now = { instant: Instant(height), unix: UnixSeconds(timeOf(height)) }
    miner.handle({ _tag: "MakeBlock" }, now, out)
    while (tree.size <= height) miner.handle({ _tag: "Timeout" }, now, out)
  }
  return tree.rawRange(1, count)
}
