/** Nodes on loopback: streams of other protocols, bans, crowds, relays and what they find of one another. */
import { createSocket } from "node:dgram"
import * as Net from "node:net"
import { networkInterfaces } from "node:os"
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys"
import { peerIdFromPrivateKey } from "@libp2p/peer-id"
import { assert, describe, it } from "@effect/vitest"
import type { DialError } from "@satwire/transport"
import { MiB, Observed, Signal, pattern } from "@satwire/transport/compliance"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type ByteStream,
  LIBP2P_HOST,
  type Libp2pNodeOptions,
  type Libp2pNodeShape,
  libp2pTransport,
  makeLibp2pNode,
  makePrivateKey
} from "../src/index.ts"

const TCP = { listen: ["/ip4/127.0.0.1/tcp/0"], security: ["noise"] } as const
const limits = { maxPerHostASecond: 10_000, maxPending: 10_000 }
const ECHO = "/echo/1"

const node = (options: Libp2pNodeOptions = {}) => makeLibp2pNode({ ...TCP, limits, ...options })

const echo = (stream: ByteStream) => Stream.runForEach(stream.bytes, stream.write)

const addressOf = (one: Libp2pNodeShape): string => one.addresses()[0] as string

const portOf = (one: Libp2pNodeShape): number => Number(/tcp\/(\d+)/.exec(addressOf(one))?.[1])

const all = (stream: ByteStream): Effect.Effect<Uint8Array, unknown> =>
  Effect.map(Stream.runCollect(stream.bytes), (parts) => new Uint8Array(Buffer.concat(parts)))

/** Waits until it holds, looking again each turn of the event loop. */
const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))

const live = (name: string, body: Effect.Effect<void, unknown, Scope.Scope>): void =>
  it.live(name, () => Effect.scoped(body))

describe("streams of a protocol", () => {
  live(
    "carry bytes both ways, each way with its own end",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      yield* there.handle(ECHO, echo)
      const stream = yield* here.openStream(addressOf(there), ["/unknown/1", ECHO])
      assert.strictEqual(stream.protocol, ECHO)
      assert.strictEqual(stream.peerId, there.peerId)
      const sent = pattern(MiB, 1)
      const reading = yield* Effect.forkChild(all(stream))
      yield* stream.write(sent)
      yield* stream.endWriting
      assert.deepStrictEqual(yield* Fiber.join(reading), sent)
      assert.isAbove(yield* here.ping(there.peerId), -1)
    })
  )

  live(
    "hold a writer back whose reader does not read",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      const read = yield* Deferred.make<void>()
      const total = yield* Deferred.make<number>()
      yield* there.handle(ECHO, (stream) =>
        Effect.gen(function* () {
          yield* Deferred.await(read)
          const count = yield* Stream.runFold(
            stream.bytes,
            () => 0,
            (sum, bytes) => sum + bytes.length
          )
          yield* Deferred.succeed(total, count)
        })
      )
      const stream = yield* here.openStream(addressOf(there), ECHO)
      const written = yield* Ref.make(0)
      const one = Effect.andThen(
        stream.write(new Uint8Array(MiB)),
        Ref.update(written, (count) => count + 1)
      )
      const writing = yield* Effect.forkChild(Effect.andThen(Effect.repeat(one, { times: 15 }), stream.endWriting))
      for (let round = 0; round < 5; round++) yield* here.ping(there.peerId)
      assert.isBelow(yield* Ref.get(written), 16)
      yield* Deferred.succeed(read, undefined)
      yield* Fiber.join(writing)
      assert.strictEqual(yield* Deferred.await(total), 16 * MiB)
    })
  )

  live(
    "end as a typed error where one is reset, and the handler's others go on",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      const ends = yield* Deferred.make<string>()
      yield* there.handle(ECHO, (stream) =>
        Effect.tapError(echo(stream), ({ reason }) => Deferred.succeed(ends, reason))
      )
      const stream = yield* here.openStream(addressOf(there), ECHO)
      yield* stream.write(Uint8Array.of(1))
      yield* stream.read
      yield* stream.reset
      assert.strictEqual(yield* Deferred.await(ends), "Reset")
      assert.include(yield* Effect.flip(stream.write(Uint8Array.of(1))), { _tag: "StreamError", reason: "Closed" })
      const other = yield* here.openStream(addressOf(there), ECHO)
      yield* other.write(Uint8Array.of(2))
      assert.deepStrictEqual(yield* other.read, Uint8Array.of(2))
    })
  )

  live(
    "let the other end finish when whoever had one has left",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      const finished = yield* Deferred.make<void>()
      yield* there.handle(ECHO, (stream) =>
        Effect.gen(function* () {
          for (let part = 0; part < 8; part++) yield* stream.write(new Uint8Array(MiB / 2))
          yield* Deferred.succeed(finished, undefined)
        })
      )
      yield* Effect.scoped(Effect.flatMap(here.openStream(addressOf(there), ECHO), (stream) => stream.read))
      yield* Deferred.await(finished)
      yield* eventually(() => here.connections().every(({ streams }) => streams === 0))
    })
  )

  live(
    "tell both ends of a session that the connection below is gone",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      const signal = new Signal()
      const ends: Array<Observed> = []
      const { listener } = yield* libp2pTransport(there)
      const { dialer } = yield* libp2pTransport(here)
      yield* listener.listen({ host: LIBP2P_HOST, port: 0 }, (connection) =>
        ends.push(new Observed(connection, signal))
      )
      yield* here.learn(there.addresses())
      ends.push(new Observed(yield* dialer.dial(there.endpoint), signal))
      ends[0]?.connection.write(Uint8Array.of(1))
      yield* signal.until(() => ends.some(({ length }) => length === 1))
      yield* there.hangUp(here.peerId)
      yield* signal.until(() => ends.every((end) => end.closedBy() !== undefined))
      assert.deepStrictEqual(
        ends.map((end) => end.closedBy()),
        ["Reset", "Reset"]
      )
      assert.deepStrictEqual([dialer.connections(), listener.connections()], [0, 0])
    })
  )

  live(
    "are as many as are allowed, and none is left when their scopes close",
    Effect.gen(function* () {
      const [there, here] = [yield* node(), yield* node({ listen: [] })]
      const scope = yield* Scope.make()
      yield* Scope.provide(there.handle(ECHO, echo, { maxStreams: 2 }), scope)
      const open = here.openStream(addressOf(there), ECHO)
      const ask = Effect.flatMap(open, (stream) => Effect.andThen(stream.write(Uint8Array.of(1)), stream.read))
      const scoped = Effect.all([ask, ask, Effect.exit(ask)])
      const [, , third] = yield* Effect.scoped(scoped)
      assert.isTrue(Exit.isFailure(third))
      yield* eventually(() => there.connections().every(({ streams }) => streams === 0))
      yield* Effect.scoped(ask)
      yield* Scope.close(scope, Exit.void)
      assert.include(yield* Effect.flip(open), { _tag: "DialError", reason: "UnsupportedProtocol" })
    })
  )
})

