import { ChaChaRandom } from "@satwire/crypto"
import { type NodeAddress, formatNode } from "@satwire/netaddress"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type AddressedPeer,
  LOCAL_SCORES,
  LocalAddresses,
  type LocalAddressesOptions,
  MAX_LOCAL_ADDRESSES
} from "../src/index.ts"
import { node, nth, onion } from "./Known.ts"
import { naiveBest } from "./NaiveReachability.ts"

const EVERYWHERE: ReadonlySet<NodeAddress["network"]> = new Set(["ipv4", "ipv6", "torv3", "i2p", "cjdns"])

const locals = (change: Partial<LocalAddressesOptions> = {}): LocalAddresses =>
  new LocalAddresses({
    random: ChaChaRandom.fromNumber(1),
    reachable: EVERYWHERE,
    discovers: true,
    port: 8333,
    ...change
  })

const peer = (host: string | NodeAddress, change: Partial<AddressedPeer> = {}): AddressedPeer => ({
  host: typeof host === "string" ? node(host) : host,
  isInbound: false,
  network: undefined,
  seenAs: undefined,
  ...change
})

const told = (own: LocalAddresses, to: AddressedPeer): string | undefined => {
  const address = own.forPeer(to)
  return address === undefined ? undefined : formatNode(address)
}

const I2P: NodeAddress = { network: "i2p", address: new Uint8Array(32).fill(3), port: 0 }
const [IPV4, IPV6, TEREDO, TUNNEL, CJDNS] = [
  "21.1.1.1",
  "[2a00::1]",
  "[2001:0:1::1]",
  "[2002:1501:101::1]",
  "[fc00::1]"
]

describe("our own addresses", () => {
  it("are those that the public network leads to, on networks that we are on", () => {
    const own = locals({ reachable: new Set(["ipv4", "cjdns"]) })
    expect(own.add(node("192.168.1.1"), "interface")).toBe(false)
    expect(own.add(node("127.0.0.1"), "manual")).toBe(false)
    expect(own.add(node(IPV6), "interface")).toBe(false)
    expect(own.add(node(IPV4), "interface")).toBe(true)
    expect(own.list()).toEqual([{ node: node(IPV4), score: LOCAL_SCORES.interface }])
    expect([own.has(node(IPV4)), own.has({ ...node(IPV4), address: Uint8Array.of(1, 1, 1, 1) })]).toEqual([true, false])
  })

  it("of CJDNS are known as such, though an interface has them as IPv6", () => {
    const own = locals()
    const { address, port } = node(CJDNS)
    expect(own.add({ network: "ipv6", address, port }, "interface")).toBe(true)
    expect(own.list()[0]?.node.network).toBe("cjdns")
  })

  it("count only where our user names them, when nothing is to be discovered", () => {
    const own = locals({ discovers: false })
    expect([own.add(node(IPV4), "mapped"), own.add(node(IPV4), "manual")]).toEqual([false, true])
  })

  it("are as sure as the surest that says so, and one more for each that agrees", () => {
    const own = locals()
    own.add(node(`${IPV4}:8333`), "manual")
    own.add(node(`${IPV4}:9999`), "interface")
    expect(own.list()).toEqual([{ node: node(`${IPV4}:8333`), score: 4 }])
    own.add(node(`${IPV4}:7777`), "manual")
    expect(own.list()).toEqual([{ node: node(`${IPV4}:7777`), score: 5 }])
    own.seen(node(`${IPV4}:1`))
    own.seen(node("21.9.9.9"))
    expect(own.list()).toEqual([{ node: node(`${IPV4}:7777`), score: 6 }])
    own.remove(node(IPV4))
    expect(own.list()).toEqual([])
  })

  it("are kept, whatever becomes of the bytes that were handed in", () => {
    const own = locals()
    const address = Uint8Array.of(21, 1, 1, 1)
    own.add({ network: "ipv4", address, port: 8333 }, "interface")
    address.fill(9)
    expect(own.list()[0]?.node).toEqual(node(IPV4))
  })

  it("are at most 64", () => {
    const own = locals()
    for (let i = 0; i < 100; i++) own.add(nth(i), "interface")
    expect(own.list()).toHaveLength(MAX_LOCAL_ADDRESSES)
    expect(own.add(nth(1), "manual")).toBe(true)
  })
})

