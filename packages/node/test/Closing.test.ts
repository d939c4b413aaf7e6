import { portableSha256 } from "@satwire/crypto"
import { layerOnDisk, makeNode } from "@satwire/node"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { Dialer, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { handles, tellsDescriptors } from "./Handles.ts"
import { ServedHeaders, headerServer } from "./HeaderServer.ts"
import { type RawServer, rawPeer, rawServer } from "./RawPeer.ts"
import { lastOf, regtestChain } from "@satwire/testkit"
import { type TestNode, optionsOf, startOn } from "./TestNode.ts"
import { temporaryDirectory } from "./TemporaryDirectory.ts"

const chain = regtestChain(20_000)
const served = ServedHeaders.of(chain)

interface Moment {
  /** Whom the node dials. */
  readonly dialled: ReadonlyArray<RawServer["endpoint"]>
  /** Waits for the moment, and gives how many connections the node has then. */
  readonly reached: (node: TestNode) => Effect.Effect<number, unknown, Scope.Scope>
}

/** Starts a node on the disk, closes it at a moment, and counts what is left of it. */
const closesAll = (moment: Effect.Effect<Moment, unknown, Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(temporaryDirectory, (directory) => closesAllIn(directory, moment)))

const closesAllIn = (directory: string, moment: Effect.Effect<Moment, unknown, Scope.Scope>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { dialled, reached } = yield* moment
      const watched = { directory, listening: 0, dialled: dialled.map(({ port }) => port) }
      const before = handles(watched)
      const scope = yield* Scope.make()
      const edges = yield* Layer.buildWithScope(
        Layer.fresh(Layer.mergeAll(layerTcp, layerOnDisk(directory, regtest))),
        scope
      )
      const open = (): number => Context.get(edges, Dialer).connections() + Context.get(edges, Listener).connections()
      const running = yield* Scope.make()
      const node = yield* Scope.provide(startOn(Layer.succeedContext(edges), { connect: dialled }), running)
      const connections = yield* reached(node)
      const all = { ...watched, listening: node.endpoint.port }
      const during = handles(all)
      assert.strictEqual(open(), connections)
      if (tellsDescriptors) {
        assert.isAtLeast(during.files, 1)
        // The listener's is one. Whoever dials may not have got its own yet.
        assert.isAtLeast(during.sockets, node.all("PeerConnected").length > 0 ? connections + 1 : 1)
      }
      // First the node alone, while the transport and the store that it was given live on.
      yield* Scope.close(running, Exit.void)
      // A dial that is given up is counted until its socket says that it is closed, in the next turn.
      yield* Effect.yieldNow
      // What was to run at once is a timer on Deno, and is gone when it has run into nothing.
      for (let i = 0; i < 50 && handles(all).timers > before.timers; i++) yield* Effect.sleep(1)
      const left = handles(all)
      assert.deepStrictEqual([open(), left.sockets], [0, 0])
      assert.isAtMost(left.timers, before.timers)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(handles(all).files, 0)
      return node
    })
  )