describe("who may connect", () => {
  live(
    "is closed at once by a ban, and neither comes back nor is dialled",
    Effect.gen(function* () {
      const banned = new Set<string>()
      const isBanned = ({ peerId, host }: { readonly peerId: string | undefined; readonly host: string | undefined }) =>
        banned.has(peerId ?? "") || banned.has(host ?? "")
      const [there, here] = [yield* node({ isBanned }), yield* node()]
      yield* there.handle(ECHO, echo)
      const stream = yield* here.openStream(addressOf(there), ECHO)
      yield* stream.write(Uint8Array.of(1))
      yield* stream.read
      banned.add(here.peerId)
      assert.strictEqual(yield* there.dropBanned, 1)
      assert.strictEqual(there.connections().length, 0)
      assert.include(yield* Effect.flip(stream.read), { _tag: "StreamError", reason: "Reset" })
      // Whoever is refused may learn of it only after its own side of the handshake.
      yield* Effect.exit(here.openStream(addressOf(there), ECHO))
      yield* eventually(() => here.connections().length === 0)
      assert.strictEqual(there.connections().length, 0)
      assert.include(yield* Effect.flip(there.connect(addressOf(here))), { _tag: "DialError", reason: "NotAllowed" })
      banned.clear()
      banned.add("127.0.0.1")
      yield* Effect.exit(here.connect(addressOf(there)))
      assert.strictEqual(there.connections().length, 0)
      banned.clear()
      yield* here.connect(addressOf(there))
      assert.strictEqual(yield* here.hangUp(there.peerId), 1)
    })
  )

  live(
    "is bounded where a thousand dial at once and say nothing",
    Effect.gen(function* () {
      const there = yield* node({ limits: { ...limits, maxInbound: 4, maxPending: 64 } })
      const port = portOf(there)
      const open = new Set<Net.Socket>()
      let connected = 0
      yield* Effect.addFinalizer(() => Effect.sync(() => open.forEach((socket) => socket.destroy())))
      for (let dialled = 0; dialled < 1000; dialled++) {
        const socket = Net.connect(port, "127.0.0.1", () => (connected += 1))
        open.add(socket)
        socket.resume().on("error", () => undefined)
        socket.on("close", () => open.delete(socket))
      }
      // A quarter: all are of one host.
      yield* eventually(() => connected >= 16 && open.size <= 16)
      assert.strictEqual(open.size, 16)
      assert.strictEqual(there.connections().length, 0)
      const here = yield* node({ listen: [] })
      assert.strictEqual((yield* Effect.flip(here.connect(addressOf(there))))._tag, "DialError")
      for (const socket of open) socket.destroy()
      yield* Effect.retry(here.connect(addressOf(there)), { times: 100 })
    })
  )

  live(
    "are as many as are allowed",
    Effect.gen(function* () {
      const there = yield* node({ limits: { ...limits, maxInbound: 4 } })
      const others = yield* Effect.all(Array.from({ length: 8 }, () => node({ listen: [] })))
      yield* Effect.forEach(others, (other) => Effect.exit(other.ping(addressOf(there))), { concurrency: 8 })
      assert.strictEqual(there.connections().length, 4)
      yield* there.hangUp(there.connections()[0]?.peerId ?? "")
      yield* (yield* node({ listen: [] })).ping(addressOf(there))
    })
  )

  live(
    "is bounded where we dial many at once, and each dial has its answer",
    Effect.gen(function* () {
      const here = yield* node({ listen: [], limits: { maxDialQueue: 50, maxDialling: 10 } })
      const free = yield* Effect.scoped(Effect.map(node(), portOf))
      let most = 0
      const dial = (index: number): Effect.Effect<string, unknown> =>
        Effect.map(Effect.flip(here.connect(`/ip4/127.1.${index >> 8}.${index & 255}/tcp/${free}`)), ({ _tag }) => {
          most = Math.max(most, here.engine.getDialQueue().length)
          return _tag
        })
      const indices = Array.from({ length: 400 }, (_, index) => index)
      const tags = yield* Effect.forEach(indices, dial, { concurrency: "unbounded" })
      assert.deepStrictEqual(new Set(tags), new Set(["DialError"]))
      assert.isAtMost(most, 50)
    })
  )

  live(
    "is told with a typed error why a node cannot listen",
    Effect.gen(function* () {
      const there = yield* node()
      const taken = yield* Effect.flip(node({ listen: [`/ip4/127.0.0.1/tcp/${portOf(there)}`] }))
      assert.include(taken, { _tag: "ListenError", reason: "AddressInUse" })
      const foreign = yield* Effect.flip(node({ listen: ["/ip4/192.0.2.1/tcp/0"] }))
      assert.include(foreign, { _tag: "ListenError", reason: "AddressNotAvailable" })
      const relay = addressOf(there).replace(/tcp\/\d+/, "tcp/1")
      const unreached = yield* Effect.flip(node({ reachability: { relayed: { at: [relay] } } }))
      assert.strictEqual(unreached.message, `Cannot listen on ${relay}/p2p-circuit: connect ECONNREFUSED 127.0.0.1:1.`)
      const bad = yield* Effect.flip(node({ reachability: { relayed: { at: ["nonsense"] } } }))
      assert.match(bad.message, /^Cannot listen on nonsense/)
    })
  )

  live(
    "is told with a typed error, in words that are true, why there is no connection",
    Effect.gen(function* () {
      const [there, relay, here] = [yield* node(), yield* node(), yield* node({ reachability: { relayed: {} } })]
      const gone = yield* Effect.scoped(Effect.map(node(), addressOf))
      const at = addressOf(there)
      const drop = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer((socket) => socket.on("error", () => undefined).destroy())
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = drop.address() as Net.AddressInfo
      const told = (dial: Effect.Effect<unknown, DialError, Scope.Scope>) =>
        Effect.map(Effect.flip(dial), ({ reason, message }) => `${reason} ${message}`)
      const unspoken = yield* told(here.openStream(at, "/unknown/1"))
      assert.match(unspoken, /^UnsupportedProtocol \S+ does not know the protocol .* \/unknown\/1\)\.$/)
      const quic = yield* told(here.connect("/ip4/127.0.0.1/udp/1/quic-v1"))
      assert.match(quic, /^NoRoute .* no transport of this node dials \/ip4\/127\.0\.0\.1\/udp\/1\/quic-v1\.$/)
      assert.match(yield* told(here.connect(relay.peerId)), /^NoRoute .* no address of 12D3KooW\w+ is known/)
      assert.match(yield* told(here.connect("nonsense")), /^NoRoute Nothing here leads to "nonsense"/)
      const through = `${gone}/p2p-circuit/p2p/${relay.peerId}`
      assert.include(yield* told(here.connect(through)), `Refused ${through} refused`)
      assert.match(yield* told(here.connect(`/ip4/127.0.0.1/tcp/${port}`)), /^Reset 127\.0\.0\.1:\d+ dropped/)
      const other = at.replace(there.peerId, relay.peerId)
      assert.match(yield* told(here.connect(other)), /^BadHandshake .* does not match expected remote identity/)
    })
  )
})

