/** Gateways of the tests' own on loopback, good ones and bad ones: each reply is bounded in bytes and time. */
import { createSocket } from "node:dgram"
import { type IncomingMessage, type ServerResponse, createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { MAX_REPLY_BYTES } from "../src/BoundedHttp.ts"
import { addressBeside, gatewayIn } from "../src/Gateway.ts"
import { type Lease, type PortMappingOptions, isPublic, keepMapped, mapPort } from "../src/PortMapping.ts"
import { controlIn, locationIn } from "../src/Upnp.ts"

const HOST = "127.0.0.1"
const EXTERNAL = [8, 8, 4, 4]
/** Network failure. */
const REFUSED = Uint8Array.of(0, 128, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0)
const ASKED = { port: 18_444, protocol: "tcp" } as const

interface Datagrams {
  readonly host: string
  readonly port: number
}

/** Answers each datagram with those that `answer` gives. */
const udpServer = (
  answer: (asked: Uint8Array) => ReadonlyArray<Uint8Array>
): Effect.Effect<Datagrams, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createSocket>>((resume) => {
      const socket = createSocket("udp4")
      socket.on("message", (bytes, from) => {
        for (const reply of answer(bytes)) socket.send(reply, from.port, from.address)
      })
      socket.bind(0, HOST, () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.close())
  ).pipe(Effect.map((socket) => ({ host: HOST, port: socket.address().port })))

const httpServer = (
  answer: (request: IncomingMessage, response: ServerResponse) => void
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer(answer)
      server.listen(0, HOST, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => `http://${HOST}:${(server.address() as AddressInfo).port}`))

/** As RFC 6886 says it, after some noise; what it was asked for, in order. */
const pmpGateway = (noise: ReadonlyArray<Uint8Array> = []) =>
  Effect.gen(function* () {
    const asked: Array<{ readonly opcode: number; readonly seconds: number }> = []
    const server = yield* udpServer((bytes) => {
      const opcode = bytes[1] as number
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      asked.push({ opcode, seconds: opcode === 0 ? -1 : view.getUint32(8) })
      if (opcode === 0) return [...noise, Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 1, ...EXTERNAL)]
      const answer = new DataView(new ArrayBuffer(16))
      answer.setUint8(1, 128 + opcode)
      answer.setUint16(8, view.getUint16(4))
      answer.setUint16(10, view.getUint16(6) + 1)
      answer.setUint32(12, view.getUint32(8))
      return [...noise, new Uint8Array(answer.buffer)]
    })
    return { server, asked }
  })

const description = (control: string): string =>
  `<?xml version="1.0"?><root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/no</controlURL></service><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>${control}</controlURL></service></serviceList></device></root>`

/** A gateway by UPnP, whose descriptions and answers are `answer`'s. */
const upnpGateway = (said: (path: string, action: string, response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const http = yield* httpServer((request, response) => {
      request.resume()
      said(request.url ?? "", /#(\w+)/.exec(String(request.headers["soapaction"]))?.[1] ?? "", response)
    })
    const answer = `HTTP/1.1 200 OK\r\nST: x\r\nLocation: ${http}/description.xml\r\n\r\n`
    return yield* udpServer(() => [new TextEncoder().encode(answer)])
  })

const refused = (options: PortMappingOptions) => Effect.flip(mapPort(options, ASKED))

describe("a port of the gateway", () => {
  it.live("is opened by NAT-PMP, and given back with the scope", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { server, asked } = yield* pmpGateway()
        const scope = yield* Scope.make()
        const first = yield* Deferred.make<Lease>()
        const lost: Array<Lease> = []
        yield* keepMapped({ natPmp: server, upnp: "none" }, ASKED, {
          onLease: (lease) => Deferred.doneUnsafe(first, Effect.succeed(lease)),
          onLost: (lease) => lost.push(lease)
        }).pipe(Scope.provide(scope))
        const lease = yield* Deferred.await(first)
        assert.include(lease, { by: "NAT-PMP", internalHost: HOST, externalHost: "8.8.4.4", externalPort: 18_445 })
        assert.isTrue(isPublic(lease))
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(lost, [lease])
        assert.deepStrictEqual(asked.at(-1), { opcode: 2, seconds: 0 })
      })
    )
  )

  it.live("is opened by NAT-PMP whatever else comes: too short, too long, another's, none", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const long = Array.from({ length: 9000 }, () => 128)
        const noise = [[], [0], [0, 128], [0, 130], [0, 128, 0, 0, 0, 0, 0, 1, 8, 8], long, [1, 128]]
        const { server } = yield* pmpGateway(noise.map((bytes) => Uint8Array.from(bytes)))
        const lease = yield* mapPort({ natPmp: server, upnp: "none" }, ASKED)
        assert.include(lease, { externalHost: "8.8.4.4", seconds: 7200 })
      })
    )
  )

  it.live("is opened by UPnP where NAT-PMP is refused, and closed again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const natPmp = yield* udpServer(() => [REFUSED])
        const actions: Array<string> = []
        const upnp = yield* upnpGateway((path, action, response) => {
          if (path === "/description.xml") return void response.end(description("/control"))
          actions.push(action)
          const isAddress = action === "GetExternalIPAddress"
          response.end(isAddress ? "<NewExternalIPAddress>8.8.8.8</NewExternalIPAddress>" : "<ok/>")
        })
        const lease = yield* mapPort({ natPmp, upnp }, ASKED)
        assert.include(lease, { by: "UPnP", externalHost: "8.8.8.8", externalPort: ASKED.port })
        yield* lease.release
        assert.deepStrictEqual(actions, ["GetExternalIPAddress", "AddPortMapping", "DeletePortMapping"])
      })
    )
  )

  it.live("is not opened where the gateway says more than anybody needs, another way, or no", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let sent = 0
        const endless = yield* upnpGateway((_path, _action, response) => {
          const more = (): void => {
            while (!response.destroyed && response.write("x".repeat(16_384))) sent += 16_384
          }
          response.on("drain", more)
          more()
        })
        assert.include(yield* refused({ natPmp: "none", upnp: endless }), { reason: "Malformed" })
        assert.isBelow(sent, MAX_REPLY_BYTES * 200)
        const elsewhere = yield* upnpGateway((_path, _action, response) => {
          response.writeHead(302, { location: "http://192.0.2.1/" }).end()
        })
        assert.include(yield* refused({ natPmp: "none", upnp: elsewhere }), { reason: "Malformed" })
        const other = yield* upnpGateway((_path, _action, response) => {
          response.end(description("http://192.0.2.1/control"))
        })
        assert.include(yield* refused({ natPmp: "none", upnp: other }), { reason: "Malformed" })
        const no = yield* upnpGateway((path, _action, response) => {
          response.statusCode = path === "/description.xml" ? 200 : 500
          response.end(description("/control"))
        })
        assert.include(yield* refused({ natPmp: "none", upnp: no }), { reason: "Refused" })
        const unable = yield* udpServer(() => [REFUSED])
        assert.include(yield* refused({ natPmp: unable, upnp: "none" }), { reason: "Refused" })
      })
    )
  )

  it.effect("has its time, and no more, where the gateway says nothing at all", () =>
    Effect.gen(function* () {
      const silent = yield* udpServer(() => [])
      for (const options of [
        { natPmp: silent, upnp: "none" },
        { natPmp: "none", upnp: silent }
      ] as const) {
        const asking = yield* Effect.forkChild(refused(options), { startImmediately: true })
        yield* TestClock.adjust("5 seconds")
        assert.include(["TimedOut", "NoGateway"], (yield* Fiber.join(asking)).reason)
      }
    })
  )

  it("is on the host that answered, whatever it says", () => {
    const answer = (location: string): string => `HTTP/1.1 200 OK\r\nLOCATION: ${location}\r\n\r\n`
    assert.strictEqual(locationIn(answer("http://10.0.0.1:80/x"), "10.0.0.1")?.pathname, "/x")
    for (const bad of [
      "http://10.0.0.2/x",
      "https://10.0.0.1/",
      "file:///etc/passwd",
      `http://10.0.0.1/${"x".repeat(600)}`,
      "x"
    ]) {
      assert.isUndefined(locationIn(answer(bad), "10.0.0.1"))
    }
    assert.isUndefined(locationIn("NOTIFY * HTTP/1.1\r\nLOCATION: http://10.0.0.1/", "10.0.0.1"))
    const here = new URL("http://10.0.0.1:5000/d.xml")
    assert.strictEqual(controlIn(description("control"), here)?.url.href, "http://10.0.0.1:5000/control")
    assert.isUndefined(controlIn(description("http://10.0.0.1:6000/"), here))
    assert.isUndefined(controlIn("<service>".repeat(100_000), here))
  })

  it("is asked of the gateway of the default route, from the address beside it", () => {
    const routes = "Iface\tDestination\tGateway\neth0\t0000FEA9\t00000000\t\neth0\t00000000\t0100A8C0\t0003\n"
    assert.strictEqual(gatewayIn(routes), "192.168.0.1")
    assert.isUndefined(gatewayIn("Iface\n"))
    const face = (address: string, netmask: string) =>
      [{ address, netmask, family: "IPv4", mac: "", internal: false, cidr: null }] as const
    const faces = { lo: [...face("127.0.0.1", "255.0.0.0")], eth0: [...face("192.168.0.7", "255.255.255.0")] }
    assert.strictEqual(addressBeside("192.168.0.1", faces), "192.168.0.7")
    assert.isUndefined(addressBeside("192.168.1.1", faces))
    assert.isFalse(isPublic({ externalHost: "192.168.0.1" }))
    assert.isFalse(isPublic({ externalHost: "nonsense" }))
  })
})
