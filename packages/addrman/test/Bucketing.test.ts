import { fromHex } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { AsMap, NetGroups } from "@satwire/netaddress"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BUCKET_SIZE,
  Bucketing,
  NEW_BUCKETS_PER_SOURCE_GROUP,
  NEW_BUCKET_COUNT,
  TRIED_BUCKETS_PER_GROUP,
  TRIED_BUCKET_COUNT
} from "../src/index.ts"
import { host, ipv4, node } from "./KnownAddresses.ts"

interface Golden {
  readonly nKey1_uint256: string
  readonly cases: ReadonlyArray<{
    readonly fn: "GetTriedBucket" | "GetNewBucket"
    readonly addr: string
    readonly source: string
    readonly asmap: boolean
    readonly bucket: number
  }>
}

describeWithData(describe, "buckets", (data) => {
  const golden = data.json("vectors/addrman/bucket_golden.json") as Golden
  const key = sha256d(portableSha256, Uint8Array.of(1, 0, 0, 0))
  const map = AsMap.load(data.bytes("vectors/core/asmap.raw"), portableSha256)
  if (Result.isFailure(map)) throw new Error(map.failure.what)

  it("have the key of Core's tests", () => {
    expect(key.toReversed()).toEqual(fromHex(golden.nKey1_uint256))
  })

  it.each(golden.cases)(
    "are Core's: $fn of $addr, with an AS map $asmap, is $bucket",
    ({ addr, asmap, bucket, fn, source }) => {
      const bucketing = new Bucketing(key, portableSha256, new NetGroups(asmap ? map.success : undefined))
      const got =
        fn === "GetTriedBucket"
          ? bucketing.triedBucket(node(addr))
          : bucketing.newBucket(node(addr), bucketing.group(host(source)))
      expect(got).toBe(bucket)
    }
  )
})

describe("buckets", () => {
  const bucketing = new Bucketing(new Uint8Array(32).fill(7), portableSha256, new NetGroups())

  it("of the tried addresses of one group are eight, also of another port", () => {
    const buckets = new Set<number>()
    const places = new Set<number>()
    for (let n = 0; n < 2000; n++) {
      buckets.add(bucketing.triedBucket(node(`${ipv4(0x0102, n)}:${n}`)))
      places.add(bucketing.triedPlace(node(ipv4(0x0102, n))))
    }
    expect(buckets.size).toBe(TRIED_BUCKETS_PER_GROUP)
    expect(places.size).toBeGreaterThan(480)
    expect(places.size).toBeLessThanOrEqual(TRIED_BUCKETS_PER_GROUP * BUCKET_SIZE)
  })

  it("of all that one source group tells are 64, and of one group that it tells of is one", () => {
    const source = bucketing.group(host("9.9.9.9"))
    const buckets = new Set<number>()
    for (let group = 0x0100; group < 0x0a00; group++) {
      const ofGroup = new Set([1, 2, 3].map((n) => bucketing.newBucket(node(ipv4(group, n)), source)))
      expect(ofGroup.size).toBe(1)
      for (const bucket of ofGroup) buckets.add(bucket)
    }
    expect(buckets.size).toBeGreaterThan(60)
    expect(buckets.size).toBeLessThanOrEqual(NEW_BUCKETS_PER_SOURCE_GROUP)
  })

  it("use the whole tables, and give every place within them", () => {
    const seen = { new: new Set<number>(), tried: new Set<number>() }
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff), (group, n, source) => {
        const one = node(ipv4(group, n))
        seen.new.add(bucketing.newPlace(one, bucketing.group(host(ipv4(source, 1)))))
        seen.tried.add(bucketing.triedPlace(one))
      }),
      { numRuns: 20_000 }
    )
    expect(Math.max(...seen.new)).toBeLessThan(NEW_BUCKET_COUNT * BUCKET_SIZE)
    expect(Math.max(...seen.tried)).toBeLessThan(TRIED_BUCKET_COUNT * BUCKET_SIZE)
    expect(new Set([...seen.new].map((place) => place >> 6)).size).toBe(NEW_BUCKET_COUNT)
    expect(new Set([...seen.tried].map((place) => place >> 6)).size).toBe(TRIED_BUCKET_COUNT)
  })

  it("are others under another key, which has 32 bytes", () => {
    const other = new Bucketing(new Uint8Array(32).fill(8), portableSha256, new NetGroups())
    const same = Array.from({ length: 200 }, (_, n) => node(ipv4(n * 256, n))).filter(
      (one) => bucketing.triedPlace(one) === other.triedPlace(one)
    )
    expect(same.length).toBeLessThan(3)
    expect(() => new Bucketing(new Uint8Array(31), portableSha256, new NetGroups())).toThrow(RangeError)
  })
})