describe("a relay", () => {
  live(
    "carries streams to a node that nobody can dial",
    Effect.gen(function* () {
      const relay = yield* node({ reachability: { relay: {} } })
      const hidden = yield* node({ listen: [], reachability: { relayed: { at: [addressOf(relay)] } } })
      const here = yield* node({ listen: [], reachability: { relayed: {} } })
      yield* hidden.handle(ECHO, echo, { overLimited: true })
      const through = hidden.addresses().find((address) => address.includes("/p2p-circuit")) as string
      assert.include(through, relay.peerId)
      const stream = yield* here.openStream(through, ECHO, { overLimited: true })
      assert.isTrue(stream.isLimited)
      assert.strictEqual(stream.peerId, hidden.peerId)
      yield* stream.write(pattern(10_000, 1))
      yield* stream.endWriting
      assert.deepStrictEqual(yield* all(stream), pattern(10_000, 1))
      // Who was not told that a relay will do has no use for one.
      assert.include(yield* Effect.flip(here.openStream(through, ECHO)), { _tag: "DialError", reason: "NotAllowed" })
    })
  )

  live(
    "that comes back is asked for a place again by whom it had given one",
    Effect.gen(function* () {
      const start = (listen: string, privateKey: Uint8Array) =>
        node({ listen: [listen], privateKey, reachability: { relay: {} } })
      const key = yield* makePrivateKey
      const first = yield* Scope.make()
      const at = addressOf(yield* Scope.provide(start("/ip4/127.0.0.1/tcp/0", key), first))
      const hidden = yield* node({ listen: [], reachability: { relayed: { at: [at] } } })
      yield* Scope.close(first, Exit.void)
      yield* eventually(() => hidden.addresses().length === 0)
      yield* start(at.replace(/\/p2p\/.*/, ""), key)
      yield* eventually(() => hidden.addresses().length > 0)
      const here = yield* node({ listen: [], reachability: { relayed: {} } })
      assert.isTrue((yield* here.connect(hidden.addresses()[0] as string)).isLimited)
    })
  )

  live(
    "carries no more than it was told to",
    Effect.gen(function* () {
      const relay = yield* node({ reachability: { relay: { maxBytes: 50_000n } } })
      const hidden = yield* node({ listen: [], reachability: { relayed: { at: [addressOf(relay)] } } })
      const here = yield* node({ listen: [], reachability: { relayed: {} } })
      yield* hidden.handle(ECHO, echo, { overLimited: true })
      const through = hidden.addresses().find((address) => address.includes("/p2p-circuit")) as string
      const stream = yield* here.openStream(through, ECHO, { overLimited: true })
      yield* Effect.exit(stream.write(new Uint8Array(MiB)))
      assert.include(yield* Effect.flip(all(stream)), { _tag: "StreamError", reason: "Reset" })
    })
  )
})

