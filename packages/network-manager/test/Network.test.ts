/** Three networks' managers in one process, on loopback. They serve all tests but those that end one of them. */
import { exposition } from "@satwire/metrics"
import { generateKeyPair, privateKeyFromProtobuf } from "@libp2p/crypto/keys"
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id"
import { makeGossipNode } from "@satwire/gossip"
import { type Kind, kind, method, reservedKind } from "@satwire/overlay"
import { nowReader, seededRandom } from "@satwire/runtime"
import { makeLibp2pNode, makePrivateKey } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Exit from "effect/Exit"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BroadcastWriter, decodeBroadcast, judgeBroadcast } from "../src/Broadcast.ts"
import {
  NETWORK_METRICS,
  NetworkManager,
  type NetworkManagerShape,
  type NetworkOptions,
  PRESETS
} from "../src/index.ts"

const Chat = kind("chat", Schema.Struct({ text: Schema.String }))
const Length = method("length", kind("length-of", Schema.String), kind("length", Schema.Int))

const LOOPBACK: NetworkOptions = {
  host: "127.0.0.1",
  network: "test",
  localDiscovery: false,
  discoveryIntervalMs: 100,
  redialMs: { first: 10, longest: 40 },
  gossip: { mesh: { heartbeatInterval: 50 } },
  node: { security: ["noise"] },
  kinds: [Chat]
}

const run = <A, E>(program: Effect.Effect<A, E, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(program))

const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))

const until = <A>(effect: Effect.Effect<A>, holds: (value: A) => boolean): Effect.Effect<A> =>
  Effect.flatMap(effect, (value) =>
    holds(value) ? Effect.succeed(value) : Effect.andThen(Effect.yieldNow, until(effect, holds))
  )

const started = (options: NetworkOptions = {}) =>
  Effect.tap(NetworkManager.make({ ...LOOPBACK, ...options }), ({ start }) => start)

const addressOf = (network: NetworkManagerShape): Effect.Effect<string> =>
  Effect.map(network.getNetworkStatus, ({ addresses }) => addresses[0] ?? "")

/** Everything of a kind that comes from now on, in a list that grows. */
const heard = (network: NetworkManagerShape) =>
  Effect.gen(function* () {
    const all: Array<{ readonly from: string; readonly text: string; readonly way: string }> = []
    yield* Effect.forkScoped(
      Stream.runForEach(network.subscribe(Chat), ({ from, message, way }) =>
        Effect.sync(() => all.push({ from, text: message.text, way }))
      ),
      { startImmediately: true }
    )
    return all
  })

const NetworkBroadcast = reservedKind("network-broadcast", Schema.Uint8Array)

/** A broadcast of somebody who is not there. */
const foreignBroadcast = (message: typeof Chat extends Kind<infer A> ? A : never) =>
  Effect.gen(function* () {
    const key = privateKeyFromProtobuf(yield* makePrivateKey)
    const { bytes } = yield* new BroadcastWriter(key, yield* seededRandom, yield* nowReader).write(Chat, message)
    return bytes
  })

let scope: Scope.Closeable
let alice: NetworkManagerShape, bob: NetworkManagerShape, carol: NetworkManagerShape

beforeAll(async () => {
  scope = Scope.makeUnsafe()
  const program = Effect.gen(function* () {
    alice = yield* started({ nodeId: "alice", metadata: { role: "validator" } })
    bob = yield* started({ nodeId: "bob", bootstrapPeers: [yield* addressOf(alice)] })
    // She has nobody but bob, and finds alice by him.
    carol = yield* started({ nodeId: "carol", bootstrapPeers: [yield* addressOf(bob)] })
    yield* until(carol.getPeers, (peers) => peers.length === 2 && peers.every(({ nodeId }) => nodeId !== undefined))
  })
  await Effect.runPromise(Scope.provide(program, scope))
})

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

