import { Writer, concat } from "@satwire/bytes"
import { ChaChaRandom, portableSha256, sha256d } from "@satwire/crypto"
import { NETWORKS, type NetAddr, NetGroups, ipv4InIpv6, netClass } from "@satwire/netaddress"
import { mainnet, regtest } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AddrMan, type AddressInfo, Bucketing, type Restored } from "../src/index.ts"
import { START, addrMan, at, host, ipv4, known } from "./KnownAddresses.ts"
import { keyOf } from "./NaiveAddrMan.ts"

const read = (file: Uint8Array, magic = mainnet.magic, now = START): Result.Result<Restored, string> =>
  AddrMan.fromPeersDat(
    { random: ChaChaRandom.fromNumber(1), sha256: portableSha256, groups: new NetGroups() },
    file,
    magic,
    now
  )

const faultOf = (file: Uint8Array, magic?: number): string => {
  const result = read(file, magic)
  return Result.isFailure(result) ? result.failure : ""
}

const withChecksum = (content: Uint8Array): Uint8Array => concat([content, sha256d(portableSha256, content)])

const written = (size: number, write: (w: Writer) => void): Uint8Array => {
  const w = new Writer(new Uint8Array(size))
  write(w)
  return w.bytes.subarray(0, w.offset)
}

const v2 = (address: NetAddr): Uint8Array => {
  const row = NETWORKS.find(({ network }) => network === address.network)
  // Core writes the source of a name as an address of IPv6.
  const prefix = Uint8Array.of(0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24)
  const bytes = row === undefined ? concat([prefix, address.address]) : address.address
  return concat([Uint8Array.of(row?.id ?? 2, bytes.length), bytes])
}

const v1 = ({ address, network }: NetAddr): Uint8Array => (network === "ipv4" ? ipv4InIpv6(address) : address)

/** An entry as Core writes it since 0.21, and before. */
const entry = (info: AddressInfo, isV2: boolean): Uint8Array =>
  written(200, (w) => {
    w.u32(isV2 ? 0x2000_0000 + 220_000 : 100_100)
    w.u32(info.time)
    if (isV2) w.compactSize64(info.services)
    else w.u64(info.services)
    w.raw(isV2 ? v2(info) : v1(info))
    w.u16be(info.port)
    w.raw(isV2 ? v2(info.source) : v1(info.source))
    w.i64(BigInt(info.lastSuccess))
    w.i32(info.attempts)
  })

/** A file as Core writes it, in format 1 or 4. */
const peersDat = (addrman: AddrMan, format: 1 | 4, buckets = 1024): Uint8Array => {
  const all = [...addrman.addresses()]
  const fresh = all.filter(({ table }) => table === "new")
  const tried = all.filter(({ table }) => table === "tried")
  const head = written(100, (w) => {
    w.u32(mainnet.magic)
    w.u8(format)
    w.u8(32 + format)
    w.raw(addrman.snapshot().key)
    w.u32(fresh.length)
    w.u32(tried.length)
    w.u32(buckets ^ (2 ** 30))
  })
  const lists = Array.from({ length: buckets }, (_, bucket) => {
    const inside = fresh.flatMap(({ places }, i) => (places.some((place) => place.bucket === bucket) ? [i] : []))
    return written(4 + 4 * inside.length, (w) => {
      w.u32(inside.length)
      for (const i of inside) w.u32(i)
    })
  })
  const version = format === 1 ? new Uint8Array(0) : new Uint8Array(32)
  return withChecksum(
    concat([head, ...[...fresh, ...tried].map((info) => entry(info, format === 4)), ...lists, version])
  )
}

const filled = (onlyOld: boolean): AddrMan => {
  const addrman = addrMan(3)
  for (let n = 0; n < 300; n++) {
    const one = known(ipv4(0x0102 + (n % 40), n), { services: n % 2 === 0 ? 1033n : 2n ** 40n })
    const source =
      n % 9 === 0 && !onlyOld
        ? ({ network: "internal", address: new Uint8Array(10).fill(n) } as const)
        : host(ipv4(0x2000 + n, 1))
    addrman.add([one], source, START)
    if (n % 3 === 0) addrman.good(one, at(-n - 1))
    addrman.add([{ ...one, time: at(1) }], host(ipv4(0x3000 + n, 1)), START)
  }
  addrman.add([known("[2001:2001::1]:8333")], host("2001:2001::2"), START)
  if (onlyOld) return addrman
  for (let n = 1; n < 20; n++) {
    addrman.add(
      [
        known(`[fc12::${n}]:8333`),
        { ...known("1.1.1.1"), network: "torv3", address: new Uint8Array(32).fill(n) },
        { ...known("1.1.1.1"), network: "i2p", address: new Uint8Array(32).fill(n), port: 0 }
      ],
      { network: "torv3", address: new Uint8Array(32).fill(99) },
      START
    )
  }
  return addrman
}

