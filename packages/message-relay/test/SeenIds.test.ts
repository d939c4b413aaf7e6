import { ChaChaRandom } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { SeenIds } from "../src/SeenIds.ts"

const [CAPACITY, PEERS] = [300, 3]
const idOf = (n: number): Uint8Array => new Uint8Array(32).fill(n & 0xff).fill(n >> 8, 0, 1)

interface Seen {
  readonly n: number
  readonly expires: number
  readonly senders: Set<number>
  owner: number
}

/** The same in lists, the oldest first. */
class Naive {
  ids: Array<Seen> = []

  of(owner: number): Array<Seen> {
    return this.ids.filter((one) => one.owner === owner)
  }

  add(n: number, expires: number, owner: number): void {
    if (this.ids.length === CAPACITY) {
      const most = [0, 1, 2, 3].reduce((a, b) => (this.of(b).length > this.of(a).length ? b : a))
      this.ids.splice(this.ids.indexOf(this.of(most)[0] as Seen), 1)
    }
    this.ids.push({ n, expires, owner, senders: new Set(owner === PEERS ? [] : [owner]) })
  }

  sentBy(seen: Seen, peer: number): boolean {
    if (seen.senders.has(peer)) return true
    seen.senders.add(peer)
    if (this.of(peer).length + 1 < this.of(seen.owner).length) {
      seen.owner = peer
      this.ids.splice(this.ids.indexOf(seen), 1)
      this.ids.push(seen)
    }
    return false
  }
}

it("what is remembered is the same as in lists, whoever brings what", () => {
  const step = fc.record({
    _tag: fc.constantFrom("bring", "bring", "bring", "forget", "sweep"),
    peer: fc.integer({ min: 0, max: PEERS }),
    from: fc.integer({ min: 0, max: 900 }),
    count: fc.integer({ min: 1, max: 150 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const [seen, naive] = [new SeenIds(CAPACITY, PEERS, ChaChaRandom.fromNumber(1)), new Naive()]
      for (const { _tag, count, from, peer } of steps) {
        if (_tag === "sweep") {
          seen.sweep(UnixSeconds(from))
          naive.ids = naive.ids.filter(({ expires }) => expires > from)
        } else if (_tag === "forget" && peer < PEERS) {
          seen.forgetSender(peer)
          for (const { senders } of naive.ids) senders.delete(peer)
        }
        for (let n = from; _tag === "bring" && n < from + count; n++) {
          const known = naive.ids.find((one) => one.n === n)
          const place = seen.find(idOf(n))
          expect(place >= 0).toBe(known !== undefined)
          if (known === undefined) {
            seen.add(idOf(n), UnixSeconds(n + 1), peer === PEERS ? undefined : peer)
            naive.add(n, n + 1, peer)
          } else if (peer < PEERS) {
            expect(seen.sentBy(place, peer)).toBe(naive.sentBy(known, peer))
          }
        }
        expect(seen.size).toBe(naive.ids.length)
      }
    }),
    { numRuns: 60 }
  )
})
