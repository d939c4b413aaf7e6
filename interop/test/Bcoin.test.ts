import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import { BcoinError, startBcoin } from "../Bcoin.ts"

/** "connected", or the code of the error that a connection meets. */
const dial = (to: Endpoint): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const socket = connect(to.port, to.host)
    socket.once("connect", () => resume(Effect.succeed("connected")))
    socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? error.message)))
    return Effect.sync(() => socket.destroy())
  })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("Bcoin", () => {
  it.live("mines 500 blocks, takes peers while its scope is open, and leaves no process and no port behind", () =>
    Effect.gen(function* () {
      const { p2p, pid } = yield* Effect.scoped(
        Effect.gen(function* () {
          const bcoin = yield* startBcoin()
          expect(yield* bcoin.height).toBe(0)
          const hashes = yield* bcoin.mine(500)
          expect(new Set(hashes).size).toBe(500)
          expect(yield* bcoin.height).toBe(500)
          expect(yield* bcoin.rpc("getbestblockhash")).toBe(hashes[499])
          expect(yield* dial(bcoin.p2p)).toBe("connected")
          expect(isAlive(bcoin.pid)).toBe(true)
          return bcoin
        })
      )
      expect(isAlive(pid)).toBe(false)
      expect(yield* dial(p2p)).toBe("ECONNREFUSED")
    })
  )

  it.live("runs two nodes at once, each on ports of its own", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [one, two] = yield* Effect.all([startBcoin(), startBcoin()], { concurrency: 2 })
        expect(one.p2p.port).not.toBe(two.p2p.port)
        yield* one.mine(3)
        expect(yield* two.height).toBe(0)
      })
    )
  )

  it.live("fails with the end of the log when bcoin does not start", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(startBcoin(new URL("absent.ts", import.meta.url))))
      expect(error).toBeInstanceOf(BcoinError)
      expect(error.message).toMatch(/^bcoin ended before it was ready[^]*Cannot find module/)
    })
  )

  it.live("fails with bcoin's own words when it refuses a call", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bcoin = yield* startBcoin()
        const error = yield* Effect.flip(bcoin.rpc("getblockhash", [7]))
        expect(error.message).toBe("bcoin refused getblockhash: Block height out of range.")
      })
    )
  )

  it.live("ends by itself when its standard input ends, so that it outlives nobody", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const script = fileURLToPath(new URL("../bcoin-process.ts", import.meta.url))
        const child = yield* ChildProcess.make("node", [script], {
          stdin: "ignore",
          stdout: "ignore",
          stderr: "ignore"
        })
        expect(yield* child.exitCode).toBe(0)
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )
})
