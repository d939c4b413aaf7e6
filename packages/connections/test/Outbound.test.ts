import { ChaChaRandom } from "@satwire/crypto"
import { UnixSeconds } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import {
  EXTRA_PEER_CHECK_INTERVAL_MS,
  FEELER_INTERVAL_MS,
  MAX_ADDR_FETCHES,
  MAX_BLOCK_RELAY_ONLY_CONNECTIONS,
  MAX_OUTBOUND_FULL_RELAY_CONNECTIONS,
  MAX_WAITING_DIALS
} from "../src/index.ts"
import { START_UNIX, Town, node, townOf } from "./Town.ts"

const MINUTE = 60_000

describe("places for peers that we choose", () => {
  it("are filled within seconds: eight for everything, then two for blocks alone", () => {
    const town = townOf(100)
    town.elapse(10_000)
    expect(town.connectedAs("outbound-full-relay").length).toBe(MAX_OUTBOUND_FULL_RELAY_CONNECTIONS)
    expect(town.connectedAs("block-relay-only").length).toBe(MAX_BLOCK_RELAY_ONLY_CONNECTIONS)
    expect(town.all("Dial").map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 8 }, () => "outbound-full-relay"),
      "block-relay-only",
      "block-relay-only"
    ])
  })

  it("go to one owner once", () => {
    const town = new Town()
    for (let i = 0; i < 200; i++) town.book.know(`20.30.${i}.1:8333`)
    town.book.know("20.31.1.1:8333")
    town.elapse(10 * MINUTE)
    expect([...town.connectedAs("outbound-full-relay")].map((text) => text.slice(0, 6)).toSorted()).toEqual([
      "20.30.",
      "20.31."
    ])
  })

  it("are filled again when somebody leaves, by somebody else or the same", () => {
    const town = townOf(9 + 2)
    town.elapse(10_000)
    const [first = ""] = town.connectedAs("outbound-full-relay")
    town.close(town.peerAt(first))
    town.elapse(10_000)
    expect(town.connectedAs("outbound-full-relay").length).toBe(8)
  })

  it("do not go to who was tried in the last ten minutes or lacks what we want, while there are others", () => {
    const town = new Town()
    for (let i = 0; i < 5; i++) town.book.know(`11.${i}.1.1:8333`, { lastTry: UnixSeconds(START_UNIX - 60) })
    for (let i = 0; i < 5; i++) town.book.know(`12.${i}.1.1:8333`, { services: 0n })
    for (let i = 0; i < 5; i++) town.book.know(`13.${i}.1.1:22`)
    for (let i = 0; i < 8; i++) town.book.know(`14.${i}.1.1:8333`)
    town.elapse(4000)
    const first = town.all("Dial").slice(0, 5)
    expect(first.length).toBe(5)
    expect(first.every(({ endpoint }) => endpoint.startsWith("14."))).toBe(true)
    town.elapse(MINUTE)
    expect(town.all("Dial").some(({ endpoint }) => endpoint.startsWith("12."))).toBe(false)
  })

  it("are sought ever more slowly where nobody is to be found, and quickly again when addresses come", () => {
    const town = new Town()
    town.elapse(10 * MINUTE)
    expect(town.all("Dial")).toEqual([])
    town.book.know("11.1.1.1:8333")
    town.input({ _tag: "AddressesKnown" })
    town.elapse(500)
    expect(town.all("Dial").length).toBe(1)
  })

  it("never go to this machine, to our own address, to whom we banned or who broke the rules, or to networks out of reach", () => {
    const own = node("14.1.1.1:8333")
    const town = new Town({ networks: ["ipv4"], isOwn: ({ address }) => address[0] === own.address[0] })
    town.book.know("127.0.0.1:8333")
    town.book.know("14.1.1.1:8333")
    town.book.know("15.1.1.1:8333")
    town.book.know("16.1.1.1:8333")
    town.book.know("[2a00::1]:8333")
    town.input({ _tag: "Ban", subnet: { base: node("15.0.0.0:1"), prefixBits: 8 }, seconds: 86_400 })
    const bad = town.arrive("16.1.1.1:5000")
    town.close(bad, { cost: "discourage" })
    town.elapse(10 * MINUTE)
    expect(town.all("Dial")).toEqual([])
  })

  it("are dialled in v1 where the address does not name v2", () => {
    const town = new Town({ speaksV2: (services) => (services & 2048n) !== 0n })
    town.book.know("11.1.1.1:8333", { services: 1n })
    town.book.know("12.1.1.1:8333", { services: 2049n })
    town.elapse(2000)
    expect(Object.fromEntries(town.all("Dial").map(({ endpoint, transport }) => [endpoint, transport]))).toEqual({
      "11.1.1.1:8333": "v1",
      "12.1.1.1:8333": undefined
    })
  })
})

