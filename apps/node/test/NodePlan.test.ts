import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import type { NetworkAddr } from "@satwire/netaddress"
import type { NodeOptions } from "@satwire/node"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { parseConfigFile } from "../src/config/ConfigFile.ts"
import { resolveSettings } from "../src/config/Settings.ts"
import { type NodePlan, planNode } from "../src/node/NodePlan.ts"

const HERE: NetworkAddr = { network: "ipv4", address: Uint8Array.of(77, 1, 2, 3) }

const planned = (text: string): Result.Result<NodePlan, { readonly message: string }> => {
  const file = Result.getOrThrow(parseConfigFile(text, "x.conf"))
  const resolution = Result.getOrThrow(resolveSettings({ command: "node", flags: {}, environment: {}, file }))
  return planNode(resolution, { anyAddress: "::", interfaces: [HERE] })
}

const optionsOf = (text: string): NodeOptions => Result.getOrThrow(planned(text)).options
const listens = (text: string): NodeOptions["listen"] => optionsOf(text).listen

describe("what a node is started with", () => {
  it("is mainnet, listening everywhere on its port, unless somebody says otherwise", () => {
    expect(optionsOf("")).toMatchObject({
      params: { name: "mainnet" },
      connect: [],
      listen: { host: "::", port: 8333 },
      maxInbound: 114,
      dialTimeoutMs: 5000
    })
  })

  it("listens as Core would: not with connect, but with bind, and always as listen says", () => {
    expect(listens("connect=a")).toBeUndefined()
    expect(listens("noconnect=1")).toBeUndefined()
    expect(listens("connect=a\nlisten=1")).toEqual({ host: "::", port: 8333 })
    expect(listens("connect=a\nbind=127.0.0.1")).toEqual({ host: "127.0.0.1", port: 8333 })
    expect(listens("bind=[::1]:7\nport=5")).toEqual({ host: "::1", port: 7 })
    expect(listens("bind=::1\nport=5")).toEqual({ host: "::1", port: 5 })
    expect(listens("proxy=127.0.0.1")).toBeUndefined()
    expect(listens("proxy=0")).toEqual({ host: "::", port: 8333 })
    expect(listens("onion=127.0.0.1")).toEqual({ host: "::", port: 8333 })
    expect(listens("proxy=127.0.0.1\nbind=127.0.0.1")).toEqual({ host: "127.0.0.1", port: 8333 })
    expect(listens("listen=0")).toBeUndefined()
    expect(Result.isFailure(planned("listen=0\nbind=127.0.0.1"))).toBe(true)
  })

  it("listens wherever bind and whitebind say, at an onion's own port behind the node's, which no address of ours has", () => {
    const { addresses, alsoListen, listen, socketPermissions } = optionsOf(
      "bind=127.0.0.1=onion\nbind=10.0.0.1\nwhitebind=noban@0.0.0.0:7\nwhitebind=download@[::1]:9"
    )
    expect([listen, ...(alsoListen ?? [])]).toEqual([
      { host: "10.0.0.1", port: 8333 },
      { host: "0.0.0.0", port: 7 },
      { host: "::1", port: 9 },
      { host: "127.0.0.1", port: 8334 }
    ])
    expect(socketPermissions).toEqual([
      { socket: ":7", permissions: new Set(["noban", "download"]) },
      { socket: "[::1]:9", permissions: new Set(["download"]) }
    ])
    expect(addresses?.local?.map(({ node }) => node.port)).toEqual([8333])
    expect(optionsOf("bind=127.0.0.1=onion").addresses?.local).toEqual([])
    expect(listens("connect=a\nwhitebind=10.0.0.1")).toEqual({ host: "10.0.0.1", port: 8333 })
  })

  it("talks to nobody without networkactive, whoever was named", () => {
    const { addresses, connect, listen } = optionsOf("networkactive=0\naddnode=a\nbind=127.0.0.1\nseednode=b")
    expect([connect, listen, addresses?.isAutomatic]).toEqual([[], undefined, false])
  })

  it("gives the node what it should wait for and how much it may send", () => {
    const { patience, uploadTargetBytes } = optionsOf("peertimeout=9\npinginterval=7\nmaxuploadtarget=5k")
    expect([patience, uploadTargetBytes]).toEqual([{ connectMs: 9000, pingIntervalMs: 7000 }, 5000])
    expect(optionsOf("").uploadTargetBytes).toBeUndefined()
    expect(optionsOf("maxuploadtarget=1").uploadTargetBytes).toBe(1024 * 1024)
  })

  it("changes what holds from when on regtest, and the challenge of signet with its magic", () => {
    const rules = ["segwit@5", "bip34@6", "dersig@7", "cltv@8", "csv@9"].map((rule) => `testactivationheight=${rule}`)
    expect(optionsOf(["regtest=1", ...rules].join("\n")).params).toMatchObject({
      segwit: { _tag: "Buried", height: 5 },
      bip34Height: 6,
      bip66Height: 7,
      bip65Height: 8,
      csv: { _tag: "Buried", height: 9 }
    })
    const shared = optionsOf("signet=1").params
    const own = optionsOf(`signet=1\nsignetchallenge=${shared.signetChallenge}`).params
    expect([own.magic, own.dnsSeeds, own.minimumChainWork]).toEqual([shared.magic, [], 0n])
    expect(optionsOf("signet=1\nsignetchallenge=51").params.magic).not.toBe(shared.magic)
    expect(Result.isFailure(planned("signetchallenge=51"))).toBe(true)
  })

  it("takes the network's port for peers that have none", () => {
    expect(optionsOf("testnet4=1\n[testnet4]\nconnect=a\nconnect=[2001:db8::1]:9").connect).toEqual([
      { host: "a", port: 48_333 },
      { host: "2001:db8::1", port: 9 }
    ])
    // Where I2P has no other port than 0.
    expect(optionsOf("connect=a.b32.i2p\nconnect=b.i2p:0").connect).toEqual([
      { host: "a.b32.i2p", port: 0 },
      { host: "b.i2p", port: 0 }
    ])
  })

  it("offers blocks and announces them on regtest alone, whatever it has of them", () => {
    for (const network of ["mainnet", "testnet3", "testnet4", "signet"]) {
      for (const blocks of ["", "\nfetchblocks=1", "\nprune=550"]) {
        const { roles, services } = optionsOf(`network=${network}${blocks}`)
        expect([services, roles.headers?.announce]).toEqual([0n, false])
      }
    }
    expect(optionsOf("regtest=1").roles.headers?.announce).toBe(true)
    const offered = (text: string): bigint => optionsOf(`regtest=1\n[regtest]\n${text}`).services
    expect(offered("")).toBe(NODE_NETWORK | NODE_NETWORK_LIMITED | NODE_WITNESS)
    expect(offered("prune=550")).toBe(NODE_NETWORK_LIMITED | NODE_WITNESS)
    for (const part of ["fetchblocks=0", "blocksfrom=1", "blocksfrom=2024-01-01", "blocksto=9"]) {
      expect(offered(part)).toBe(0n)
    }
  })

  it("fetches blocks on regtest, and elsewhere where somebody says so, or which", () => {
    const blocks = (text: string) => optionsOf(text).blocks
    expect(blocks("")).toBeUndefined()
    expect(blocks("regtest=1")).toEqual({
      matching: undefined,
      from: undefined,
      fromTime: undefined,
      to: undefined,
      pruneBytes: undefined,
      serve: true
    })
    expect(blocks("regtest=1\nfetchblocks=0")).toBeUndefined()
    expect(blocks("fetchblocks=1")).toBeDefined()
    expect(blocks("prune=0")).toBeUndefined()
    expect(blocks("prune=550")?.pruneBytes).toBe(550 * 1024 * 1024)
    expect(blocks("prune=1")?.pruneBytes).toBe(Infinity)
    expect(blocks("blocksfrom=840000\nblocksto=840100")).toMatchObject({ from: 840_000, to: 840_100 })
    expect(blocks("blocksfrom=2024-04-20")?.fromTime).toBe(1_713_571_200)
  })

  it("fetches blocks for addresses alone where some are given, and compares the filters of as many peers as there can be", () => {
    const address = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"
    const script = Uint8Array.from([0, 20, ...new Uint8Array(20)])
    const { blocks, services } = optionsOf(`regtest=1\n[regtest]\nblocksfor=${address}`)
    expect(blocks).toMatchObject({ matching: { scripts: [script] }, serve: false })
    expect(blocks?.matching).not.toHaveProperty("leastPeers")
    expect(services).toBe(0n)
    const alone = optionsOf(`regtest=1\n[regtest]\nconnect=a\nblocksfor=${address}`).blocks
    expect(alone?.matching?.leastPeers).toBe(1)
    const refused = (text: string): string => {
      const plan = planned(text)
      return Result.isFailure(plan) ? plan.failure.message : ""
    }
    expect(refused(`regtest=1\n[regtest]\nblocksfor=${address}\nprune=550`)).toMatch(/give one of them/)
    for (const blocks of ["fetchblocks=0\nprune=550", "blocksfrom=10\nblocksto=5"]) {
      expect(refused(blocks)).toMatch(/^(?:fetchblocks is 0, but|blocksfrom is 10 and blocksto 5)/)
    }
    expect(refused(`blocksfor=${address}`)).toMatch(/address of another network \(mainnet\)/)
    expect(refused(`regtest=1\n[regtest]\nblocksfor=${address.slice(0, -1)}q`)).toMatch(/checksum does not hold/)
  })

  it("keeps transactions of others on regtest, and elsewhere where somebody says so, and passes them on only there", () => {
    const pool = (text: string) => optionsOf(text).roles.transactions
    expect(pool("regtest=1")).toEqual({ relays: true, fetches: true, maxPoolBytes: 300_000_000 })
    expect(pool("regtest=1\nblocksonly=1")).toMatchObject({ relays: true, fetches: false })
    expect(pool("fetchblocks=1\nblocksonly=1")).toBeUndefined()
    expect(pool("regtest=1\nfetchblocks=0")).toBeUndefined()
    expect(pool("regtest=1\nmaxmempool=5")?.maxPoolBytes).toBe(5_000_000)
    expect([pool(""), pool("fetchblocks=1"), pool("blocksonly=0")]).toEqual([undefined, undefined, undefined])
    expect(pool("fetchblocks=1\nblocksonly=0")?.relays).toBe(false)
  })

  it("says what is not validated, and what to do where nobody is to be found", () => {
    const advice = "Nobody is to be connected to: name one with --connect=host:port."
    expect(Result.getOrThrow(planned("")).notices).toEqual([
      { level: "Warn", text: expect.stringContaining("validates headers only") }
    ])
    expect(Result.getOrThrow(planned("fetchblocks=1")).notices).toEqual([
      {
        level: "Warn",
        text: expect.stringMatching(/^This node checks blocks as far as that needs no coins: .* no service/)
      }
    ])
    expect(Result.getOrThrow(planned("connect=0")).notices.slice(1)).toEqual([{ level: "Info", text: advice }])
    expect(Result.getOrThrow(planned("connect=a")).notices).toHaveLength(1)
    const [notice] = Result.getOrThrow(planned("regtest=1")).notices
    expect(notice).toEqual({ level: "Info", text: expect.stringContaining("needs no coins") })
    const [headers] = Result.getOrThrow(planned("regtest=1\nfetchblocks=0")).notices
    expect(headers).toEqual({ level: "Info", text: expect.stringContaining("does not offer NODE_NETWORK") })
  })

  it("has the least work that somebody asked for", () => {
    expect(optionsOf("minimumchainwork=1f").params.minimumChainWork).toBe(31n)
    expect(optionsOf("").params.minimumChainWork).toBeGreaterThan(1n << 80n)
  })

  it("names itself with the comments that were asked for", () => {
    expect(optionsOf("uacomment=a\nuacomment=b c").userAgent).toMatch(/^\/satwire:[\d.]+\(a; b c\)\/$/)
  })

  it("shares its connections out as Core does", () => {
    const places = (count: number) => {
      const { maxBlockRelayOnly, maxFullRelay, maxInbound } = optionsOf(`maxconnections=${count}`)
      return [maxFullRelay, maxBlockRelayOnly, maxInbound]
    }
    expect(places(125)).toEqual([8, 2, 114])
    expect(places(40)).toEqual([8, 2, 29])
    expect(places(9)).toEqual([8, 1, 0])
    expect(places(5)).toEqual([5, 0, 0])
    expect(optionsOf("maxconnections=0").addresses?.isAutomatic).toBe(false)
  })
})

