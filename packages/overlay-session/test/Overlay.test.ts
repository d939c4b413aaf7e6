import { toHex } from "@satwire/bytes"
import { ChaChaRandom, makeSchnorrKey } from "@satwire/crypto"
import { Dialer, type Endpoint, layerMemory } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { FrameKind, type OverlayMessage, type OverlayOptions, encodeHello, frameOf, makeOverlay } from "../src/index.ts"
import { platformDeflate } from "../src/node.ts"

const random = ChaChaRandom.fromNumber(3)
const anywhere: Endpoint = { host: "127.0.0.1", port: 0 }
const text = (message: OverlayMessage) => new TextDecoder().decode(message.envelope.body)
const body = (said: string) => Uint8Array.from(said, (letter) => letter.charCodeAt(0))

/** A node that listens, and what it heard. */
const node = (nodeId: string, options: Partial<OverlayOptions> = {}) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const overlay = yield* makeOverlay({ nodeId, onMessage: (message) => heard.push(text(message)), ...options })
    const { endpoint } = yield* overlay.listen(anywhere)
    return { overlay, heard, endpoint }
  })
const until = (isSo: () => boolean) =>
  Effect.andThen(Effect.yieldNow, Effect.sync(isSo)).pipe(Effect.repeat({ until: (so) => so }))

describe.each([
  ["in memory", layerMemory()],
  ["over TCP", layerTcp]
])("an overlay %s", (_, transport) => {
  const run = <A, E>(test: Effect.Effect<A, E, Effect.Services<ReturnType<typeof node>> | Dialer>) =>
    Effect.runPromise(Effect.scoped(test).pipe(Effect.provide(transport)))

  it("carries messages along a line, of which each node says with whom it speaks", () =>
    run(
      Effect.gen(function* () {
        const [a, b, c] = [yield* node("a"), yield* node("b"), yield* node("c")]
        expect(yield* a.overlay.connect(b.endpoint)).toEqual({ nodeId: "b", isProven: false })
        yield* b.overlay.connect(c.endpoint)
        yield* until(() => c.overlay.peers().length === 1 && b.overlay.peers().length === 2)
        const streamed = yield* Effect.forkChild(Stream.runHead(c.overlay.messages), { startImmediately: true })
        expect((yield* a.overlay.send({ type: "chat/1", body: body("hello") })).peers).toBe(1)
        yield* until(() => c.heard.length === 1)
        expect([a.heard, b.heard, c.heard]).toEqual([[], ["hello"], ["hello"]])
        expect((yield* Fiber.join(streamed))._tag).toBe("Some")
        yield* a.overlay.send({ type: "chat/1", body: body("for c"), target: "c" })
        yield* until(() => c.heard.length === 2)
        expect(b.heard).toEqual(["hello"])
      })
    ))

  it("carries large messages whole, packed on the way", () =>
    run(
      Effect.gen(function* () {
        const [a, b] = [yield* node("a", { deflate: platformDeflate }), yield* node("b", { deflate: platformDeflate })]
        yield* a.overlay.connect(b.endpoint)
        const said = ["a", "b", "c"].map((letter) => letter.repeat(200_000))
        for (const one of [...said, `${said[0]}!`]) yield* a.overlay.send({ type: "big/1", body: body(one) })
        yield* until(() => b.heard.length === 4)
        expect(b.heard).toEqual([...said, `${said[0]}!`])
      })
    ))

  it("knows nodes by their keys", () =>
    run(
      Effect.gen(function* () {
        const [one, two] = [makeSchnorrKey(random), makeSchnorrKey(random)]
        const options = { mustBeSigned: true }
        const a = yield* node(toHex(one.publicKey), { ...options, key: one })
        const b = yield* node(toHex(two.publicKey), { ...options, key: two })
        expect(yield* a.overlay.connect(b.endpoint)).toEqual({ nodeId: toHex(two.publicKey), isProven: true })
        yield* until(() => b.overlay.peers().length === 1)
        yield* a.overlay.send({ type: "chat/1", body: body("signed") })
        yield* until(() => b.heard.length === 1)
        expect(b.overlay.peers()).toEqual([{ nodeId: toHex(one.publicKey), isProven: true }])
      })
    ))

  it("lets go of who sends rubbish, says why, and goes on", () =>
    run(
      Effect.gen(function* () {
        const [a, b] = [yield* node("a"), yield* node("b")]
        yield* a.overlay.connect(b.endpoint)
        const left = yield* Effect.forkChild(
          Stream.runHead(Stream.filter(b.overlay.facts, (fact) => fact._tag === "Left")),
          { startImmediately: true }
        )
        const { dial } = yield* Dialer
        const mallory = yield* dial(b.endpoint)
        const closed = Effect.callback<void>((resume) => {
          mallory.start({ onBytes() {}, onDrain() {}, onClose: () => resume(Effect.void) })
          mallory.write(
            frameOf(FrameKind.hello, encodeHello({ nodeId: "m", capabilities: 0, challenge: new Uint8Array(32) }))
          )
          mallory.write(frameOf(FrameKind.envelope, new Uint8Array(40)))
        })
        yield* closed
        const fact = yield* Fiber.join(left)
        expect(fact).toMatchObject({
          value: { peer: { nodeId: "m" }, end: { _tag: "Offence", offence: { _tag: "Invalid" } } }
        })
        yield* a.overlay.send({ type: "chat/1", body: body("still here") })
        yield* until(() => b.heard.length === 1)
      })
    ))

  it("reads one that floods no further, and others all the same", () =>
    run(
      Effect.gen(function* () {
        const b = yield* node("b", { rates: { messagesPerSecond: 1, burstMessages: 2000 } })
        const [a, flooder] = [yield* node("a"), yield* node("f")]
        yield* a.overlay.connect(b.endpoint)
        yield* flooder.overlay.connect(b.endpoint)
        for (let i = 0; i < 10_000; i++) yield* flooder.overlay.send({ type: "x/1", body: body("flood".repeat(20)) })
        yield* until(() => b.heard.length >= 2000)
        yield* a.overlay.send({ type: "chat/1", body: body("unharmed") })
        yield* until(() => b.heard.includes("unharmed"))
        expect(b.heard.length).toBeLessThan(4000)
        expect(b.overlay.peers()).toHaveLength(2)
      })
    ))

  it("dials a few at once of a thousand, and is done when its scope closes", () =>
    run(
      Effect.gen(function* () {
        const { connections } = yield* Dialer
        let most = 0
        yield* Effect.scoped(
          Effect.gen(function* () {
            const [a, b] = [yield* node("a", { maxDials: 4 }), yield* node("b")]
            const fact = yield* Effect.forkChild(
              Effect.forEach(
                Array.from({ length: 300 }),
                () =>
                  Effect.ignore(a.overlay.connect(b.endpoint)).pipe(
                    Effect.tap(() => Effect.sync(() => (most = Math.max(most, connections()))))
                  ),
                { concurrency: "unbounded", discard: true }
              )
            )
            yield* Fiber.join(fact)
            expect(a.overlay.peers()).toHaveLength(1)
          })
        )
        expect(most).toBeLessThanOrEqual(6)
        yield* until(() => connections() === 0)
      })
    ))
})