describe("what the address manager is told", () => {
  it("is who answered; who was connected, but never of a block-relay-only peer; and failures once others of two groups are connected", () => {
    const town = townOf(20)
    town.elapse(10_000)
    const [full = ""] = town.connectedAs("outbound-full-relay")
    const [block = ""] = town.connectedAs("block-relay-only")
    for (const endpoint of [full, block]) town.close(town.peerAt(endpoint))
    expect(town.book.told).toContain(`good ${block}`)
    expect(town.book.told).toContain(`connected ${full}`)
    expect(town.book.told).not.toContain(`connected ${block}`)
    const attempts = town.book.told.filter((line) => line.startsWith("attempt"))
    expect(attempts.map((line) => line.includes("its failure"))).toEqual(attempts.map((_, i) => i >= 2))
  })

  it("is no failure where it was our proxy that failed", () => {
    const town = townOf(1)
    town.answers = () => false
    const input = town.input.bind(town)
    town.input = (given) => input(given._tag === "DialFailed" ? { ...given, isOurs: true } : given)
    town.elapse(1000)
    expect(town.book.told).toEqual([])
    expect(town.all("DialEnded").length).toBeGreaterThan(0)
  })
})

describe("anchors", () => {
  it("are dialled first, for blocks alone, and each once", () => {
    const anchors = [node("50.1.1.1:8333"), node("51.1.1.1:8333")]
    const town = townOf(30, { anchors })
    town.answers = (endpoint) => !endpoint.startsWith("5")
    town.elapse(MINUTE)
    const dials = town.all("Dial")
    expect(dials.slice(0, 2).map(({ endpoint, kind }) => [endpoint, kind])).toEqual([
      ["51.1.1.1:8333", "block-relay-only"],
      ["50.1.1.1:8333", "block-relay-only"]
    ])
    expect(dials.filter(({ endpoint }) => endpoint.startsWith("5")).length).toBe(2)
  })

  it("are the block-relay-only peers of now, also when they have just left", () => {
    const town = townOf(30)
    town.elapse(10_000)
    const last = town.all("AnchorsChanged").at(-1)?.anchors ?? []
    const block = town.connectedAs("block-relay-only")
    expect(new Set(last.map(({ address }) => address.join(".")))).toEqual(
      new Set(block.map((text) => text.split(":")[0]))
    )
    const changes = town.all("AnchorsChanged").length
    for (const endpoint of block) town.close(town.peerAt(endpoint))
    expect(town.all("AnchorsChanged").length).toBe(changes)
  })
})

describe("feelers", () => {
  it("go out every two minutes or so once all places are taken, and test whom a newcomer would replace", () => {
    const town = townOf(60)
    town.book.collision = { ...node("77.1.1.1:8333"), services: 1n, lastTry: UnixSeconds(0) }
    town.elapse(10_000)
    expect(town.all("Dial").some(({ kind }) => kind === "feeler")).toBe(false)
    town.elapse(100 * FEELER_INTERVAL_MS)
    const feelers = town.all("Dial").filter(({ kind }) => kind === "feeler")
    expect(feelers.length).toBeGreaterThan(60)
    expect(feelers.length).toBeLessThan(150)
    expect(feelers.every(({ endpoint }) => endpoint === "77.1.1.1:8333")).toBe(true)
  })
})

describe("one peer more than wanted", () => {
  it("is dialled when the tip is stale, and then whoever told of blocks longest ago goes", () => {
    const town = townOf(60)
    town.elapse(MINUTE)
    const before = town.connectedAs("outbound-full-relay")
    for (const endpoint of before.slice(0, 7)) town.input({ _tag: "BlockAnnounced", peer: town.peerAt(endpoint) })
    town.input({ _tag: "TipStale", isStale: true })
    town.elapse(1000)
    expect(town.connectedAs("outbound-full-relay").length).toBe(9)
    const newest = town.connectedAs("outbound-full-relay").find((endpoint) => !before.includes(endpoint)) ?? ""
    town.input({ _tag: "BlockAnnounced", peer: town.peerAt(newest) })
    town.elapse(2 * EXTRA_PEER_CHECK_INTERVAL_MS)
    expect(town.all("LetGo")).toEqual([{ _tag: "LetGo", peer: town.peerAt(before[7] ?? ""), because: "extra" }])
    town.elapse(10 * MINUTE)
    expect(town.all("LetGo").length).toBe(1)
  })

  it("costs nobody the connection who is protected, has blocks on their way, or is the last on a network", () => {
    const town = townOf(60, { maxFullRelay: 2 })
    town.elapse(MINUTE)
    const [first = "", second = ""] = town.connectedAs("outbound-full-relay")
    town.input({ _tag: "Protected", peer: town.peerAt(first) })
    town.input({ _tag: "BlocksInFlight", peer: town.peerAt(second), count: 1 })
    town.book.drawn.splice(0, Infinity)
    town.book.know("[2a00::1]:8333")
    town.input({ _tag: "TipStale", isStale: true })
    town.elapse(10 * MINUTE)
    expect(town.connectedAs("outbound-full-relay").length).toBe(3)
    expect(town.all("LetGo")).toEqual([])
  })

  it("rotates those for blocks alone once the chain is near the present, and the youngest goes unless it was of more use", () => {
    const town = townOf(200)
    town.elapse(60 * MINUTE)
    expect(town.all("LetGo")).toEqual([])
    const [kept = ""] = town.connectedAs("block-relay-only")
    town.input({ _tag: "NearTip" })
    town.elapse(5 * 60 * MINUTE)
    expect(town.all("LetGo").length).toBeGreaterThan(20)
    expect(town.connectedAs("block-relay-only")).toContain(kept)
    expect(town.connectedAs("block-relay-only").length).toBeLessThanOrEqual(3)
  })

  it("is dialled on a network on which there is nobody", () => {
    const town = townOf(60)
    town.elapse(MINUTE)
    for (let i = 0; i < 3; i++) town.book.know(`[2a0${i}::1]:8333`)
    town.book.drawn.reverse()
    town.elapse(120 * MINUTE)
    const peers = [...town.connectedAs("outbound-full-relay"), ...town.connectedAs("block-relay-only")]
    expect(peers.some((endpoint) => endpoint.startsWith("["))).toBe(true)
  })
})