describe("how it finds peers", () => {
  const finding = (text: string) => optionsOf(text).addresses
  const wrong = (text: string): string => Result.getOrThrow(Result.flip(planned(text))).message

  it("is by itself on a public network, with DNS seeds and Core's services; on regtest whoever there is will do", () => {
    expect(finding("")).toMatchObject({ isAutomatic: true, dnsSeeds: true, wantedServices: undefined })
    expect(finding("regtest=1")).toMatchObject({ isAutomatic: true, wantedServices: 0n })
    expect(finding("forcednsseed=1")?.dnsSeeds).toBe("always")
    expect(finding("dnsseed=0\nforcednsseed=1")?.dnsSeeds).toBe(false)
  })

  it("is not by itself where somebody says to whom it connects, but beside those that are added", () => {
    expect(finding("connect=a")).toMatchObject({ isAutomatic: false, dnsSeeds: false })
    expect(finding("connect=0")).toMatchObject({ isAutomatic: false, dnsSeeds: false })
    expect(finding("connect=a\ndnsseed=1")?.dnsSeeds).toBe(true)
    expect(finding("addnode=a")?.isAutomatic).toBe(true)
    expect(optionsOf("addnode=a\nconnect=b").connect.map(({ host }) => host)).toEqual(["b", "a"])
    expect(finding("seednode=a")?.seedNodes).toEqual([{ host: "a", port: 8333 }])
  })

  it("is on the networks that can be reached, or on those of them that are named", () => {
    expect(finding("")?.networks).toEqual(["ipv4", "ipv6"])
    expect(finding("onion=127.0.0.1\ni2psam=127.0.0.1\ncjdnsreachable=1")?.networks).toEqual([
      "ipv4",
      "ipv6",
      "torv3",
      "i2p",
      "cjdns"
    ])
    expect(finding("proxy=127.0.0.1\nonlynet=onion")).toMatchObject({
      networks: ["torv3"],
      dnsSeeds: false,
      resolvesThroughProxy: true
    })
    expect(finding("onlynet=ipv6")?.networks).toEqual(["ipv6"])
    expect(wrong("onlynet=onion")).toBe("onlynet names onion, but nothing leads there: give --onion or --proxy too")
    expect(wrong("onlynet=i2p\nproxy=127.0.0.1")).toContain("--i2psam")
    expect(wrong("onlynet=onion\nproxy=127.0.0.1\nonion=0")).toContain("--onion")
    expect(wrong("onlynet=onion\nproxy=127.0.0.1\ndnsseed=1")).toContain("DNS seeds know addresses of ipv4 and ipv6")
  })

  it("tells peers of where somebody says that it is, or else of its interfaces", () => {
    expect(finding("")?.local).toEqual([{ node: { ...HERE, port: 8333 }, origin: "interface" }])
    expect(finding("listen=0")?.local).toEqual([])
    expect(finding("proxy=127.0.0.1")).toMatchObject({ local: [], discovers: false })
    expect(finding("externalip=21.1.1.1:9\nexternalip=2a00::1")).toMatchObject({
      discovers: false,
      local: [
        { node: { network: "ipv4", port: 9 }, origin: "manual" },
        { node: { network: "ipv6", port: 8333 }, origin: "manual" }
      ]
    })
  })

  it("lets some do what others may not", () => {
    const [rule] = optionsOf("whitelist=noban,addr@192.168.0.0/16").permissions ?? []
    expect(rule?.permissions).toEqual(new Set(["noban", "download", "addr"]))
  })
})
