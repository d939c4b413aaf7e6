/** Overlays on libp2p nodes on loopback. One pair of nodes serves all tests but those that end it. */
import { schnorrKey } from "@satwire/crypto"
import {
  AddressBook,
  type OverlayFact,
  PingMethod,
  Vote,
  keepFound,
  kind,
  makeMemoryAddressBook,
  makeOverlay,
  method
} from "@satwire/overlay"
import { type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { OVERLAY_PROTOCOL, makeLibp2pMessenger } from "../src/index.ts"

const key = schnorrKey(new Uint8Array(32).fill(3))
const Blob = method(
  "blob",
  kind("blob-request", Schema.Int),
  kind("blob-part", Schema.Uint8Array, { maxBytes: 1_100_000 })
)
const vote = {
  height: 1,
  round: 0,
  step: "prevote" as const,
  block: null,
  validator: new Uint8Array(33),
  signature: new Uint8Array(64)
}

const member = (options: Libp2pNodeOptions = {}, maxPeers?: number) =>
  Effect.gen(function* () {
    const listening = {
      listen: ["/ip4/127.0.0.1/tcp/0"],
      security: ["noise"],
      limits: { maxPerHostASecond: 1000 }
    } as const
    const node = yield* makeLibp2pNode({ ...listening, ...options })
    const messenger = yield* makeLibp2pMessenger(node, { key, maxPeers })
    const overlay = yield* makeOverlay({ messenger })
    return { node, messenger, overlay, address: node.addresses()[0] ?? "" }
  })

const run = <A, E>(program: Effect.Effect<A, E, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(program))

const factOf = (facts: Stream.Stream<OverlayFact>, holds: (fact: OverlayFact) => boolean) =>
  facts.pipe(Stream.filter(holds), Stream.take(1), Stream.runCollect, Effect.forkScoped({ startImmediately: true }))

/** Somebody whom only a relay leads to. */
const hiddenWith = (reachability: { readonly holePunching: boolean }) =>
  Effect.gen(function* () {
    const relay = yield* makeLibp2pNode({
      listen: ["/ip4/127.0.0.1/tcp/0"],
      security: ["noise"],
      limits: { maxPerHostASecond: 1000 },
      reachability: { relay: {} }
    })
    const led = yield* member({ listen: [], reachability: { relayed: { at: relay.addresses() }, ...reachability } })
    return { relay, led, through: `${relay.addresses()[0] ?? ""}/p2p-circuit/p2p/${led.node.peerId}` }
  })
const hidden = hiddenWith({ holePunching: true })

interface Node {
  readonly node: Libp2pNodeShape
}

/** No hole is punched on loopback, whose addresses are nobody's in public: as one would be, whom a relay led to is dialled back. */
const dialsBack = ({ node }: Node, who: Node): void =>
  node.engine.addEventListener("peer:identify", ({ detail: { connection, peerId } }) => {
    const isLed = connection.limits !== undefined && peerId.toString() === who.node.peerId
    if (isLed) void node.engine.dial(peerId, { force: true })
  })

const isConnected = ({ node }: Node, other: Node): boolean =>
  node.connections().some(({ peerId }) => peerId === other.node.peerId)

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, until(holds))))