/** Grants whatever port it is asked for by NAT-PMP, on 8.8.4.4. */
const gateway = Effect.acquireRelease(
  Effect.callback<ReturnType<typeof createSocket>>((resume) => {
    const socket = createSocket("udp4")
    socket.on("message", (asked, from) => {
      const head = [0, 128 + (asked[1] as number), 0, 0, 0, 0, 0, 1]
      // The address, or the ports and the time that were asked for.
      const rest = asked[1] === 0 ? [8, 8, 4, 4] : asked.subarray(4, 12)
      socket.send(Uint8Array.from([...head, ...rest]), from.port, from.address)
    })
    socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
  }),
  (socket) => Effect.sync(() => socket.close())
).pipe(Effect.map((socket) => ({ host: "127.0.0.1", port: socket.address().port })))

describe("a node", () => {
  live(
    "keeps the addresses of so many strangers, and of all that it was told to",
    Effect.gen(function* () {
      const here = yield* node({ listen: [], limits: { maxKnownPeers: 5 } })
      const there = yield* node()
      yield* here.learn(there.addresses())
      const keys = yield* Effect.all(Array.from({ length: 20 }, () => makePrivateKey))
      for (const key of keys) {
        const id = peerIdFromPrivateKey(privateKeyFromProtobuf(key))
        yield* Effect.promise(() => here.engine.peerStore.merge(id, { multiaddrs: there.engine.getMultiaddrs() }))
      }
      const known = Effect.promise(() => here.engine.peerStore.all())
      const left = yield* Effect.repeat(known, { until: (peers) => peers.length <= 7 })
      assert.include(
        left.map(({ id }) => id.toString()),
        there.peerId
      )
    })
  )

  live(
    "tells of a port that the gateway opened as its own",
    Effect.gen(function* () {
      const portMapping = { natPmp: yield* gateway, upnp: "none" } as const
      const there = yield* node({ reachability: { portMapping } })
      yield* eventually(() => there.addresses().some((address) => address.startsWith("/ip4/8.8.4.4/tcp/")))
    })
  )

  live(
    "starts with all that it can be asked for, and leaves nothing open when its scope closes",
    Effect.gen(function* () {
      // Timers of others come and go meanwhile.
      const open = () => process.getActiveResourcesInfo().filter((name) => /TCP|UDP|Pipe/.test(name)).length
      const before = open()
      let listening: ReadonlyArray<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const there = yield* node({
            discovery: { dht: { mode: "server", privateAddresses: true } },
            reachability: { relay: {}, autonat: true, holePunching: true }
          })
          const here = yield* node({
            listen: ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"],
            transports: ["tcp", "websocket"],
            discovery: { bootstrap: there.addresses(), dht: { mode: "client", privateAddresses: true } },
            reachability: { relayed: { search: true }, autonat: true, holePunching: true }
          })
          yield* here.ping(addressOf(there))
          yield* here.openStream(addressOf(there), "/ipfs/id/1.0.0")
          listening = here.addresses().map((address) => address.replace(/\/p2p\/.*/, ""))
        })
      )
      yield* eventually(() => open() <= before)
      yield* node({ listen: listening.filter((address) => !address.endsWith("/ws")) })
    })
  )
})

