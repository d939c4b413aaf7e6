import { PeerId } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RelayTargets } from "../src/RelayTargets.ts"
import { START, nth } from "./Known.ts"

const KEY = new Uint8Array(16).fill(7)

interface Peer {
  readonly id: PeerId
}

const peers = (count: number, from = 0): ReadonlyArray<Peer> =>
  Array.from({ length: count }, (_, i) => ({ id: PeerId(from + i) }))

const targetsOf = (all: ReadonlyArray<Peer>): RelayTargets<Peer> => {
  const targets = new RelayTargets<Peer>(KEY)
  for (const peer of all) targets.add(peer)
  return targets
}

const chosen = (
  targets: RelayTargets<Peer>,
  n: number,
  isEligible: (peer: Peer) => boolean = () => true
): ReadonlyArray<number> => targets.choose(nth(n), true, isEligible, START).map(({ id }) => id)

describe("the peers to whom an address is passed on", () => {
  it("are none of nobody, one of one, and two of more", () => {
    expect([0, 1, 2, 3, 200].map((count) => chosen(targetsOf(peers(count)), 1).length)).toEqual([0, 1, 2, 2, 2])
  })

  it("stay who they are when others come and go, in whatever order", () => {
    const change = fc.tuple(fc.boolean(), fc.nat(60))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), fc.nat(1000), (changes, n) => {
        const all = peers(61)
        const targets = new RelayTargets<Peer>(KEY)
        const present = new Set<Peer>()
        for (const [comes, which] of changes) {
          const peer = all[which] as Peer
          if (comes) targets.add(peer)
          else targets.delete(peer)
          if (comes) present.add(peer)
          else present.delete(peer)
        }
        expect(new Set(targets.peers)).toEqual(present)
        const sorted = [...present].toSorted((a, b) => a.id - b.id)
        expect(chosen(targets, n)).toEqual(chosen(targetsOf(sorted), n))
        // Without the first the second is the first.
        const [first, second] = chosen(targets, n)
        const others = sorted.filter(({ id }) => id !== first)
        expect(chosen(targetsOf(others), n)[0]).toBe(second)
      })
    )
  })

  it("are among those who can use it, and next in turn where the first cannot", () => {
    const targets = targetsOf(peers(50))
    for (let n = 0; n < 50; n++) {
      const [first, second] = chosen(targets, n)
      const [next] = chosen(targets, n, ({ id }) => id !== first)
      expect(next).toBe(second)
    }
  })

  it("are all of them as often as each other", () => {
    const counts = new Map<number, number>()
    const targets = targetsOf(peers(10, 2 ** 40))
    for (let n = 0; n < 5000; n++) for (const id of chosen(targets, n)) counts.set(id, (counts.get(id) ?? 0) + 1)
    expect(counts.size).toBe(10)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})
