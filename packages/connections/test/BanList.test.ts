import { ChaChaRandom } from "@satwire/crypto"
import { Instant, UnixSeconds } from "@satwire/machine"
import { type NetworkAddr, formatHost, parseHost } from "@satwire/netaddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BanList,
  DEFAULT_BAN_SECONDS,
  DISCOURAGED_REMEMBERED,
  Discouraged,
  MAX_BANS,
  type Subnet,
  UPLOAD_CYCLE_MS,
  UploadTarget,
  containsHost,
  formatSubnet,
  parsePermissionRule,
  parseSubnet,
  formatPermissionRule,
  permissionsOf
} from "../src/index.ts"

const host = (text: string): NetworkAddr => {
  const found = parseHost(text)
  if (found === undefined) throw new Error(text)
  return found
}
const subnet = (text: string): Subnet => {
  const found = parseSubnet(text)
  if (found === undefined) throw new Error(text)
  return found
}
const at = (seconds: number): UnixSeconds => UnixSeconds(1_750_000_000 + seconds)
const ONION = formatHost({ network: "torv3", address: new Uint8Array(32).fill(7) })

describe("a subnet", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7/32"],
    ["192.0.2.7/24", "192.0.2.0/24"],
    ["192.0.2.7/255.255.254.0", "192.0.2.0/23"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:db8::1/32", "2001:db8::/32"],
    ["2001:db8::1", "2001:db8::1/128"]
  ])("%s is written %s", (text, written) => {
    expect(formatSubnet(subnet(text))).toBe(written)
    expect(formatSubnet(subnet(written))).toBe(written)
  })

  it.each([
    "",
    "x",
    "192.0.2.0/33",
    "192.0.2.0/255.0.255.0",
    "192.0.2.0/",
    "2001:db8::/129",
    "192.0.2.0/24/1",
    "::/-1"
  ])("%s is none", (text) => expect(parseSubnet(text)).toBeUndefined())

  it("has the hosts that begin with its bits, and no other, as counted bit by bit", () => {
    const bitsOf = (address: Uint8Array): string =>
      [...address].map((byte) => byte.toString(2).padStart(8, "0")).join("")
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.nat(32),
        fc.nat(32),
        (a, noise, prefixBits, same) => {
          const other = noise.map((byte, i) => (8 * i + 8 <= same ? (a[i] as number) : byte))
          const base = subnet(`${[...a].join(".")}/${prefixBits}`)
          const expected = bitsOf(a).slice(0, prefixBits) === bitsOf(other).slice(0, prefixBits)
          expect(containsHost(base, { network: "ipv4", address: other })).toBe(expected)
        }
      )
    )
    expect(containsHost(subnet("::/0"), host("192.0.2.1"))).toBe(false)
  })
})

describe("the ban list", () => {
  it("bans a host or a subnet for a day, or for as long as is said, and counts whom it refused", () => {
    const bans = new BanList()
    expect(bans.ban(subnet("192.0.2.0/24"), at(0))).toBe(true)
    expect(bans.ban(subnet("2001:db8::5"), at(0), 10)).toBe(true)
    expect([bans.refuses(host("192.0.2.77"), at(1)), bans.refuses(host("192.0.3.77"), at(1))]).toEqual([true, false])
    expect([bans.isBanned(host("2001:db8::5"), at(9)), bans.isBanned(host("2001:db8::5"), at(10))]).toEqual([
      true,
      false
    ])
    expect(bans.isBanned(host("192.0.2.77"), at(DEFAULT_BAN_SECONDS))).toBe(false)
    expect(bans.list(at(5)).map((ban) => [formatSubnet(ban.subnet), ban.refused])).toEqual([
      ["192.0.2.0/24", 1],
      ["2001:db8::5/128", 0]
    ])
    expect(bans.list(at(20))).toHaveLength(1)
  })

  it("makes no ban shorter, and lifts one only where it stands", () => {
    const bans = new BanList()
    bans.ban(subnet("192.0.2.1"), at(0), 1000)
    bans.ban(subnet("192.0.2.1"), at(0), 10)
    expect(bans.isBanned(host("192.0.2.1"), at(500))).toBe(true)
    expect(bans.unban(subnet("192.0.2.0/24"))).toBe(false)
    expect(bans.unban(subnet("192.0.2.1"))).toBe(true)
    expect(bans.size).toBe(0)
  })

  it("is bounded, and takes another once one has run out", () => {
    const bans = new BanList()
    for (let i = 0; i < MAX_BANS; i++) {
      const base: NetworkAddr = { network: "ipv4", address: Uint8Array.of(10, i >> 16, i >> 8, i) }
      expect(bans.ban({ base, prefixBits: 32 }, at(0), i === 0 ? 5 : 1000)).toBe(true)
    }
    expect(bans.ban(subnet("192.0.2.1"), at(1))).toBe(false)
    expect(bans.ban(subnet("192.0.2.1"), at(6))).toBe(true)
  })

  it("comes back from what is kept, without what has run out, and says what made no sense", () => {
    const bans = new BanList()
    bans.ban(subnet("192.0.2.0/24"), at(0), 1000)
    bans.ban(subnet(ONION), at(0), 10)
    bans.refuses(host("192.0.2.5"), at(1))
    expect(bans.isDirty).toBe(true)
    const kept = bans.snapshot(at(2))
    expect(bans.isDirty).toBe(false)
    const restored = BanList.restore(JSON.parse(JSON.stringify(kept)), at(20))
    expect([restored.lost, restored.bans.size]).toEqual([0, 1])
    expect(restored.bans.list(at(20))[0]?.refused).toBe(1)
    const nonsense = [
      { subnet: "x", createdAt: 1, until: at(99), refused: 0 },
      { subnet: "::/0", createdAt: Number.NaN, until: at(99), refused: 0 }
    ]
    expect(BanList.restore(nonsense, at(0)).lost).toBe(2)
  })
})

