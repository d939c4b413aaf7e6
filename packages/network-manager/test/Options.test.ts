/** What becomes of options, without a network. */
import { describe, expect, it } from "vitest"
import { NetworkError, type NetworkOptions } from "../src/index.ts"
import { type Settings, settingsOf } from "../src/NetworkOptions.ts"
import { discoveryOf } from "../src/Running.ts"

const settings = (options: NetworkOptions): Settings => {
  const judged = settingsOf(options)
  if (judged instanceof NetworkError) throw judged
  return judged
}

describe("the hash table", () => {
  it("has private addresses in development, and where it is told to", () => {
    const hasPrivate = (options: NetworkOptions) => discoveryOf(settings(options)).dht?.privateAddresses
    expect(hasPrivate({ dht: "server" })).toBe(true)
    expect(hasPrivate({ dht: "server", preset: "production" })).toBe(false)
    expect(hasPrivate({ dht: { mode: "client", privateAddresses: true }, preset: "production" })).toBe(true)
  })
})

describe("limits of the node", () => {
  it("let many of one host in at once in development, and are what they are told to be", () => {
    expect(settings({}).limits).toEqual({ maxPending: 128, maxPerHostASecond: 32 })
    expect(settings({ node: { limits: { maxPending: 1 } } }).limits).toEqual({ maxPending: 1, maxPerHostASecond: 32 })
    expect(settings({ preset: "production" }).limits).toEqual({})
  })
})

describe("options that cannot be", () => {
  it.each<[string, object]>([
    ['there is no preset "toString"', { preset: "toString" }],
    ["maxPeers is 0, which is no whole number from 1", { maxPeers: 0 }],
    ["maxOutbound is 1.5, which is no whole number from 0", { maxOutbound: 1.5 }],
    ["pingIntervalMs is 2147483648, which is no whole number from 1 to 1073741824", { pingIntervalMs: 2 ** 31 }],
    ["redialMs.first is 0, which is no whole number from 1", { redialMs: { first: 0, longest: 0 } }],
    ["redialMs.longest is 5, which is no whole number from 10", { redialMs: { first: 10, longest: 5 } }],
    ["redialMs.longest is NaN", { redialMs: { first: 10, longest: Number.NaN } }],
    ["scoring.banMs is -5, which is no whole number from 1", { scoring: { banMs: -5 } }],
    ['dht is "foo", and may be', { dht: "foo" }],
    ["dht is true, and may be", { dht: true }],
    ["dht is null, and may be", { dht: null }],
    ['dht is {"mode":"both"}, and may be', { dht: { mode: "both" } }],
    [
      'listen: "/ip4/127.0.0.1/udp/0/quic-v1" is for none of node.transports: tcp',
      { listen: ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] }
    ],
    ['listen: "/ip4/127.0.0.1/tcp/0/ws" is for', { listen: ["/ip4/127.0.0.1/tcp/0/ws"] }]
  ])("are refused: %s", (sentence, options) => {
    expect(() => settings(options)).toThrow(sentence)
  })

  it("are told from those that can", () => {
    const listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/tls/ws", "/ip4/127.0.0.1/udp/0/quic-v1"]
    settings({ listen, node: { transports: ["tcp", "websocket", "quic"] } })
    settings({ listen: ["/memory/1"], node: { transports: ["memory"] }, maxInbound: 0, fewPeers: 0 })
  })
})

describe("maxPeers alone", () => {
  it("has as many in and out as the preset, or more in its proportion, and never more than there are", () => {
    expect(settings({ maxPeers: 500 })).toMatchObject({ maxInbound: 400, maxOutbound: 100 })
    expect(settings({ maxPeers: 500, maxOutbound: 20 })).toMatchObject({ maxInbound: 400, maxOutbound: 20 })
    expect(settings({ maxPeers: 20 })).toMatchObject({ maxInbound: 20, maxOutbound: 10 })
  })
})
