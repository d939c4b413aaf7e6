import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe } from "vitest"
import { hosted } from "../src/compliance/Case.ts"
import {
  Dialer,
  type DialerShape,
  MemoryNetwork,
  type RoutesGiven,
  dialerByNetwork,
  endpointNetwork,
  routesOf
} from "../src/index.ts"

const ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
const I2P = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"

describe("the network of an endpoint", () => {
  it.each([
    ["8.8.8.8", "ipv4"],
    ["2a02:2f0d::1", "ipv6"],
    ["fc32:17ea:e415:c3bf:9808:149d:b5a2:c9aa", "cjdns"],
    [ONION, "torv3"],
    [`${ONION}.`, "torv3"],
    ["misspelt.onion", "torv3"],
    [I2P, "i2p"],
    ["stats.i2p", "i2p"],
    ["127.0.0.1", "unroutable"],
    ["192.168.1.1", "unroutable"],
    ["0.0.0.0", "unroutable"],
    ["::1", "unroutable"],
    ["fe80::1%eth0", "unroutable"],
    ["fd00::1", "unroutable"],
    ["localhost", "name"],
    ["seed.example", "name"],
    ["onion", "name"],
    ["onion.example", "name"]
  ] as const)("of %s is %s", (host, network) => expect(endpointNetwork({ host, port: 8333 })).toBe(network))
})

describe("the ways that settings open", () => {
  const ways = (given: Omit<RoutesGiven<string>, "direct">): string => {
    const { unroutable, ipv4, ipv6, cjdns, name, torv3, i2p } = routesOf({ direct: "tcp", ...given })
    return [unroutable, ipv4, ipv6, cjdns, name, torv3 ?? "-", i2p ?? "-"].join(" ")
  }

  // near, IPv4, IPv6, CJDNS, names, Tor, I2P
  it.each([
    ["nothing", {}, "tcp tcp tcp tcp tcp - -"],
    ["-proxy", { proxy: "proxy" }, "tcp proxy proxy tcp proxy proxy -"],
    ["-proxy -onion", { proxy: "proxy", onion: "tor" }, "tcp proxy proxy tcp proxy tor -"],
    ["-proxy -noonion", { proxy: "proxy", onion: "none" }, "tcp proxy proxy tcp proxy - -"],
    ["-onion", { onion: "tor" }, "tcp tcp tcp tcp tcp tor -"],
    ["-i2psam", { i2p: "sam" }, "tcp tcp tcp tcp tcp - sam"],
    ["-proxy -i2psam", { proxy: "proxy", i2p: "sam" }, "tcp proxy proxy tcp proxy proxy sam"],
    ["-proxy -cjdnsreachable", { proxy: "proxy", isCjdnsReachable: true }, "tcp proxy proxy proxy proxy proxy -"]
  ] as const)("by %s", (_, given, expected) => expect(ways(given)).toBe(expected))
})

describe("a dialer by network", () => {
  it.effect("takes the way of each network, and none where there is none", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const near = Context.get(yield* Layer.build(MemoryNetwork.host("10.0.0.1")), Dialer)
      const far = yield* Layer.build(MemoryNetwork.host("10.0.0.2"))
      const { listening } = yield* hosted("10.0.0.2").pipe(Effect.provideContext(far))
      const way = (name: string): DialerShape => ({
        connections: near.connections,
        dial: (endpoint, options) => {
          asked.push(`${name} ${endpoint.host}`)
          return near.dial(listening.endpoint, options)
        }
      })
      const [direct, proxy] = [way("direct"), way("proxy")]
      const { dial, connections } = dialerByNetwork(routesOf({ direct, proxy }))
      for (const host of ["8.8.8.8", "seed.example", "127.0.0.1", ONION]) yield* dial({ host, port: 8333 })
      expect(asked).toEqual(["proxy 8.8.8.8", "proxy seed.example", "direct 127.0.0.1", `proxy ${ONION}`])
      // Both count the same four.
      expect(connections()).toBe(8)
      const error = yield* Effect.flip(dial({ host: I2P, port: 0 }))
      expect(error).toMatchObject({
        reason: "NoRoute",
        message: `Nothing here leads to ${I2P}:0: no I2P router is set.`
      })
    }).pipe(Effect.provide(MemoryNetwork.layer()), Effect.scoped)
  )
})