describe("discouraged hosts", () => {
  it("are remembered on every port and on their network alone, the last 50,000 of them", () => {
    const discouraged = new Discouraged(ChaChaRandom.fromNumber(1))
    discouraged.add(host("192.0.2.1"))
    expect(discouraged.has({ ...host("192.0.2.1"), port: 8333 } as NetworkAddr)).toBe(true)
    expect(discouraged.has(host("192.0.2.2"))).toBe(false)
    const number = (i: number): NetworkAddr => ({
      network: "ipv6",
      address: Uint8Array.from({ length: 16 }, (_, k) => i >> (8 * (k & 3)))
    })
    for (let i = 0; i < 2 * DISCOURAGED_REMEMBERED; i++) discouraged.add(number(i))
    for (let i = DISCOURAGED_REMEMBERED; i < 2 * DISCOURAGED_REMEMBERED; i += 997)
      expect(discouraged.has(number(i))).toBe(true)
    expect(discouraged.has(host("192.0.2.1"))).toBe(false)
  })
})

describe("permissions", () => {
  it("are those of every rule that has the host, with what each implies", () => {
    const rules = ["noban@192.0.2.0/24", "forcerelay,bloom@192.0.2.1", "addr@2001:db8::/32"].map((text) => {
      const rule = parsePermissionRule(text)
      if (typeof rule === "string") throw new Error(rule)
      return rule
    })
    expect([...permissionsOf(rules, host("192.0.2.1"))].sort()).toEqual([
      "bloomfilter",
      "download",
      "forcerelay",
      "noban",
      "relay"
    ])
    expect([...permissionsOf(rules, host("192.0.2.2"))].sort()).toEqual(["download", "noban"])
    expect(permissionsOf(rules, host("203.0.113.1")).size).toBe(0)
  })

  it("are for those that dial us, and for those that we dial where the rule says so", () => {
    const texts = ["noban,out@192.0.2.1", "relay,in,out@192.0.2.2", "addr@192.0.2.3", "in,out@192.0.2.4"]
    const rules = texts.map((text) => {
      const rule = parsePermissionRule(text)
      if (typeof rule === "string") throw new Error(rule)
      expect(parsePermissionRule(formatPermissionRule(rule))).toEqual(rule)
      return rule
    })
    const sizes = (address: string): ReadonlyArray<number> =>
      (["in", "out"] as const).map((direction) => permissionsOf(rules, host(address), direction).size)
    expect(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(sizes)).toEqual([
      [0, 2],
      [1, 1],
      [1, 0],
      [0, 0]
    ])
  })

  it("are Core's implicit ones where a subnet stands alone, and all where it says so", () => {
    const [implicit, all] = ["192.0.2.1", "all@192.0.2.1"].map((text) => parsePermissionRule(text))
    if (typeof implicit !== "object" || typeof all !== "object") throw new Error("no rules")
    expect([...implicit.permissions].sort()).toEqual(["download", "mempool", "noban", "relay"])
    expect(all.permissions.size).toBe(7)
  })

  it.each([
    ["nonsense@192.0.2.1", 'no permission "nonsense"'],
    ["__proto__@192.0.2.1", 'no permission "__proto__"'],
    ["noban@x", '"x" is neither an address nor a subnet']
  ])("%s is refused with a sentence", (text, what) => expect(parsePermissionRule(text)).toContain(what))
})

describe("the upload target", () => {
  it("stops what is historic while there is room for a new block each ten minutes, and all at the end", () => {
    const target = new UploadTarget(1_000_000_000)
    expect(target.isReached(true, Instant(0))).toBe(false)
    // A day's reserve is 144 blocks of 4 MB.
    target.sent(1_000_000_000 - 576_000_000, Instant(0))
    expect([target.isReached(true, Instant(0)), target.isReached(false, Instant(0))]).toEqual([true, false])
    expect(target.isReached(true, Instant(UPLOAD_CYCLE_MS / 2))).toBe(false)
    target.sent(576_000_000, Instant(UPLOAD_CYCLE_MS / 2))
    expect(target.isReached(false, Instant(UPLOAD_CYCLE_MS / 2))).toBe(true)
    expect(target.leftBytes(Instant(UPLOAD_CYCLE_MS - 1))).toBe(0)
    expect(target.isReached(false, Instant(UPLOAD_CYCLE_MS))).toBe(false)
  })

  it("that is too small for the reserve stops what is historic from the start; none stops nothing", () => {
    expect(new UploadTarget(500_000_000).isReached(true, Instant(0))).toBe(true)
    const none = new UploadTarget(0)
    none.sent(1e15, Instant(0))
    expect([none.isReached(true, Instant(0)), none.leftBytes(Instant(0))]).toEqual([false, undefined])
  })
})