describe("a node that is interrupted leaves no socket, file or timer", () => {
  it.live("while it dials", () =>
    closesAll(
      Effect.gen(function* () {
        const server = yield* rawServer
        const reached = (node: TestNode) =>
          Effect.sync(() => (assert.deepStrictEqual(node.all("PeerConnected"), []), 1))
        return { dialled: [server.endpoint], reached }
      })
    )
  )

  it.live("while it shakes hands", () =>
    closesAll(
      Effect.gen(function* () {
        const server = yield* rawServer
        const reached = Effect.fnUntraced(function* (node: TestNode) {
          yield* rawPeer(node.endpoint)
          yield* node.until("PeerConnected", () => node.all("PeerConnected").length === 2)
          return 2
        })
        return { dialled: [server.endpoint], reached }
      })
    )
  )

  it.live("in the middle of a sync, and has kept on the disk all that it took in", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const node = yield* closesAllIn(
        directory,
        Effect.gen(function* () {
          const dialled = [yield* headerServer(regtest, served)]
          return { dialled, reached: (node: TestNode) => Effect.as(node.until("HeadersAccepted"), 1) }
        })
      )
      const accepted = node.all("HeadersAccepted").reduce((sum, { count }) => sum + count, 0)
      assert.isBelow(accepted, chain.length / HEADER_SIZE)
      const kept = yield* Effect.flatMap(HeaderStore, ({ load }) => load(() => {})).pipe(
        Effect.provide(Layer.fresh(layerOnDisk(directory, regtest)))
      )
      assert.strictEqual(kept.count, accepted)
    }).pipe(Effect.scoped)
  )

  it.live("when it is idle", () =>
    closesAll(
      Effect.gen(function* () {
        const dialled = [yield* headerServer(regtest, served)]
        return { dialled, reached: (node: TestNode) => Effect.as(node.followed(lastOf(chain, 1)), 1) }
      })
    )
  )

  it.live("with fifty connections, half of them dialled", () =>
    closesAll(
      Effect.gen(function* () {
        const servers = yield* Effect.forEach(Array.from({ length: 25 }), () => rawServer)
        const reached = Effect.fnUntraced(function* (node: TestNode) {
          for (let i = 0; i < 25; i++) (yield* rawPeer(node.endpoint)).shakeHands()
          yield* node.until("PeerReady", () => node.all("PeerReady").length === 25)
          yield* node.until("PeerConnected", () => node.all("PeerConnected").length === 50)
          return 50
        })
        return { dialled: servers.map(({ endpoint }) => endpoint), reached }
      })
    )
  )

  it.live("at any step of its start", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const server = yield* rawServer
        const watched = { directory, listening: 0, dialled: [server.endpoint.port] }
        const before = handles(watched)
        for (let steps = 0, isStarted = false; !isStarted; steps++) {
          const edges = Layer.fresh(Layer.mergeAll(layerTcp, layerOnDisk(directory, regtest)))
          const start = Effect.forkChild(Effect.scoped(startOn(edges, { connect: [server.endpoint] })), {
            startImmediately: true
          })
          const starting = yield* start
          for (let i = 0; i < steps; i++) yield* Effect.yieldNow
          isStarted = Exit.isSuccess(yield* Effect.andThen(Fiber.interrupt(starting), Fiber.await(starting)))
          const after = handles(watched)
          assert.deepStrictEqual([after.files, after.sockets], [0, 0])
          assert.isAtMost(after.timers, before.timers)
        }
      })
    )
  )
})

describe("a node that cannot go on", () => {
  it.live("because of a bug has closed everything by the time it says so, and names the input that broke it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const edges = yield* Layer.build(Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory)))
        let isBroken = false
        const sha256 = new Proxy(portableSha256, {
          get(target, name, receiver) {
            if (isBroken) throw new Error("the hash is broken")
            return Reflect.get(target, name, receiver) as unknown
          }
        })
        const server = yield* rawServer
        const node = yield* Effect.provide(makeNode(optionsOf({ connect: [server.endpoint] }), sha256), edges)
        const raw = yield* rawPeer(node.listening ?? server.endpoint)
        const { connections } = Context.get(edges, Listener)
        yield* Effect.repeat(Effect.yieldNow, { until: () => connections() === 1 && server.peers.length === 1 })
        isBroken = true
        raw.shakeHands()
        const error = yield* Effect.flip(node.failure)
        assert.strictEqual(error._tag, "MachineFailed")
        assert.include(error.message, "the hash is broken (last input: BytesReceived)")
        assert.deepStrictEqual([connections(), Context.get(edges, Dialer).connections()], [0, 0])
        yield* raw.closed
        // What is asked of it now is nothing that hurts.
        yield* node.makeBlock
        yield* node.connect(server.endpoint)
        assert.strictEqual((yield* node.query("headers"))?.tip.height, 0)
        assert.strictEqual(Context.get(edges, Dialer).connections(), 0)
      })
    )
  )
})
