import { type Server, type Socket, createServer } from "node:net"
import { listen } from "@satwire/client"
import { Satoshis, regtest, toHex } from "@satwire/primitives"
import { formatEndpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { PROTOCOL_VERSION, SENDHEADERS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import { afterEach, describe, expect, it } from "vitest"
import manifest from "../package.json" with { type: "json" }
import { listening, run, runtimes, start } from "./Program.ts"

const LOOPBACK = { host: "127.0.0.1", port: 0 }
const servers = new Set<Server>()
const sockets = new Set<Socket>()

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  sockets.clear()
  servers.clear()
})

/** Something that listens and is no Bitcoin node; gives where. */
const stranger = (greet: (socket: Socket) => void): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      greet(socket)
    })
    servers.add(server)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(`127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`)
    })
  })

const magicBytes = (magic: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, magic, true)
  return bytes
}

describe("satwire peer", () => {
  it.each(runtimes)("prints what a peer says of itself as a table and as JSON, on %s", async (runtime) => {
    const node = start(["-regtest", "-noconnect", "-bind=127.0.0.1:0", "-uacomment=hello"])
    const address = await listening(node)
    const [table, json] = await Promise.all([
      run(["peer", "-regtest", address], { runtime }),
      run(["peer", address, "--network=regtest", "--json"], { runtime })
    ])
    const userAgent = `/satwire:${manifest.version}(hello)/`
    expect([table.code, table.stderr]).toEqual([0, ""])
    expect(table.stdout.split("\n").map((line) => line.slice(0, 12).trim())).toEqual([
      "address",
      "version",
      "user agent",
      "services",
      "height",
      "transactions",
      "features",
      "transport",
      "clock",
      "ping",
      ""
    ])
    expect(table.stdout).toContain(`user agent    ${userAgent}\n`)
    expect(table.stdout).toMatch(/ping {10}\d+\.\d ms\n/)
    expect([json.code, json.stderr]).toEqual([0, ""])
    const report = JSON.parse(json.stdout) as Record<string, unknown>
    expect(report).toEqual({
      address,
      network: "regtest",
      version: PROTOCOL_VERSION,
      userAgent,
      services: "0000000000000c09",
      servicesNames: ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
      height: 0,
      relay: true,
      features: expect.arrayContaining(["wtxidrelay", "addrv2"]),
      transport: "v2",
      clockOffsetSeconds: expect.closeTo(0, -1),
      pingMs: expect.any(Number)
    })
  })

  it("lists what a peer asks for once their hands are shaken", () =>
    Effect.gen(function* () {
      const asking = yield* listen(LOOPBACK, { params: regtest, services: 0x0849n }, (session) =>
        Effect.gen(function* () {
          yield* session.send(SENDHEADERS)
          yield* session.send({ _tag: "sendcmpct", highBandwidth: false, version: 2n })
          yield* session.send({ _tag: "feefilter", feeRateSatPerKvb: Satoshis(1000n) })
          return yield* session.ended
        })
      )
      const args = ["peer", "-regtest", formatEndpoint(asking.endpoint), "--json"]
      const { code, stdout, stderr } = yield* Effect.promise(() => run(args))
      expect([code, stderr]).toEqual([0, ""])
      expect(JSON.parse(stdout)).toMatchObject({
        services: "0000000000000849",
        servicesNames: ["NETWORK", "WITNESS", "COMPACT_FILTERS", "P2P_V2"],
        features: ["wtxidrelay", "addrv2", "sendheaders", "sendcmpct", "feefilter"]
      })
    }).pipe(Effect.scoped, Effect.provide(layerTcp), Effect.runPromise))

  it("says in one sentence that nobody listens there", async () => {
    const { code, stdout, stderr } = await run(["peer", "127.0.0.1:1"])
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toBe(`satwire: 127.0.0.1:1 refused the connection: nobody listens there\n`)
  })

  it("says in one sentence that a name does not resolve", async () => {
    const { code, stderr } = await run(["peer", "nowhere.invalid"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^satwire: nowhere\.invalid:8333: the name does not resolve \(\w+\)\n$/)
  })

  it("says in one sentence that a peer does not answer", async () => {
    const address = await stranger(() => undefined)
    const { code, stderr } = await run(["peer", address, "--timeout=200"])
    expect([code, stderr]).toEqual([1, `satwire: ${address} did not shake hands within 200 ms\n`])
  })

  it("says in one sentence of which network a peer is", async () => {
    const address = await stranger((socket) => socket.write(new Uint8Array([...magicBytes(regtest.magic), 1])))
    const { code, stderr } = await run(["peer", address])
    expect([code, stderr]).toEqual([1, `satwire: ${address} is of regtest, not of mainnet: try --network=regtest\n`])
  })

  it("says in one sentence that something else listens there", async () => {
    const address = await stranger((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"))
    const { code, stderr } = await run(["peer", address])
    const frame = toHex(new TextEncoder().encode("PTTH"))
    expect(code).toBe(1)
    expect(stderr).toBe(`satwire: ${address}: a frame began with ${frame}, which is not this network's magic\n`)
  })

  it("says in one sentence that a peer hangs up", async () => {
    const address = await stranger((socket) => socket.once("data", () => socket.end()))
    const { code, stderr } = await run(["peer", address])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^satwire: \S+ closed the connection before the handshake was done: [^\n]+\n$/)
  })

  it("ends with the code of an interruption where it is interrupted before its answer", async () => {
    const connected = Promise.withResolvers<void>()
    const address = await stranger(() => connected.resolve())
    const peer = start(["peer", address])
    await connected.promise
    peer.signal("SIGINT")
    const { code, stderr } = await peer.ended
    expect([code, stderr]).toEqual([130, ""])
  })
})