const all = (addrman: AddrMan): unknown =>
  [...addrman.addresses()]
    .map((info) => ({
      ...info,
      key: keyOf(info),
      lastTry: 0,
      places: info.places.toSorted((a, b) => a.bucket - b.bucket)
    }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))

describe("a peers.dat of Core's", () => {
  it.each([1, 4] as const)("in format %i gives all addresses their places again, under its key", (format) => {
    const addrman = filled(format === 1)
    expect([...addrman.addresses()].some(({ places }) => places.length > 1)).toBe(true)
    const result = read(peersDat(addrman, format))
    if (Result.isFailure(result)) throw new Error(result.failure)
    expect(result.success.lost).toEqual({ new: 0, tried: 0 })
    expect(all(result.success.addrman)).toEqual(all(addrman))
    expect(result.success.addrman.snapshot().key).toEqual(addrman.snapshot().key)
    result.success.addrman.check()
  })

  it("with tables of another size is spread anew", () => {
    const addrman = filled(true)
    const result = read(peersDat(addrman, 1, 2048))
    if (Result.isFailure(result)) throw new Error(result.failure)
    const { addrman: again, lost } = result.success
    again.check()
    expect(again.count({ table: "tried" })).toBe(addrman.count({ table: "tried" }))
    expect(again.count() + lost.new).toBe(addrman.count())
    expect([...again.addresses()].every(({ places }) => places.length === 1)).toBe(true)
  })

  it("is refused with a word where it is of another network, of a newer format, cut short or changed", () => {
    const file = peersDat(filled(false), 4)
    const content = file.subarray(0, -32)
    expect(faultOf(file)).toBe("")
    expect(faultOf(file, regtest.magic)).toBe("it is of another network")
    expect(faultOf(new Uint8Array(3))).toBe("it ends early")
    const changed = (where: number, value: number): Uint8Array => {
      const bytes = content.slice()
      bytes[where] = value
      return withChecksum(bytes)
    }
    expect(faultOf(changed(5, 37))).toBe("its format is 4, and this reads up to 4")
    expect(faultOf(changed(5, 10))).toContain("lowest compatible format")
    expect(faultOf(changed(41, 0xff))).toContain("new addresses: ")
    expect(faultOf(withChecksum(content.subarray(0, 100)))).toContain("ends early")
    for (let where = 0; where < file.length; where += 97) {
      const bytes = file.slice()
      bytes[where] = (bytes[where] as number) ^ 1
      expect(faultOf(bytes)).toBe("its checksum does not fit")
    }
  })

  it("of any content never throws, and gives a manager that agrees with itself", () => {
    const content = peersDat(filled(false), 4).subarray(0, -32)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 10 }), (changes) => {
        const bytes = content.slice()
        // The magic stays, or all of them would be refused for it.
        for (const [where, value] of changes) bytes[4 + (where % (bytes.length - 4))] = value
        const result = read(withChecksum(bytes))
        if (Result.isSuccess(result)) result.success.addrman.check()
      }),
      { numRuns: 100 }
    )
  })
})

describeWithData(describe, "a peers.dat of somebody", (data) => {
  it("of 2015 is read to the last of its addresses", () => {
    const file = data.bytes("vectors/p2p/nbitcoin_peers.dat")
    const now = at(-10 * 365 * 86_400)
    const result = read(file, mainnet.magic, now)
    if (Result.isFailure(result)) throw new Error(result.failure)
    const { addrman, lost } = result.success
    addrman.check()
    // 98 and 16, as its head says.
    expect([addrman.count({ table: "new" }) + lost.new, addrman.count({ table: "tried" }) + lost.tried]).toEqual([
      98, 16
    ])
    // Core put each into the bucket that we would.
    const bucketing = new Bucketing(addrman.snapshot().key, portableSha256, new NetGroups())
    const ofNew = [...addrman.addresses()].filter(({ table }) => table === "new")
    const inPrimary = ofNew.filter((info) => {
      const bucket = bucketing.newBucket(info, bucketing.group(info.source))
      return info.places.some((place) => place.bucket === bucket)
    })
    expect([ofNew.length, inPrimary.length]).toEqual([98, 98])
    for (const info of addrman.addresses()) {
      expect(["ipv4", "ipv6"]).toContain(netClass(info))
      expect(info.port).toBeGreaterThan(0)
    }
  })
})