describe("an overlay over libp2p", () => {
  it("knows its peers by their keys, and carries requests, parts and what is signed both ways", () =>
    run(
      Effect.gen(function* () {
        const [alice, bob] = [yield* member(), yield* member()]
        yield* bob.overlay.serve(PingMethod, (ping) => Effect.succeed(ping))
        yield* bob.overlay.serveParts(Blob, (parts) =>
          Stream.map(Stream.range(1, parts), (i) => new Uint8Array(1_000_000).fill(i))
        )
        const peer = yield* alice.messenger.open(bob.address)
        expect(peer).toBe(bob.node.peerId)
        expect(yield* alice.overlay.request(peer, PingMethod, { nonce: 7 })).toEqual({ nonce: 7 })
        expect(bob.overlay.peers()).toEqual([alice.node.peerId])
        const sizes = yield* alice.overlay.requestParts(peer, Blob, 6).pipe(
          Stream.map((part) => part.length + (part[0] ?? 0)),
          Stream.runCollect
        )
        expect(sizes).toEqual([1, 2, 3, 4, 5, 6].map((i) => 1_000_000 + i))
        const votes = yield* alice.overlay
          .messages(Vote)
          .pipe(Stream.take(1), Stream.runCollect, Effect.forkScoped({ startImmediately: true }))
        yield* bob.overlay.send(alice.node.peerId, Vote, vote)
        expect((yield* Fiber.join(votes))[0]).toMatchObject({ peer, signer: key?.publicKey })

        const gone = yield* factOf(bob.overlay.facts, (fact) => fact._tag === "PeerGone")
        alice.overlay.drop(peer)
        expect(yield* Fiber.join(gone)).toMatchObject([{ peer: alice.node.peerId }])
        expect(alice.overlay.peers()).toEqual([])
      })
    ))

  it("takes in whoever the node has dialled, and keeps where peers are with the source that told of it", () =>
    run(
      Effect.gen(function* () {
        const [alice, bob] = [yield* member(), yield* member()]
        const book = makeMemoryAddressBook()
        const noted = yield* Deferred.make<void>()
        const noting = {
          ...book,
          add: (...args: Parameters<typeof book.add>) =>
            Effect.andThen(book.add(...args), Effect.asVoid(Deferred.succeed(noted, undefined)))
        }
        yield* keepFound(alice.node.found).pipe(Effect.provideService(AddressBook, noting), Effect.forkScoped)
        const up = yield* factOf(bob.overlay.facts, (fact) => fact._tag === "PeerUp")
        yield* alice.node.connect(bob.address)
        expect(yield* Fiber.join(up)).toMatchObject([{ peer: alice.node.peerId }])
        yield* Deferred.await(noted)
        expect(book.entries()).toMatchObject([{ peer: { peerId: bob.node.peerId }, source: { via: "identify" } }])
      })
    ))

  it("hangs up on who has no overlay, where it was dialled for it only", () =>
    run(
      Effect.gen(function* () {
        const alice = yield* member()
        const plain = yield* makeLibp2pNode({ listen: ["/ip4/127.0.0.1/tcp/0"], security: ["noise"] })
        const [address = ""] = plain.addresses()
        expect((yield* Effect.flip(alice.messenger.open(address)))._tag).toBe("DialError")
        expect(alice.node.connections()).toEqual([])
        yield* alice.node.connect(address)
        expect((yield* Effect.flip(alice.messenger.open(address)))._tag).toBe("DialError")
        expect(alice.node.connections()).toHaveLength(1)
      })
    ))

  it("begins once a direct connection takes the place of one through a relay that bounds it", () =>
    run(
      Effect.gen(function* () {
        const { led, through } = yield* hidden
        const alice = yield* member({ reachability: { relayed: {}, holePunching: true } })
        yield* led.overlay.serve(PingMethod, (ping) => Effect.succeed(ping))
        yield* alice.overlay.serve(PingMethod, (ping) => Effect.succeed(ping))
        dialsBack(led, alice)
        const peer = yield* alice.messenger.open(through)
        expect(peer).toBe(led.node.peerId)
        expect(yield* alice.overlay.request(peer, PingMethod, { nonce: 7 })).toEqual({ nonce: 7 })
        expect(yield* led.overlay.request(alice.node.peerId, PingMethod, { nonce: 8 })).toEqual({ nonce: 8 })
      })
    ))

  it("waits for no direct connection where none can come, and leaves nothing behind", () =>
    run(
      Effect.gen(function* () {
        const { led, through } = yield* hidden
        const plain = yield* member({ reachability: { relayed: {} } })
        const [one, other] = [
          yield* member({ reachability: { relayed: {}, holePunching: true } }),
          yield* member({ reachability: { relayed: {}, holePunching: true } })
        ]
        // Without holes of one's own, with a peer who punches none, and with one who is gone.
        expect(yield* Effect.flip(plain.messenger.open(through))).toMatchObject({ reason: "NotAllowed" })
        const none = yield* hiddenWith({ holePunching: false })
        expect(yield* Effect.flip(one.messenger.open(none.through, { timeoutMs: 3_600_000 }))).toMatchObject({
          reason: "NotAllowed",
          message: expect.stringContaining("only a relay leads there that bounds it, and no hole could be punched")
        })
        const going = yield* Effect.forkChild(Effect.flip(one.messenger.open(through, { timeoutMs: 3_600_000 })))
        yield* until(() => isConnected(one, led) && isConnected(led, one))
        yield* led.node.hangUp(one.node.peerId)
        expect(yield* Fiber.join(going)).toMatchObject({ reason: "NotAllowed" })
        // Who asks no longer.
        const asking = yield* Effect.forkChild(other.messenger.open(through))
        yield* until(() => isConnected(other, led))
        yield* Fiber.interrupt(asking)
        for (const { node } of [plain, one, other]) {
          expect(node.connections().filter(({ isLimited }) => isLimited)).toEqual([])
        }
        expect(led.overlay.peers()).toEqual([])
      })
    ))

  it("leaves alone what a peer without an overlay dialled for itself meanwhile", () =>
    run(
      Effect.gen(function* () {
        const { relay } = yield* hidden
        const carol = yield* makeLibp2pNode({
          listen: ["/ip4/127.0.0.1/tcp/0"],
          security: ["noise"],
          reachability: { relayed: { at: relay.addresses() }, holePunching: true }
        })
        const alice = yield* member({ reachability: { relayed: {}, holePunching: true } })
        dialsBack({ node: carol }, alice)
        const through = `${relay.addresses()[0] ?? ""}/p2p-circuit/p2p/${carol.peerId}`
        expect((yield* Effect.flip(alice.messenger.open(through)))._tag).toBe("DialError")
        expect(alice.node.connections().filter(({ peerId }) => peerId === carol.peerId)).toMatchObject([
          { direction: "inbound", isLimited: false }
        ])
      })
    ))

  it("ends with a stranger who says what is no envelope, and takes no more peers than it may", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* member({}, 1)
        const stranger = yield* makeLibp2pNode({ security: ["noise"] })
        const fault = yield* factOf(bob.overlay.facts, (fact) => fact._tag === "Faulted")
        const stream = yield* stranger.openStream(bob.address, OVERLAY_PROTOCOL)
        yield* stream.write(new Uint8Array([3, 0, 0, 0, 1, 2, 3]))
        expect(yield* Fiber.join(fault)).toMatchObject([{ peer: stranger.peerId, fault: "not an envelope" }])
        const error = yield* Effect.flip(Stream.runDrain(stream.bytes))
        expect(error.reason).toBe("Reset")

        const again = yield* stranger.openStream(bob.address, OVERLAY_PROTOCOL)
        const up = yield* factOf(bob.overlay.facts, (fact) => fact._tag === "PeerUp")
        yield* again.write(new Uint8Array([1]))
        if (bob.overlay.peers().length === 0) yield* Fiber.join(up)
        const other = yield* makeLibp2pNode({ security: ["noise"] })
        const refused = yield* other.openStream(bob.address, OVERLAY_PROTOCOL)
        expect((yield* Effect.flip(Stream.runDrain(refused.bytes))).reason).toBe("Reset")
        expect(bob.overlay.peers()).toEqual([stranger.peerId])
      })
    ))
})