describe("a network of three", () => {
  it("knows of each peer who it is, what it calls itself, and how far away it is", () =>
    run(
      Effect.gen(function* () {
        const peer = yield* until(bob.getPeer(alice.peerId), (one) => one?.latencyMs !== undefined)
        expect(peer).toMatchObject({ nodeId: "alice", metadata: { role: "validator" }, direction: "outbound" })
        expect(peer?.score).toBeGreaterThan(0)
        expect(yield* bob.getPeer("nobody")).toBeUndefined()
      })
    ))

  it("spreads a message to all, each once and with the name of who wrote it", () =>
    run(
      Effect.gen(function* () {
        const [atBob, atCarol] = [yield* heard(bob), yield* heard(carol)]
        // Until gossip knows them a message goes by the stream of the overlay, and the next one may overtake it.
        yield* until(alice.getNetworkStatus, ({ gossip }) => gossip.every(({ mesh }) => mesh === 2))
        yield* alice.broadcastMessage(Chat, { text: "first" })
        yield* alice.broadcastMessage(Chat, { text: "second" })
        yield* eventually(() => atBob.length >= 2 && atCarol.length >= 2)
        const wanted = ["first", "second"].map((text) => ({ from: alice.peerId, text, way: "broadcast" }))
        expect(atBob).toEqual(wanted)
        expect(atCarol).toEqual(wanted)
      })
    ))

  it("sends a message to one", () =>
    run(
      Effect.gen(function* () {
        const [atBob, atCarol] = [yield* heard(bob), yield* heard(carol)]
        yield* alice.sendMessage(bob.peerId, Chat, { text: "for you" })
        yield* eventually(() => atBob.length === 1)
        expect(atBob).toEqual([{ from: alice.peerId, text: "for you", way: "direct" }])
        expect(atCarol).toEqual([])
        const failed = yield* Effect.flip(alice.sendMessage("nobody", Chat, { text: "" }))
        expect(failed._tag).toBe("SendError")
      })
    ))

  it("asks and answers", () =>
    run(
      Effect.gen(function* () {
        yield* bob.serve(Length, (text) => Effect.succeed(text.length))
        expect(yield* carol.request(bob.peerId, Length, "satoshi")).toBe(7)
      })
    ))

  it("tells of itself in numbers, which Prometheus can read", () =>
    run(
      Effect.gen(function* () {
        const status = yield* until(alice.getNetworkStatus, ({ gossip }) => gossip.every(({ mesh }) => mesh === 2))
        expect(status).toMatchObject({
          isRunning: true,
          nodeId: "alice",
          peers: { inbound: 2, outbound: 0, maxPeers: 50 }
        })
        expect(status.gossip).toEqual([{ kind: "chat", peers: 2, mesh: 2 }])
        const sent = status.traffic.find(({ kind, way }) => kind === "chat" && way === "direct")
        expect(sent?.messagesSent).toBe(1)
        const text = exposition(NETWORK_METRICS, status)
        expect(text).toContain('satwire_network_peers{direction="inbound"} 2')
        expect(text).toContain('satwire_network_messages_total{kind="chat",way="broadcast",direction="sent"} 2')
      })
    ))
})

describe("the limits of a network", () => {
  it("takes no more peers than it may, and dials no more", () =>
    run(
      Effect.gen(function* () {
        const small = yield* started({
          network: "small",
          maxPeers: 2,
          maxInbound: 1,
          maxOutbound: 1,
          peerExchange: false
        })
        const other = () => started({ network: "small", peerExchange: false })
        const [first, second, third] = [yield* other(), yield* other(), yield* other()]
        const address = yield* addressOf(small)
        yield* first.addPeer(address)
        yield* until(small.getPeers, (peers) => peers.length === 1)
        expect((yield* Effect.flip(second.addPeer(address)))._tag).toBe("DialError")
        yield* small.addPeer(yield* addressOf(second))
        const full = yield* Effect.flip(small.addPeer(yield* addressOf(third)))
        expect(full).toMatchObject({ _tag: "NetworkError", reason: "Full" })
        expect((yield* small.getNetworkStatus).peers).toMatchObject({ inbound: 1, outbound: 1 })
      })
    ))

  it("lets in eight of one machine that come at once, in development", () =>
    run(
      Effect.gen(function* () {
        const address = yield* addressOf(yield* started({ network: "many", peerExchange: false }))
        const coming = Effect.flatMap(makeLibp2pNode({ security: ["noise"] }), (node) => node.connect(address))
        yield* Effect.all(
          Array.from({ length: 8 }, () => coming),
          { concurrency: 8 }
        )
      })
    ))

  it("bans who floods, at once, and nobody else is the worse for it", () =>
    run(
      Effect.gen(function* () {
        const limits = { rateLimits: { messages: { perSecond: 0.001, burst: 60 } } }
        const kept = { network: "flood", peerExchange: false, gossip: false } as const
        const victim = yield* started({ ...kept, ...limits })
        const address = yield* addressOf(victim)
        const [mallory, friend] = [yield* started(kept), yield* started(kept)]
        yield* mallory.addPeer(address)
        yield* friend.addPeer(address)
        const banned = yield* Effect.forkChild(
          Stream.runHead(Stream.filter(victim.facts, ({ _tag }) => _tag === "Banned")),
          { startImmediately: true }
        )
        const got = yield* heard(victim)
        for (let i = 0; i < 300; i++) yield* Effect.ignore(mallory.sendMessage(victim.peerId, Chat, { text: `${i}` }))
        yield* Fiber.join(banned)
        yield* until(victim.getPeers, (peers) => peers.length === 1)
        expect(yield* victim.getPeer(mallory.peerId)).toBeUndefined()
        yield* until(mallory.getPeers, (peers) => peers.length === 0)
        const again = yield* Effect.flip(mallory.addPeer(address))
        expect(again._tag).toBe("DialError")
        yield* friend.sendMessage(victim.peerId, Chat, { text: "still here" })
        yield* eventually(() => got.some(({ from, text }) => from === friend.peerId && text === "still here"))
        expect(got.filter(({ from }) => from === mallory.peerId).length).toBeLessThan(61)
      })
    ))
})