describe("what a peer is told of them", () => {
  it("is nothing where we do not listen, or know of none", () => {
    const deaf = locals({ port: undefined })
    deaf.add(node(IPV4), "manual")
    expect(told(deaf, peer("9.9.9.9", { seenAs: node("8.8.8.8") }))).toBeUndefined()
    expect(told(locals(), peer("9.9.9.9"))).toBeUndefined()
  })

  it("is the one that it reaches best, and of equals the surest", () => {
    const own = locals()
    for (const text of [TEREDO, TUNNEL, IPV4, IPV6, CJDNS]) own.add(node(text), "interface")
    const to = (text: string): string | undefined => told(own, peer(text))
    expect(to("9.9.9.9")).toBe(`${IPV4}:8333`)
    expect(to("[2a01::9]")).toBe(`${IPV6}:8333`)
    expect(to("[2001:0:9::9]")).toBe(`${IPV4}:8333`)
    expect(to("[fc00::9]")).toBe(`${CJDNS}:8333`)
    own.remove(node(IPV6))
    // A tunnel is worse than IPV4.
    expect(to("[2a01::9]")).toBe(`${IPV4}:8333`)
    own.remove(node(IPV4))
    expect(to("[2a01::9]")).toBe(`${TUNNEL}:8333`)
    own.add(node("[2002:1501:102::1]"), "manual")
    expect(to("[2a01::9]")).toBe("[2002:1501:102::1]:8333")
  })

  it("is to somebody of whom no place is known what most can reach", () => {
    for (const to of [peer("192.168.1.2"), { ...peer(IPV4), host: undefined }, peer("[2001:0:9::9]")]) {
      const own = locals()
      const best = [CJDNS, TEREDO, IPV6, IPV4].map((text) => {
        own.add(node(text), "interface")
        return told(own, to)
      })
      expect(best).toEqual([CJDNS, TEREDO, IPV6, IPV4].map((text) => `${text}:8333`))
    }
  })

  it("is on the networks that hide their users the one of that network, and it is told on no other", () => {
    const own = locals()
    own.add(onion(1), "manual")
    own.add(I2P, "manual")
    expect(told(own, peer("9.9.9.9"))).toBeUndefined()
    expect(told(own, peer(I2P))).toBe(formatNode(I2P))
    own.add(node(IPV4), "interface")
    expect(told(own, peer("9.9.9.9"))).toBe(`${IPV4}:8333`)
    expect(told(own, peer(onion(2)))).toBe(formatNode(onion(1)))
    // Who comes in through our onion service comes from loopback.
    expect(told(own, peer("127.0.0.1", { isInbound: true, network: "torv3" }))).toBe(formatNode(onion(1)))
    own.remove(onion(1))
    expect(told(own, peer(onion(2)))).toBeUndefined()
  })

  it("is what Core's code would choose, whatever we have and wherever the peer is", () => {
    const anywhere = fc.oneof(
      fc
        .constantFrom(IPV4, "21.2.2.2", IPV6, "[2a00::2]", TEREDO, TUNNEL, "[64:ff9b::1501:101]", CJDNS, "10.0.0.1")
        .map(node),
      fc.constantFrom(onion(1), onion(2), I2P)
    )
    const someone = fc.record({
      host: fc.option(anywhere, { nil: undefined }),
      isInbound: fc.boolean(),
      network: fc.option(fc.constantFrom("torv3" as const), { nil: undefined }),
      seenAs: fc.constant(undefined)
    })
    const ours = fc.array(fc.tuple(anywhere, fc.constantFrom("interface", "bind", "mapped", "manual")), {
      maxLength: 8
    })
    fc.assert(
      fc.property(ours, someone, (ours, to) => {
        const own = locals()
        for (const [address, origin] of ours) own.add(address, origin)
        const best = naiveBest(own.list(), to)
        const choice = own.forPeer(to)
        if (choice === undefined) expect(best).toEqual([])
        else expect(best).toContainEqual(choice)
      }),
      { numRuns: 500 }
    )
  })

  it("is what it says itself, with our port where we dialled, while we know of none", () => {
    const own = locals({ port: 18_333 })
    const seenAs = node("8.8.8.8:4321")
    expect(told(own, peer("9.9.9.9", { seenAs }))).toBe("8.8.8.8:18333")
    expect(told(own, peer("9.9.9.9", { seenAs, isInbound: true }))).toBe("8.8.8.8:4321")
    // From a private network nobody sees where we are.
    expect(told(own, peer("192.168.1.2", { seenAs }))).toBeUndefined()
    expect(told(own, peer("9.9.9.9", { seenAs: node("10.1.1.1") }))).toBeUndefined()
    expect(told(locals({ discovers: false }), peer("9.9.9.9", { seenAs }))).toBeUndefined()
    expect(told(locals({ reachable: new Set(["torv3"]) }), peer("9.9.9.9", { seenAs }))).toBeUndefined()
    expect(told(own, peer("9.9.9.9", { host: undefined, seenAs }))).toBeUndefined()
  })

  it.each([
    ["half of the time", "manual", 0, 0.5],
    ["one time in eight where others agree with us", "manual", 1, 0.125]
  ] as const)("is what it says itself %s", (_, origin, votes, share) => {
    const own = locals()
    own.add(node(IPV4), origin)
    for (let i = 0; i < votes; i++) own.seen(node(IPV4))
    let itself = 0
    for (let i = 0; i < 4000; i++)
      if (told(own, peer("9.9.9.9", { seenAs: node("8.8.8.8") })) === "8.8.8.8:8333") itself++
    expect(itself / 4000).toBeGreaterThan(share - 0.03)
    expect(itself / 4000).toBeLessThan(share + 0.03)
  })
})
