import type { NodeOptions } from "@satwire/node"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { parseConfigFile } from "../src/config/ConfigFile.ts"
import { resolveSettings } from "../src/config/Settings.ts"
import { type NodePlan, planNode } from "../src/node/NodePlan.ts"

const planned = (text: string): Result.Result<NodePlan, { readonly message: string }> => {
  const file = Result.getOrThrow(parseConfigFile(text, "x.conf"))
  const resolution = Result.getOrThrow(resolveSettings({ command: "node", flags: {}, environment: {}, file }))
  return planNode(resolution, "::")
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

  it("offers no services on any network, and announces blocks on regtest alone", () => {
    for (const network of ["mainnet", "testnet3", "testnet4", "signet", "regtest"]) {
      const { roles, services } = optionsOf(`network=${network}`)
      expect(services).toBe(0n)
      expect(roles.headers?.announce).toBe(network === "regtest")
    }
  })

  it("says what is not validated, and what to do without peers", () => {
    const advice =
      "Finding peers by itself comes in a later release: name one with --connect=host:port, or let others connect to this one."
    expect(Result.getOrThrow(planned("")).notices).toEqual([
      { level: "Warn", text: expect.stringContaining("validates headers only") },
      { level: "Info", text: advice }
    ])
    expect(Result.getOrThrow(planned("connect=a")).notices).toHaveLength(1)
    const [notice] = Result.getOrThrow(planned("regtest=1")).notices
    expect(notice).toEqual({ level: "Info", text: expect.stringContaining("does not offer NODE_NETWORK") })
  })

  it("has the least work that somebody asked for", () => {
    expect(optionsOf("minimumchainwork=1f").params.minimumChainWork).toBe(31n)
    expect(optionsOf("").params.minimumChainWork).toBeGreaterThan(1n << 80n)
  })

  it("names itself with the comments that were asked for", () => {
    expect(optionsOf("uacomment=a\nuacomment=b c").userAgent).toMatch(/^\/satwire:[\d.]+\(a; b c\)\/$/)
  })

  it("leaves eleven connections for outbound ones", () => {
    expect(optionsOf("maxconnections=40").maxInbound).toBe(29)
    expect(optionsOf("maxconnections=5").maxInbound).toBe(0)
  })
})
