import { describe, expect, it } from "vitest"
import { parsePermissionRule, type PermissionRule } from "../src/index.ts"
import { Town, node } from "./Town.ts"

const HOUR = 60 * 60_000

const rule = (text: string): PermissionRule => {
  const parsed = parsePermissionRule(text)
  if (typeof parsed === "string") throw new Error(parsed)
  return parsed
}

/** So many that came in, each from a group of its own. */
const crowd = (town: Town, count: number): void => {
  for (let i = 0; i < count; i++) {
    const peer = town.arrive(`${30 + (i >> 8)}.${i & 255}.1.1:1000`)
    town.introduce(peer)
    town.input({ _tag: "Pong", peer, roundTripMs: 10 + i })
    town.elapse(1000)
  }
}

describe("somebody who dials us", () => {
  it("is let in while there is room, and where nobody may go for him is told that all is full", () => {
    const town = new Town({ book: undefined, maxInbound: 4 })
    crowd(town, 5)
    expect(town.all("Admitted").length).toBe(4)
    expect(town.all("Refused").map(({ because }) => because)).toEqual(["full"])
  })

  it("makes the youngest of the largest group leave where it is crowded", () => {
    const town = new Town({ book: undefined, maxInbound: 60 })
    crowd(town, 40)
    const many = Array.from({ length: 20 }, (_, i) => {
      town.elapse(1)
      return town.arrive(`99.9.9.${i}:1000`)
    })
    const late = town.arrive("98.1.1.1:1000")
    expect(town.all("LetGo")).toEqual([{ _tag: "LetGo", peer: many.at(-1), because: "evicted" }])
    expect(town.all("Admitted").at(-1)?.peer).toBe(late)
  })

  it("is refused where it is banned, until that has run out or is lifted, and the ban counts him", () => {
    const town = new Town({ book: undefined })
    const subnet = { base: node("99.0.0.0:1"), prefixBits: 8 }
    town.input({ _tag: "Ban", subnet, seconds: 3600 })
    town.arrive("99.1.1.1:5")
    town.arrive("98.1.1.1:5")
    expect(town.all("Refused").map(({ because, address }) => [because, address])).toEqual([["banned", "99.1.1.1:5"]])
    expect(town.bans.list(town.now.unix)[0]?.refused).toBe(1)
    town.elapse(HOUR + 1000)
    town.arrive("99.1.1.1:6")
    expect(town.all("Refused").length).toBe(1)
    town.input({ _tag: "Ban", subnet, seconds: 3600 })
    expect(town.all("LetGo").map(({ because }) => because)).toEqual(["banned"])
    town.input({ _tag: "Unban", subnet })
    town.arrive("99.1.1.1:7")
    town.input({ _tag: "ClearBans" })
    expect(town.all("Refused").length).toBe(1)
    expect(town.all("BansChanged").length).toBe(4)
  })

  it("whose host broke the rules is let in while there is room, and refused where there is hardly any", () => {
    const town = new Town({ book: undefined, maxInbound: 4 })
    const [bad, other] = [town.arrive("99.1.1.1:5"), town.arrive("99.1.1.1:6")]
    town.close(bad, { cost: "discourage" })
    expect(town.all("LetGo")).toEqual([{ _tag: "LetGo", peer: other, because: "discouraged" }])
    town.arrive("99.1.1.1:7")
    expect(town.all("Refused")).toEqual([])
    crowd(town, 2)
    town.arrive("99.1.1.1:8")
    expect(town.all("Refused").map(({ because }) => because)).toEqual(["discouraged"])
  })

  it("is let in with the permission to stay, whatever was said of him, and stays", () => {
    const town = new Town({ book: undefined, maxInbound: 30, permissions: [rule("noban@99.0.0.0/8")] })
    town.input({ _tag: "Ban", subnet: { base: node("99.0.0.0:1"), prefixBits: 8 }, seconds: 86_400 })
    for (let i = 0; i < 30; i++) town.arrive(`99.1.1.${i}:5`)
    town.close(town.all("Admitted")[0]?.peer ?? (0 as never), { cost: "discourage" })
    expect(town.all("Refused")).toEqual([])
    town.arrive("99.1.1.200:5")
    town.arrive("20.1.1.1:5")
    expect(town.all("LetGo")).toEqual([])
    expect(town.all("Refused").map(({ because }) => because)).toEqual(["full"])
    expect(town.all("Admitted")[0]?.permissions).toEqual(new Set(["noban", "download"]))
  })

  it("may do what the socket allows at which he came in, beside what is allowed from where he comes", () => {
    const socketPermissions = [
      { socket: "127.0.0.1:7", permissions: new Set(["mempool"] as const) },
      { socket: ":9", permissions: new Set(["addr"] as const) }
    ]
    const town = new Town({ book: undefined, permissions: [rule("relay@99.0.0.0/8")], socketPermissions })
    town.arrive("99.1.1.1:5", "127.0.0.1:7")
    town.arrive("20.1.1.1:5", "10.0.0.1:9")
    town.arrive("99.1.1.2:5", "127.0.0.1:8")
    town.arrive("20.1.1.2:5", "127.0.0.2:7")
    expect(town.all("Admitted").map(({ permissions }) => [...permissions].sort())).toEqual([
      ["mempool", "relay"],
      ["addr"],
      ["relay"],
      []
    ])
  })

  it("from this machine is never discouraged", () => {
    const town = new Town({ book: undefined })
    const [bad, other] = [town.arrive("127.0.0.1:5"), town.arrive("127.0.0.1:6")]
    town.close(bad, { cost: "discourage" })
    expect(town.all("LetGo")).toEqual([])
    expect(town.manager.isDiscouraged(node("127.0.0.1:6"))).toBe(false)
    town.close(other)
    expect(town.manager.isEmpty).toBe(true)
  })

  it("leaves room for the next one only when it is gone, not when it is ending twice", () => {
    const town = new Town({ book: undefined, maxInbound: 1 })
    const first = town.arrive("50.1.1.1:5")
    town.input({ _tag: "Ended", peer: first, end: { cost: "disconnect", reachedItself: false, retryAsV1: false } })
    town.input({ _tag: "Ended", peer: first, end: { cost: "disconnect", reachedItself: false, retryAsV1: false } })
    const second = town.arrive("51.1.1.1:5")
    expect(town.all("Admitted").map(({ peer }) => peer)).toEqual([first, second])
    town.arrive("52.1.1.1:5")
    expect(town.all("Refused").length).toBe(1)
    town.input({ _tag: "Closed", peer: first })
    town.close(second)
    expect(town.manager.snapshot()).toEqual([])
  })
})
