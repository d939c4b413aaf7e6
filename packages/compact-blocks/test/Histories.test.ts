/** Random histories of honest peers and of such as send anything at any time, with what must hold after every input. */
import { PeerId } from "@satwire/machine"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import {
  MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK,
  MAX_HIGH_BANDWIDTH_PEERS,
  MAX_PARTIAL_BLOCKS,
  MAX_PARTIAL_BLOCKS_PER_PEER
} from "../src/index.ts"
import { compact } from "./Blocks.ts"
import { CompactHarness } from "./CompactHarness.ts"
import { OTHER, blockOf } from "./TestChain.ts"

const LACKS = [2, 5]
/** Peers from here on lie. */
const LIARS = 4

const arbitraryPeer = fc.integer({ min: 1, max: 6 })
const arbitraryHeader = fc.constantFrom(9, 10, 11, 12, 13, 14, OTHER + 10, OTHER + 11, OTHER + 12)

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("compact" as const),
      peer: arbitraryPeer,
      header: arbitraryHeader,
      lie: fc.nat(4)
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("blocktxn" as const),
      peer: arbitraryPeer,
      header: arbitraryHeader,
      lie: fc.nat(3)
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("getblocktxn" as const),
      peer: arbitraryPeer,
      header: arbitraryHeader,
      lie: fc.nat(1)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant("request" as const), peer: arbitraryPeer, header: arbitraryHeader })
  },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant("delivered" as const), peer: arbitraryPeer, header: arbitraryHeader })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("valid" as const), header: arbitraryHeader }) },
  {
    weight: 1,
    arbitrary: fc.record({ _tag: fc.constant("read" as const), peer: arbitraryPeer, isThere: fc.boolean() })
  },
  {
    weight: 1,
    arbitrary: fc.record({ _tag: fc.constant("sendcmpct" as const), peer: arbitraryPeer, wants: fc.boolean() })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("reconnect" as const), peer: arbitraryPeer }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("recent" as const), isRecent: fc.boolean() }) }
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

/** What a liar makes of a compact block. */
const lies = (header: number, lie: number): Parameters<CompactHarness["compact"]>[2] => {
  const honest = compact(blockOf(header))
  switch (lie) {
    case 1:
      return { shortIds: new Uint8Array(6 * 20) }
    case 2:
      return { prefilled: [{ index: 21, tx: blockOf(1).transaction(0) }] }
    case 3:
      return { shortIds: honest.shortIds.toReversed() }
    case 4:
      return { shortIds: new Uint8Array(0) }
    default:
      return {}
  }
}

const LIED: ReadonlyArray<ReadonlyArray<number>> = [LACKS, [], [5, 2], [2, 5, 7]]

class History {
  readonly harness: CompactHarness = new CompactHarness({ lacks: LACKS })

  constructor() {
    for (let peer = 1; peer <= 6; peer++) this.#ready(peer)
    this.harness.choose(1, 4, 5)
  }

  #ready(peer: number): void {
    this.harness.ready(peer, { outbound: peer % 2 === 1, wants: peer % 3 === 0 })
    this.harness.has.set(peer, 10)
  }

  do(step: Action): void {
    const { harness } = this
    switch (step._tag) {
      case "compact":
        return void harness.compact(step.peer, step.header, step.peer < LIARS ? {} : lies(step.header, step.lie))
      case "blocktxn": {
        const asked = harness.asking.get(`${step.peer} ${step.header}`)
        if (step.peer >= LIARS) return void harness.blocktxn(step.peer, step.header, LIED[step.lie] ?? [])
        return asked === undefined ? undefined : void harness.blocktxn(step.peer, step.header, asked)
      }
      case "getblocktxn":
        return void harness.getblocktxn(step.peer, step.header, step.peer >= LIARS && step.lie === 1 ? [1, 40] : [0, 3])
      case "request":
        if (harness.asked.get(step.header)?.includes(PeerId(step.peer)) === true) return
        return void harness.request(step.peer, step.header)
      case "delivered":
        harness.here.add(step.header)
        harness.asked.delete(step.header)
        return void harness.input({ _tag: "BlockDelivered", header: step.header, peer: PeerId(step.peer) })
      case "valid":
        return void harness.valid(step.header)
      case "read":
        return void harness.input({
          _tag: "BlockTxnRead",
          peer: PeerId(step.peer),
          block: step.isThere ? blockOf(9) : undefined
        })
      case "sendcmpct":
        return void harness.sendcmpct(step.peer, step.wants)
      case "reconnect":
        harness.gone(step.peer)
        return this.#ready(step.peer)
      case "recent":
        harness.isRecent = step.isRecent
    }
  }

  /** What holds after every input. */
  check(): void {
    const { harness } = this
    for (const { block, header } of harness.take("Rebuilt")) expect(block.bytes).toEqual(blockOf(header).bytes)
    for (const { peer } of harness.take("Misbehaved")) expect(peer).toBeGreaterThanOrEqual(LIARS)
    for (const { header } of harness.take("Claim")) {
      expect(harness.asked.get(header)?.length ?? 0).toBeLessThanOrEqual(MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK)
    }
    const { highBandwidthTo, partial } = harness.machine.snapshot()
    expect(highBandwidthTo.length).toBeLessThanOrEqual(MAX_HIGH_BANDWIDTH_PEERS)
    expect(partial).toBeLessThanOrEqual(Math.min(MAX_PARTIAL_BLOCKS, 6 * MAX_PARTIAL_BLOCKS_PER_PEER))
  }
}

it("whatever peers send, blocks are true, honest peers are not blamed, and nothing is held beyond its bounds", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (steps) => {
      const history = new History()
      for (const step of steps) {
        history.do(step)
        history.check()
      }
      for (let peer = 1; peer <= 6; peer++) history.harness.gone(peer)
      expect(history.harness.machine.isEmpty).toBe(true)
    }),
    { numRuns: 60 }
  )
})