describe("peers are found", () => {
  const dht = { mode: "server", privateAddresses: true } as const

  live(
    "in a table that a list leads to, and by what those that are met say of themselves",
    Effect.gen(function* () {
      const first = yield* node({ discovery: { dht } })
      const list = { bootstrap: [addressOf(first)], dht }
      const others = yield* Effect.all(Array.from({ length: 2 }, () => node({ discovery: list })))
      const here = yield* node({ listen: [], discovery: { ...list, dht: { ...dht, mode: "client" } } })
      const last = others[1] as Libp2pNodeShape
      const found = yield* Stream.runCollect(
        Stream.takeUntil(here.found, ({ source, peerId }) => source === "identify" && peerId === first.peerId)
      )
      assert.include(
        found.map(({ source }) => source),
        "bootstrap"
      )
      const known = yield* here.routing.findPeer(last.peerId).pipe(Effect.retry({ times: 100 }))
      assert.include(known, { peerId: last.peerId, source: "dht" })
      assert.include(known.addresses.join(), addressOf(last).replace(/\/p2p\/.*/, ""))
      const near = yield* Stream.runCollect(here.routing.crawl(2))
      assert.strictEqual(new Set(near.map(({ peerId }) => peerId)).size, near.length)
      assert.isAtLeast(near.length, 2)
      yield* last.routing.provide(Uint8Array.of(1, 2, 3))
      const provider = yield* Stream.runCollect(Stream.take(here.routing.findProviders(Uint8Array.of(1, 2, 3)), 1))
      assert.strictEqual(provider[0]?.peerId, last.peerId)
    })
  )

  live(
    "nowhere where there is no table",
    Effect.gen(function* () {
      const here = yield* node({ listen: [] })
      const error = yield* Effect.flip(here.routing.findPeer(here.peerId))
      assert.include(error, { _tag: "RoutingError" })
    })
  )

  const hasMulticast = Object.values(networkInterfaces()).some((some) => some?.some(({ internal }) => !internal))
  it.live.skipIf(!hasMulticast)("on the LAN, by multicast DNS (skipped where there is no network)", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const mdns = { port: 20_000 + (process.pid % 10_000), intervalMs: 100 }
        const listen = ["/ip4/0.0.0.0/tcp/0"]
        const [there, here] = [
          yield* node({ listen, discovery: { mdns } }),
          yield* node({ listen, discovery: { mdns } })
        ]
        const one = Stream.filter(here.found, ({ source, peerId }) => source === "mdns" && peerId === there.peerId)
        const found = yield* Stream.runHead(one)
        assert.isTrue(found._tag === "Some" && found.value.addresses.length > 0)
      })
    )
  )
})