describe("nodes that are dialled for their addresses", () => {
  it("are two at a time, and of those that wait the oldest make room", () => {
    const town = new Town()
    for (let i = 0; i < 100; i++)
      town.input({ _tag: "DialOnce", endpoint: `seed-${i}.example:8333`, kind: "addr-fetch" })
    expect(town.connectedAs("addr-fetch").length).toBe(MAX_ADDR_FETCHES)
    for (let i = 0; i < 100; i++)
      for (const endpoint of town.connectedAs("addr-fetch")) town.close(town.peerAt(endpoint))
    const dials = town.all("Dial").map(({ endpoint }) => endpoint)
    expect(dials.length).toBe(MAX_WAITING_DIALS + MAX_ADDR_FETCHES)
    expect(dials.at(-1)).toBe("seed-99.example:8333")
    expect(town.manager.isEmpty).toBe(true)
  })
})

describe("a network that is switched off", () => {
  it("has no connection and takes none, and all come back with it", () => {
    const town = townOf(30)
    town.input({ _tag: "Keep", endpoint: "friend.example:8333" })
    town.elapse(10_000)
    town.arrive("9.9.9.9:1000")
    town.input({ _tag: "NetworkActive", isActive: false })
    expect(town.manager.isEmpty).toBe(true)
    expect(town.manager.nextTimeout()).toBeUndefined()
    town.arrive("9.9.9.9:1001")
    expect(town.all("Refused").length).toBe(1)
    town.input({ _tag: "NetworkActive", isActive: true })
    town.elapse(20_000)
    expect(town.connectedAs("outbound-full-relay").length).toBe(8)
    expect(town.connectedAs("manual")).toEqual(["friend.example:8333"])
  })
})

describe("whatever happens", () => {
  it("no more places are taken than there are, no group has two, and nothing is left when all are gone", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = ChaChaRandom.fromNumber(seed)
      const town = townOf(40, { random: ChaChaRandom.fromNumber(1000 + seed), maxInbound: 8 })
      for (let i = 0; i < 10; i++) town.book.know(`11.1.${i}.9:8333`)
      town.answers = () => random.below(3) > 0
      for (let step = 0; step < 300; step++) {
        const slots = town.manager.snapshot()
        const any = slots[random.below(Math.max(1, slots.length))]?.peer
        const act = random.below(10)
        if (act < 3) town.arrive(`${60 + random.below(100)}.1.1.1:${1000 + step}`)
        else if (act < 5 && any !== undefined) town.close(any, { cost: act === 3 ? "disconnect" : "discourage" })
        else if (act === 5) town.input({ _tag: "TipStale", isStale: random.below(2) === 0 })
        else if (act === 6) town.input({ _tag: "NearTip" })
        else if (act === 7 && any !== undefined) town.input({ _tag: "UsefulBlock", peer: any })
        else town.elapse(random.below(120_000))
        const kinds = town.manager.snapshot().map(({ kind }) => kind)
        const countOf = (wanted: string): number => kinds.filter((kind) => kind === wanted).length
        expect(countOf("outbound-full-relay")).toBeLessThanOrEqual(9)
        expect(countOf("block-relay-only")).toBeLessThanOrEqual(3)
        expect(countOf("feeler")).toBeLessThanOrEqual(1)
        expect(countOf("inbound")).toBeLessThanOrEqual(8)
        const groups = town.manager
          .snapshot()
          .filter(({ kind }) => kind === "outbound-full-relay" || kind === "block-relay-only")
          .map(({ endpoint }) => endpoint.split(".").slice(0, 2).join("."))
        expect(new Set(groups).size).toBe(groups.length)
      }
      town.input({ _tag: "NetworkActive", isActive: false })
      expect(town.manager.isEmpty).toBe(true)
      expect(town.manager.snapshot()).toEqual([])
    }
  })
})
