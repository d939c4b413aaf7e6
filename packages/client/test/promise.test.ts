import {
  DialError,
  EndpointError,
  type OwnSession,
  SessionEnded,
  connect,
  listen,
  overConnection
} from "@satwire/client/promise"
import { mainnet, regtest } from "@satwire/primitives"
import { Dialer, Listener, layerMemory } from "@satwire/transport"
import { GETADDR, MEMPOOL, type Message } from "@satwire/wire"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { numberOf, numbered } from "./Numbered.ts"

const network = "regtest" as const

/** What nobody handled, in this process. */
const unhandled: Array<unknown> = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
beforeAll(() => void process.on("unhandledRejection", onUnhandled))
afterAll(async () => {
  // Such a rejection is reported after the turn in which nobody took it.
  await new Promise((resolve) => setImmediate(resolve))
  process.off("unhandledRejection", onUnhandled)
  expect(unhandled).toEqual([])
})

/** Sends back whatever comes, until its peer leaves. */
const echo = { network, userAgent: "/echo:1/" } as const
const echoes = () =>
  listen("127.0.0.1:0", echo, async (session) => {
    for await (const message of session.messages) await session.send(message)
  })

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it was to be rejected"),
    (error: unknown) => error
  )

describe("the promise door", () => {
  test("shakes hands, sends, receives and closes", async () => {
    await using far = await echoes()
    const session = await connect(`127.0.0.1:${far.endpoint.port}`, { network, startHeight: 7 })
    expect(session.info.userAgent).toBe("/echo:1/")
    expect(session.remote).toEqual(far.endpoint)
    expect(await session.ping()).toBeGreaterThan(0)
    await session.send(MEMPOOL)
    expect(await session.receive()).toEqual(MEMPOOL)
    expect((await session.snapshot()).received.get("mempool")).toMatchObject({ messages: 1 })
    await session.close()
    await session.close()
    expect(await rejection(session.send(MEMPOOL))).toMatchObject({ by: "us" })
  })

  test("closes with `await using`, also when the block throws", async () => {
    await using far = await echoes()
    let kept: OwnSession | undefined
    const broken = async (): Promise<void> => {
      await using session = await connect(far.endpoint, { network })
      kept = session
      throw new Error("in the block")
    }
    await expect(broken()).rejects.toThrow("in the block")
    expect(await rejection((kept as OwnSession).receive())).toBeInstanceOf(SessionEnded)
  })

  test("loses no message between two loops over them", async () => {
    await using far = await listen("127.0.0.1:0", { network }, async (session) => {
      for (let i = 0; i < 3000; i++) await session.send(numbered(i))
      await session.receive()
    })
    await using session = await connect(far.endpoint, { network })
    const seen: Array<number> = []
    for (let loop = 0; loop < 30; loop++) {
      for await (const message of session.messages) {
        seen.push(numberOf(message))
        if (seen.length % 100 === 0) break
      }
    }
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  })

  test("ends a loop when the session is closed here, and throws in it when the peer leaves", async () => {
    await using far = await listen("127.0.0.1:0", { network }, async (session) => {
      await session.send(GETADDR)
      await session.receive()
    })
    const closing = await connect(far.endpoint, { network })
    const commands: Array<string> = []
    for await (const message of closing.messages) {
      commands.push(message._tag)
      await closing.close()
    }
    expect(commands).toEqual(["getaddr"])

    await using left = await connect(far.endpoint, { network })
    const loop = async (): Promise<void> => {
      for await (const message of left.messages) {
        commands.push(message._tag)
        await left.send(MEMPOOL)
      }
    }
    expect(await rejection(loop())).toMatchObject({ _tag: "SessionEnded", by: "peer" })
    expect(commands).toEqual(["getaddr", "getaddr"])
  })

  test("tells an iterator that is left while it waits that there is no more", async () => {
    await using far = await echoes()
    await using session = await connect(far.endpoint, { network })
    const iterator = session.messages[Symbol.asyncIterator]()
    const waiting = iterator.next()
    await iterator.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await session.send(MEMPOOL)
    expect(await session.receive()).toEqual(MEMPOOL)
  })

  test("rejects with the error itself: nobody listens, no endpoint, another network, no such network", async () => {
    const far = await echoes()
    const { endpoint } = far
    const otherNetwork = await rejection(
      connect(endpoint, { network: { ...regtest, magic: mainnet.magic }, v2transport: "never" })
    )
    expect(otherNetwork).toBeInstanceOf(SessionEnded)
    await far.close()
    const refused = await rejection(connect(endpoint, { network }))
    expect(refused).toBeInstanceOf(DialError)
    expect(refused).toMatchObject({ reason: "Refused", endpoint })
    expect(await rejection(connect("127.0.0.1:99999", { network }))).toBeInstanceOf(EndpointError)
    const unknown = await rejection(connect(endpoint, { network: "lightning" as "regtest" }))
    expect(unknown).toBeInstanceOf(TypeError)
    expect(unknown).toMatchObject({ message: expect.stringContaining("mainnet, testnet3, testnet4, signet, regtest") })
  })

  test("takes the network's own port where the text names none", async () => {
    const layer = layerMemory()
    await using far = await listen("127.0.0.1", { network: "testnet4", transport: layer }, async () => {})
    expect(far.endpoint.port).toBe(48_333)
  })

  test("refuses what is no message, and the session goes on", async () => {
    await using far = await echoes()
    await using session = await connect(far.endpoint, { network })
    for (const wrong of [{ _tag: "feefilter" }, { _tag: "headers" }, { _tag: "nonsense" }, undefined]) {
      expect(await rejection(session.send(wrong as unknown as Message))).toBeInstanceOf(TypeError)
    }
    await session.send(MEMPOOL)
    expect(await session.receive()).toEqual(MEMPOOL)
  })

  test("rejects with the reason of the signal, before, while dialling, shaking hands and waiting", async () => {
    const reason = new Error("enough")
    await using far = await echoes()
    expect(await rejection(connect(far.endpoint, { network, signal: AbortSignal.abort(reason) }))).toBe(reason)

    const controller = new AbortController()
    const connecting = rejection(connect(far.endpoint, { network, signal: controller.signal }))
    controller.abort(reason)
    expect(await connecting).toBe(reason)

    await using session = await connect(far.endpoint, { network })
    const waiting = new AbortController()
    const received = rejection(session.receive({ signal: waiting.signal }))
    waiting.abort(reason)
    expect(await received).toBe(reason)
    await session.send(MEMPOOL, { signal: AbortSignal.timeout(60_000) })
    expect(await session.receive()).toEqual(MEMPOOL)
  })

  test("leaves no connection when a handshake is aborted that would never end", async () => {
    const { dialer, endpoint, accepted, transport, close } = await silence()
    const controller = new AbortController()
    const connecting = rejection(connect(endpoint, { network, transport, signal: controller.signal }))
    await accepted
    expect(dialer.connections()).toBe(1)
    controller.abort()
    expect(await connecting).toMatchObject({ name: "AbortError" })
    expect(dialer.connections()).toBe(0)
    await close()
  })

  test("shakes hands over a connection that is open already", async () => {
    const layer = layerMemory()
    await using host = await shared(layer)
    const transport = host.layer
    await using far = await listen("127.0.0.1:0", { ...echo, transport }, async (session) => {
      await session.send(MEMPOOL)
      await session.receive()
    })
    const connection = await Effect.runPromise(host.dialer.dial(far.endpoint))
    await using session = await overConnection(connection, { network })
    expect(await session.receive()).toEqual(MEMPOOL)
  })

  test("closes the sessions of a listener with it, and refuses more than it may have", async () => {
    const far = await listen("127.0.0.1:0", { network, maxSessions: 2 }, async (session) => {
      for await (const _ of session.messages);
    })
    const sessions = [await connect(far.endpoint, { network }), await connect(far.endpoint, { network })]
    expect(await rejection(connect(far.endpoint, { network }))).toBeInstanceOf(SessionEnded)
    await far.close()
    for (const session of sessions) {
      expect(await rejection(session.ended())).toBeInstanceOf(SessionEnded)
      await session.close()
    }
  })
})

/** A transport that several calls share, as a process shares one. */
const shared = async (layer: ReturnType<typeof layerMemory>) => {
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  return {
    dialer: Context.get(context, Dialer),
    listener: Context.get(context, Listener),
    layer: Layer.succeedContext(context),
    scope,
    close,
    [Symbol.asyncDispose]: close
  }
}

/** A listener that takes a connection and never says anything. */
const silence = async () => {
  const { dialer, listener, layer, scope, close } = await shared(layerMemory())
  const accepted = Deferred.makeUnsafe<void>()
  const { endpoint } = await Effect.runPromise(
    listener
      .listen({ host: "127.0.0.1", port: 0 }, () => Deferred.doneUnsafe(accepted, Exit.void))
      .pipe(Scope.provide(scope))
  )
  return { dialer, endpoint, transport: layer, close, accepted: Effect.runPromise(Deferred.await(accepted)) }
}
