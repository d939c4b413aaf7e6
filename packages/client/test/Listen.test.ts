import { connect, listen } from "@satwire/client"
import { regtest } from "@satwire/primitives"
import { MEMPOOL } from "@satwire/wire"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { eventually, overEachTransport } from "./Transports.ts"

const options = { params: regtest }
const anywhere = { host: "127.0.0.1", port: 0 }

overEachTransport("listening for sessions", (session) => {
  session(
    "gives each peer to a fiber of its own and closes its session when that is done",
    Effect.gen(function* () {
      const { endpoint, connections } = yield* listen(anywhere, { ...options, userAgent: "/here:1/" }, (far) =>
        Effect.andThen(far.send(MEMPOOL), Effect.asVoid(far.receive))
      )
      const [one, two] = [yield* connect(endpoint, options), yield* connect(endpoint, options)]
      expect(one.info.userAgent).toBe("/here:1/")
      expect([yield* one.receive, yield* two.receive]).toEqual([MEMPOOL, MEMPOOL])
      yield* one.send(MEMPOOL)
      expect(yield* Effect.flip(one.ended)).toMatchObject({ by: "peer" })
      yield* eventually(() => connections() === 1)
      expect(yield* two.ping).toBeGreaterThan(0)
    })
  )

  session(
    "takes as many sessions at once as it may, and another one when one has gone",
    Effect.gen(function* () {
      const { endpoint, connections } = yield* listen(anywhere, { ...options, maxSessions: 1 }, (far) => far.ended)
      const scope = yield* Scope.make()
      yield* connect(endpoint, options).pipe(Scope.provide(scope))
      expect(yield* Effect.flip(connect(endpoint, options))).toMatchObject({ _tag: "SessionEnded" })
      yield* Scope.close(scope, Exit.void)
      yield* eventually(() => connections() === 0)
      yield* connect(endpoint, options)
    })
  )

  session(
    "logs what the talk with one peer dies of, and goes on with the others",
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(message))
      const { endpoint } = yield* listen(anywhere, options, (far) =>
        far.info.userAgent === "/bad:1/" ? Effect.die(new Error("broken")) : far.ended
      ).pipe(Effect.provide(Logger.layer([logger])))
      const good = yield* connect(endpoint, options)
      const bad = yield* connect(endpoint, { ...options, userAgent: "/bad:1/" })
      yield* Effect.flip(bad.ended)
      yield* eventually(() => logged.length === 1)
      expect(String(logged[0])).toMatch(/the session with 127\.0\.0\.1:\d+ broke/)
      expect(yield* good.ping).toBeGreaterThan(0)
    })
  )

  session(
    "closes every session with its scope",
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { endpoint } = yield* listen(anywhere, options, (far) => far.ended).pipe(Scope.provide(scope))
      const near = yield* connect(endpoint, options)
      yield* Scope.close(scope, Exit.void)
      expect(yield* Effect.flip(near.ended)).toMatchObject({ reason: { _tag: "ConnectionClosed" } })
    })
  )
})