describe("strangers", () => {
  it("keep no place without the overlay, but for those of another use", () =>
    run(
      Effect.gen(function* () {
        const small = yield* started({
          network: "mine",
          maxPeers: 4,
          maxInbound: 3,
          handshakeTimeoutMs: 1_000,
          peerExchange: false
        })
        const address = yield* addressOf(small)
        const another = yield* started({ network: "theirs" })
        expect((yield* Effect.flip(another.addPeer(address)))._tag).toBe("DialError")
        const { node: silent } = yield* another.parts
        const useful = yield* makeLibp2pNode({ security: ["noise"] })
        const { node } = yield* small.parts
        yield* node.handle("/added/1.0.0", () => Effect.never)
        const gossiping = yield* makeGossipNode({ security: ["noise"] })
        gossiping.shared.pubsub?.subscribe("/mine/kind/1/chat")
        yield* silent.connect(address)
        yield* useful.openStream(address, "/added/1.0.0")
        yield* gossiping.node.connect(address)
        yield* until(small.getNetworkStatus, ({ peers }) => peers.others === 3)
        yield* until(small.getNetworkStatus, ({ peers }) => peers.others === 2)
        // Which of those who came at once is taken first is the machine's affair.
        expect(
          node
            .connections()
            .map(({ peerId }) => peerId)
            .toSorted()
        ).toEqual([useful.peerId, gossiping.node.peerId].toSorted())
        expect((yield* small.getNetworkStatus).peers.inbound).toBe(0)
        const client = yield* started({ network: "mine", peerExchange: false })
        expect(yield* client.addPeer(address)).toBe(small.peerId)
      })
    ))
})

describe("a ban", () => {
  it("counts against the host, too, whatever it is for", () =>
    run(
      Effect.gen(function* () {
        const kept = { network: "hosts", peerExchange: false }
        const victim = yield* started({ ...kept, gossip: { maxBannedPerHost: 1 } })
        const address = yield* addressOf(victim)
        const mallory = yield* started(kept)
        yield* mallory.addPeer(address)
        yield* until(victim.getPeers, (peers) => peers.length === 1)
        yield* victim.banPeer(mallory.peerId, "a flood")
        yield* until(mallory.getPeers, (peers) => peers.length === 0)
        const again = yield* started(kept)
        expect((yield* Effect.flip(again.addPeer(address)))._tag).toBe("DialError")
        yield* victim.unbanPeer(mallory.peerId)
        yield* again.addPeer(address)
      })
    ))
})

describe("a ban of a moment", () => {
  it("ends in gossip, too", () =>
    run(
      Effect.gen(function* () {
        const kept = { network: "moments", peerExchange: false }
        const victim = yield* started({ ...kept, scoring: { banMs: 50 } })
        const address = yield* addressOf(victim)
        const friend = yield* started(kept)
        yield* friend.addPeer(address)
        yield* victim.banPeer(friend.peerId, "a moment")
        yield* until(friend.getPeers, (peers) => peers.length === 0)
        yield* until(victim.getNetworkStatus, ({ bannedPeers }) => bannedPeers === 0)
        expect(yield* friend.addPeer(address)).toBe(victim.peerId)
      })
    ))
})

