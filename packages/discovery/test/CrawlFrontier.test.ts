import { Instant } from "@satwire/machine"
import { NetGroups, type NodeAddress, formatNode, isRoutable } from "@satwire/netaddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CRAWL_GROUP_PAUSE_MS, CrawlFrontier, type CrawlFrontierOptions } from "../src/index.ts"
import { node, onion } from "./Known.ts"

const START = Instant(1000)
const at = (ms: number): Instant => Instant(START + ms)

const frontier = (change: Partial<CrawlFrontierOptions> = {}): CrawlFrontier =>
  new CrawlFrontier({ groups: new NetGroups(), reachable: new Set(["ipv4", "ipv6"]), ...change })

const target = (where: string | NodeAddress, services = 0n): NodeAddress & { readonly services: bigint } => ({
  ...(typeof where === "string" ? node(where) : where),
  services
})

/** Visits all that can be visited, waiting where that is asked; gives when and whom. */
const visits = (of: CrawlFrontier): ReadonlyArray<readonly [ms: number, who: string]> => {
  const seen: Array<readonly [number, string]> = []
  let now = START
  for (;;) {
    const step = of.next(now)
    if (step._tag === "Empty") return seen
    if (step._tag === "Wait") now = step.until
    else seen.push([now - START, formatNode(step.target)])
  }
}

describe("the frontier of a crawl", () => {
  it("has each node once, however often it is told of", () => {
    const some = frontier()
    expect(some.add(target("21.1.1.1"), false, START)).toBe(true)
    expect(some.add(target("21.1.1.1", 9n), true, START)).toBe(false)
    expect(some.add(target("21.1.1.1:8334"), false, START)).toBe(true)
    expect(
      visits(some)
        .map(([, who]) => who)
        .toSorted()
    ).toEqual(["21.1.1.1:8333", "21.1.1.1:8334"])
    expect(some.add(target("21.1.1.1"), false, START)).toBe(false)
    expect(some.next(at(99_999))).toEqual({ _tag: "Empty" })
  })

  it("lets a /16 rest between two visits, and visits others meanwhile", () => {
    const some = frontier()
    for (const text of ["21.1.1.1", "21.1.9.9", "21.1.5.5", "21.2.1.1", "[2a00::1]"])
      some.add(target(text), false, START)
    const seen = visits(some)
    expect(seen.map(([ms]) => ms)).toEqual([0, 0, 0, CRAWL_GROUP_PAUSE_MS, 2 * CRAWL_GROUP_PAUSE_MS])
    expect(seen.slice(3).every(([, who]) => who.startsWith("21.1."))).toBe(true)
  })

  it("remembers the rest of a group of which nobody was left", () => {
    const some = frontier()
    some.add(target("21.1.1.1"), false, START)
    some.next(START)
    some.add(target("21.1.1.2"), false, at(400))
    expect(some.next(at(400))).toEqual({ _tag: "Wait", until: at(CRAWL_GROUP_PAUSE_MS) })
    some.add(target("21.1.1.3"), false, at(5000))
    expect(some.next(at(5000))).toMatchObject({ _tag: "Visit" })
  })

  it("has only those whom we can dial", () => {
    expect(frontier().add(target(onion(1)), false, START)).toBe(false)
    expect(frontier({ reachable: new Set(["torv3"]) }).add(target(onion(1)), false, START)).toBe(true)
  })

  it("has private nodes only where somebody private or our user told of them", () => {
    const some = frontier()
    expect(some.add(target("127.0.0.1:1"), false, START)).toBe(false)
    expect(some.add(target("192.168.1.1"), false, START)).toBe(false)
    expect(some.add(target("127.0.0.1:1"), true, START)).toBe(true)
    expect(some.add(target("127.0.0.1:2"), true, START)).toBe(true)
    // Each is a group of its own, and need not wait.
    expect(visits(some).map(([ms]) => ms)).toEqual([0, 0])
  })

  it("has nobody again who was visited under another name", () => {
    const some = frontier()
    expect([some.know(node("21.1.1.1")), some.know(node("21.1.1.1"))]).toEqual([true, false])
    expect([some.add(target("21.1.1.1"), false, START), some.size]).toEqual([false, 1])
    expect(some.next(START)).toEqual({ _tag: "Empty" })
  })

  it("is full at some point, and then stays as it is", () => {
    const some = frontier({ maxNodes: 3 })
    for (let i = 0; i < 10; i++) some.add(target(`21.1.1.${i}`), false, START)
    expect([some.size, some.isFull, visits(some).length]).toEqual([3, true, 3])
  })

  it("visits whoever was taken in exactly once, and no group twice within its pause", () => {
    const host = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 3 }), fc.nat(3))
    const told = fc.array(fc.tuple(host, fc.nat(500)), { maxLength: 80 })
    fc.assert(
      fc.property(told, (told) => {
        const some = frontier()
        const [expected, seen] = [new Set<string>(), new Array<string>()]
        const last = new Map<string, number>()
        let now = START
        const visit = (): boolean => {
          const step = some.next(now)
          if (step._tag === "Wait") expect(step.until).toBeGreaterThan(now)
          if (step._tag === "Wait") now = step.until
          if (step._tag !== "Visit") return step._tag !== "Empty"
          seen.push(formatNode(step.target))
          const group = isRoutable(step.target) ? String(new NetGroups().group(step.target)) : formatNode(step.target)
          expect(now - (last.get(group) ?? -Infinity)).toBeGreaterThanOrEqual(CRAWL_GROUP_PAUSE_MS)
          last.set(group, now)
          return true
        }
        for (const [[a, b, c], ms] of told) {
          const one = target(`${a}.${b}.1.${c}`)
          if (some.add(one, true, now)) expected.add(formatNode(one))
          now = Instant(now + ms)
          visit()
        }
        while (visit());
        expect(seen.toSorted()).toEqual([...expected].toSorted())
      })
    )
  })
})
