import { it } from "@effect/vitest"
import { describeWithProgram, type SocksServer, type SocksServerOptions, socksServer } from "@satwire/testkit"
import { Dialer, type Endpoint } from "@satwire/transport"
import { Observed, Signal, hosted, pattern } from "@satwire/transport/compliance"
import type { SocketAddress } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect } from "vitest"
import { type Socks5Options, layerSocks5 } from "../src/index.ts"
import { microsocks } from "./Microsocks.ts"
import { through } from "./Through.ts"

const ONION = "expyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4.onion"
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"))

/** A dial through a proxy to a listener that it reaches, and a byte there. */
const reached = Effect.fnUntraced(function* (
  options: SocksServerOptions & Pick<Socks5Options, "credentials">,
  dialled: (listening: Endpoint) => Endpoint,
  host = "127.0.0.1"
) {
  const names: Record<string, Endpoint> = {}
  const server = yield* socksServer({ ...options, names })
  const outcome = yield* Effect.gen(function* () {
    const { listening, accepted, signal } = yield* hosted(host)
    const endpoint = dialled(listening.endpoint)
    names[endpoint.host] = listening.endpoint
    const near = new Observed(yield* (yield* Dialer).dial(endpoint), signal)
    near.connection.write(Uint8Array.of(1))
    yield* signal.until(() => accepted[0]?.length === 1)
    expect(near.connection.remote).toEqual(endpoint)
    return endpoint
  }).pipe(Effect.provide(through({ proxy: server.proxy, credentials: options.credentials }), { local: true }))
  return { endpoint: outcome, asked: server.asked }
})