describe("the author of a broadcast", () => {
  it("has one name, though a key has several spellings, and an Ed25519 key", () =>
    run(
      Effect.gen(function* () {
        const { from, ...broadcast } = Result.getOrThrow(decodeBroadcast(Chat, yield* foreignBroadcast({ text: "" })))
        const now = (yield* nowReader)()
        expect(judgeBroadcast({ ...broadcast, from }, now)).toBe("accept")
        const other = peerIdFromString(from).toCID().toString()
        expect(judgeBroadcast({ ...broadcast, from: other }, now)).toMatchObject({ reject: "invalid" })
        const key = yield* Effect.promise(() => generateKeyPair("secp256k1"))
        const costly = peerIdFromPrivateKey(key).toString()
        expect(judgeBroadcast({ ...broadcast, from: costly }, now)).toMatchObject({ reject: "invalid" })
      })
    ))
})

describe("broadcasts among peers of which one has no gossip", () => {
  it("reach all, each once, and cost a peer everything that forges one", () =>
    run(
      Effect.gen(function* () {
        const mixed = { network: "mixed", peerExchange: false }
        const [one, two] = [yield* started(mixed), yield* started(mixed)]
        const plain = yield* started({ ...mixed, gossip: false })
        const [first, second] = [yield* addressOf(one), yield* addressOf(two)]
        yield* one.addPeer(second)
        yield* plain.addPeer(first)
        yield* plain.addPeer(second)
        const meshed = until(one.getNetworkStatus, ({ gossip }) => gossip.every(({ mesh }) => mesh === 1))
        yield* meshed
        const [atOne, atTwo, atPlain] = [yield* heard(one), yield* heard(two), yield* heard(plain)]
        // Both hear of it twice: of its author, and of each other.
        expect(yield* plain.broadcastMessage(Chat, { text: "without" })).toBe(2)
        yield* eventually(() => atOne.length === 1 && atTwo.length === 1)
        yield* one.broadcastMessage(Chat, { text: "with" })
        yield* eventually(() => atTwo.length >= 2 && atPlain.length >= 1)
        yield* two.broadcastMessage(Chat, { text: "end" })
        yield* eventually(() => atOne.length >= 2 && atPlain.length >= 2)
        expect(atTwo.map(({ from, text }) => [from, text])).toEqual([
          [plain.peerId, "without"],
          [one.peerId, "with"]
        ])
        expect(atOne.map(({ text }) => text)).toEqual(["without", "end"])

        const { overlay } = yield* plain.parts
        const written = yield* foreignBroadcast({ text: "of a fourth" })
        for (const _ of "twice") yield* overlay.send(one.peerId, NetworkBroadcast, written)
        const before = (yield* one.getPeer(plain.peerId))?.score ?? 0
        yield* overlay.send(one.peerId, NetworkBroadcast, new Uint8Array(100))
        yield* until(one.getPeer(plain.peerId), (peer) => (peer?.score ?? before) < before)
        yield* plain.broadcastMessage(Chat, { text: "after it" })
        yield* eventually(() => atOne.some(({ text }) => text === "after it"))
        expect(atOne.map(({ text }) => text)).toEqual(["without", "end", "of a fourth", "after it"])

        const forged = yield* foreignBroadcast({ text: "not mine" })
        forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
        yield* overlay.send(one.peerId, NetworkBroadcast, forged)
        yield* until(one.getNetworkStatus, ({ bannedPeers }) => bannedPeers === 1)
        yield* until(one.getPeers, (peers) => peers.every(({ peerId }) => peerId !== plain.peerId))
        expect(atOne.length).toBe(4)
      })
    ))
})