describe("a SOCKS5 dialer", () => {
  it.live.each([ONION, "seed.example", "satwire.b32.i2p", "localhost"])("leaves the name %s to the proxy", (host) =>
    Effect.gen(function* () {
      const { endpoint, asked } = yield* reached({}, ({ port }) => ({ host, port }))
      expect(asked).toMatchObject([{ addressType: 3, host, port: endpoint.port }])
    }).pipe(Effect.scoped)
  )

  it.live("names an IPv4 address as one", () =>
    Effect.gen(function* () {
      const { asked } = yield* reached({}, (endpoint) => endpoint)
      expect(asked).toMatchObject([{ addressType: 1, host: "127.0.0.1" }])
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(!hasIpv6)("names an IPv6 address as one", () =>
    Effect.gen(function* () {
      const { asked } = yield* reached({}, (endpoint) => endpoint, "::1")
      expect(asked).toMatchObject([{ addressType: 4, host: "::1" }])
    }).pipe(Effect.scoped)
  )

  it.live("reaches a proxy on a Unix socket", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "satwire-socks5-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const path = join(folder, "proxy")
      const server = yield* socksServer({ path })
      yield* Effect.gen(function* () {
        const { listening, accepted, signal } = yield* hosted("127.0.0.1")
        const near = new Observed(yield* (yield* Dialer).dial(listening.endpoint), signal)
        near.connection.write(pattern(100_000, 1))
        yield* signal.until(() => accepted[0]?.length === 100_000)
        expect(accepted[0]?.received(pattern(100_000, 1))).toBe(true)
      }).pipe(Effect.provide(through({ proxy: { path } }), { local: true }))
      expect(server.asked.length).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.effect("says which proxy it does not reach", () =>
    Effect.gen(function* () {
      const { proxy } = yield* Effect.scoped(socksServer())
      for (const [address, code] of [
        [proxy, "ECONNREFUSED"],
        [{ path: "/nowhere/proxy" }, "ENOENT"]
      ] as ReadonlyArray<readonly [SocketAddress, string]>) {
        const error = yield* Effect.flip(dialOnce({ proxy: address }, { host: ONION, port: 8333 }))
        expect(error).toMatchObject({ reason: "ProxyUnreachable", code, endpoint: { host: ONION } })
        expect(error.message).toContain("path" in address ? "unix:/nowhere/proxy" : `127.0.0.1:${proxy.port}`)
      }
    })
  )

  it.effect.each([
    [{ host: "a b", port: 1 }, "letters"],
    [{ host: "é", port: 1 }, "letters"],
    [{ host: "a".repeat(256), port: 1 }, "letters"],
    [{ host: "", port: 1 }, "letters"],
    [{ host: "fe80::1%eth0", port: 1 }, "zone"],
    [{ host: "localhost", port: 65_536 }, "port"],
    [{ host: "localhost", port: 1.5 }, "port"]
  ] as const)("does not ask for %j, which it cannot say", ([endpoint, what]) =>
    Effect.gen(function* () {
      const server = yield* socksServer()
      const error = yield* Effect.flip(dialOnce({ proxy: server.proxy }, endpoint))
      expect(error).toMatchObject({ reason: "Other", code: "EINVAL", message: expect.stringContaining(what) })
      expect(server.asked).toEqual([])
    }).pipe(Effect.scoped)
  )
})

const dialOnce = (options: Socks5Options, endpoint: Endpoint) =>
  Effect.gen(function* () {
    const { dial, connections } = yield* Dialer
    const outcome = yield* Effect.result(dial(endpoint))
    expect(connections()).toBe(outcome._tag === "Success" ? 1 : 0)
    return yield* Effect.fromResult(outcome)
  }).pipe(Effect.provide(layerSocks5(options), { local: true }))

describe("the credentials of a dial", () => {
  const dials = Effect.fnUntraced(function* (server: SocksServer, credentials: Socks5Options["credentials"]) {
    const before = server.asked.length
    yield* Effect.gen(function* () {
      const { listening } = yield* hosted("127.0.0.1")
      const { dial } = yield* Dialer
      for (let count = 0; count < 3; count++) yield* dial(listening.endpoint)
    }).pipe(Effect.provide(through({ proxy: server.proxy, credentials }), { local: true }), Effect.scoped)
    return server.asked.slice(before)
  })

  it.live("are others each time, so that Tor takes another circuit", () =>
    Effect.gen(function* () {
      const server = yield* socksServer()
      const first = yield* dials(server, "OnePerDial")
      const second = yield* dials(server, undefined)
      const names = [...first, ...second].map(({ username }) => username ?? "")
      for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}-[0-2]$/)
      expect(new Set(names).size).toBe(6)
      const prefixes = names.map((name) => name.slice(0, 16))
      expect(new Set(prefixes.slice(0, 3)).size).toBe(1)
      expect(prefixes[0]).not.toBe(prefixes[3])
      for (const { username, password } of [...first, ...second]) expect(password).toBe(username)
    }).pipe(Effect.scoped)
  )

  it.live("are the ones that were given, or none", () =>
    Effect.gen(function* () {
      const user = { username: "satwire", password: "ünlikely" }
      const server = yield* socksServer({ user })
      expect(yield* dials(server, user)).toMatchObject([user, user, user])
      const open = yield* socksServer()
      const none = { username: undefined, password: undefined }
      expect(yield* dials(open, "None")).toMatchObject([none, none, none])
    }).pipe(Effect.scoped)
  )

  it.effect("are refused in words that say so", () =>
    Effect.gen(function* () {
      const server = yield* socksServer({ user: { username: "satwire", password: "right" } })
      const { proxy } = server
      for (const [credentials, code] of [
        ["None", "SOCKS5_NO_ACCEPTABLE_METHOD"],
        [{ username: "satwire", password: "wrong" }, "SOCKS5_CREDENTIALS_REFUSED"],
        ["OnePerDial", "SOCKS5_CREDENTIALS_REFUSED"]
      ] as const) {
        const error = yield* Effect.flip(dialOnce({ proxy, credentials }, { host: ONION, port: 8333 }))
        expect(error).toMatchObject({ reason: "ProxyAuthentication", code })
      }
      const long = { username: "a".repeat(256), password: "" }
      const error = yield* Effect.flip(dialOnce({ proxy, credentials: long }, { host: ONION, port: 8333 }))
      expect(error).toMatchObject({ reason: "Other", message: expect.stringContaining("255 bytes") })
      expect(server.asked).toEqual([])
    }).pipe(Effect.scoped)
  )
})

describeWithProgram(describe, "microsocks", "microsocks with a password", (path) => {
  const user = { username: "satwire", password: "right" }
  const attempt = (credentials: Socks5Options["credentials"]) =>
    Effect.gen(function* () {
      const proxy = yield* microsocks(path, user)
      return yield* Effect.gen(function* () {
        const { listening, accepted, signal } = yield* hosted("127.0.0.1")
        const connection = yield* (yield* Dialer).dial({ host: "localhost", port: listening.endpoint.port })
        const near = new Observed(connection, new Signal())
        near.connection.write(Uint8Array.of(1))
        yield* signal.until(() => accepted[0]?.length === 1)
      }).pipe(Effect.provide(through({ proxy, credentials }), { local: true }))
    }).pipe(Effect.scoped)

  it.live("carries whoever knows it", () => attempt(user))

  it.live("refuses who does not, and who says nothing", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(attempt({ ...user, password: "wrong" }))
      const silent = yield* Effect.flip(attempt("None"))
      expect([wrong, silent]).toMatchObject([{ reason: "ProxyAuthentication" }, { reason: "ProxyAuthentication" }])
    })
  )
})