describe("presets", () => {
  it("hold where nothing else is said", () =>
    run(
      Effect.gen(function* () {
        const production = yield* NetworkManager.make({ preset: "production", maxOutbound: 7 })
        const status = yield* production.getNetworkStatus
        expect(status).toMatchObject({ isRunning: false, peers: { maxPeers: 1000, maxInbound: 900, maxOutbound: 7 } })
        expect(PRESETS.production).toMatchObject({ connectTimeoutMs: 30_000, pingIntervalMs: 300_000 })
        expect(PRESETS.development).toMatchObject({ maxPeers: 50, connectTimeoutMs: 10_000, pingIntervalMs: 60_000 })
        const bad = yield* Effect.flip(NetworkManager.make({ pingIntervalMs: 0 }))
        expect(bad).toMatchObject({
          reason: "BadOptions",
          message: "pingIntervalMs is 0, which is no whole number from 1 to 1073741824"
        })
        for (const [options, what] of [
          [{ host: "no such" }, "host and port:"],
          [{ port: 70_000 }, "host and port:"],
          [{ externalAddresses: ["203.0.113.9:1"] }, "externalAddresses:"],
          [{ bootstrapPeers: ["example.org"] }, "bootstrapPeers:"],
          [{ persistentPeers: ["/ip4"] }, "persistentPeers:"],
          [{ rateLimits: { messages: { perSecond: -1, burst: 1 } } }, "rateLimits.messages"]
        ] as const) {
          const { message, reason } = yield* Effect.flip(NetworkManager.make(options))
          expect([reason, message.startsWith(what)]).toEqual(["BadOptions", true])
        }
      })
    ))
})

describe("a persistent peer that is removed", () => {
  it("is forgotten at an address that does not name it, and nobody else is", () =>
    run(
      Effect.gen(function* () {
        const quiet = { network: "removed", peerExchange: false, discoveryIntervalMs: 600_000 }
        const [kept, removed] = [yield* started(quiet), yield* started(quiet)]
        const bare = (address: string) => address.replace(/\/p2p\/.*/, "")
        const [ofKept, ofRemoved] = [bare(yield* addressOf(kept)), bare(yield* addressOf(removed))]
        const client = yield* started({ ...quiet, persistentPeers: [ofKept] })
        yield* removed.addPeer(yield* addressOf(client))
        yield* until(client.getPeers, (peers) => peers.length === 2)
        yield* client.addPeer(ofRemoved, { persistent: true })
        yield* client.removePeer(removed.peerId)
        yield* until(removed.getPeers, (peers) => peers.length === 0)
        yield* Effect.sleep(300)
        expect((yield* client.getPeers).map(({ peerId }) => peerId)).toEqual([kept.peerId])
        const garbage = yield* Effect.flip(client.addPeer("garbage", { persistent: true }))
        expect(garbage).toMatchObject({ _tag: "NetworkError", reason: "BadOptions" })
      })
    ))
})

describe("a bootstrap peer that is removed", () => {
  it("is dialled no more, until it is added again", () =>
    run(
      Effect.gen(function* () {
        const fast = { network: "found", discoveryIntervalMs: 20 }
        const server = yield* started({ ...fast, discoveryIntervalMs: 600_000 })
        const address = yield* addressOf(server)
        const client = yield* started({ ...fast, bootstrapPeers: [address] })
        yield* until(client.getPeers, (peers) => peers.length === 1)
        yield* client.removePeer(server.peerId)
        yield* until(server.getPeers, (peers) => peers.length === 0)
        yield* Effect.sleep(200)
        expect([yield* client.getPeers, yield* client.connectBootstrapPeers]).toEqual([[], 0])
        yield* client.addPeer(address)
        expect(yield* client.connectBootstrapPeers).toBe(1)
      })
    ))
})

describe("a persistent peer", () => {
  it("is found again when it has been away, and what was subscribed to goes on", () =>
    run(
      Effect.gen(function* () {
        // Nobody but who keeps a persistent peer dials.
        const quiet = { network: "lasting", peerExchange: false, discoveryIntervalMs: 600_000 }
        const lasting = { ...quiet, privateKey: yield* makePrivateKey }
        const first = yield* started(lasting)
        const address = yield* addressOf(first)
        const client = yield* started({ ...quiet, persistentPeers: [address] })
        yield* until(client.getPeers, (peers) => peers.length === 1)
        const got = yield* heard(client)
        yield* first.stop
        yield* until(client.getPeers, (peers) => peers.length === 0)
        expect((yield* Effect.flip(first.sendMessage(client.peerId, Chat, { text: "" })))._tag).toBe("NetworkError")
        const second = yield* started({ ...lasting, port: Number(/tcp\/(\d+)/.exec(address)?.[1]) })
        yield* until(second.getPeers, (peers) => peers.length === 1)
        yield* second.broadcastMessage(Chat, { text: "back" })
        yield* eventually(() => got.length === 1)
      })
    ))
})
