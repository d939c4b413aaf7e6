/**
 * Debian's `i2pd`, which nobody here wrote, without a network: it knows no routers and fetches no list of them. It is asked what it can
 * answer alone: hello, keys and names.
 */
import { it } from "@effect/vitest"
import { daemon, describeWithProgram } from "@satwire/testkit"
import { Dialer, OpenConnections } from "@satwire/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect } from "vitest"
import { destinationOf, endpointOf, layerI2p, makeIdentity } from "../src/index.ts"
import { SamTalk } from "../src/SamTalk.ts"

/** What would listen besides. One transport has to be on, or it does not start: unpublished, on loopback, in network 99, which is nobody's. */
const OFF = ["http", "httpproxy", "socksproxy", "ssu2"]

const i2pd = (path: string, names: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "satwire-i2pd-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
    )
    const empty = join(folder, "empty.conf")
    writeFileSync(empty, "")
    const hosts = Object.entries(names).map(([name, destination]) => `${name}=${destination}\n`)
    writeFileSync(join(folder, "hosts.txt"), hosts.join(""))
    return yield* daemon(path, (port) => [
      `--datadir=${folder}`,
      `--conf=${empty}`,
      `--tunconf=${empty}`,
      "--log=file",
      "--netid=99",
      "--notransit",
      "--host=127.0.0.1",
      "--address4=127.0.0.1",
      // Where nobody listens: it takes no empty list.
      "--reseed.urls=http://127.0.0.1:9/",
      "--ntcp2.published=false",
      ...OFF.map((what) => `--${what}.enabled=false`),
      "--sam.enabled=true",
      "--sam.address=127.0.0.1",
      `--sam.port=${port}`
    ])
  })

describeWithProgram(describe, "i2pd", "Debian's i2pd", (path) => {
  it.live("says hello, and makes keys whose name it agrees with", () =>
    Effect.gen(function* () {
      const bridge = yield* i2pd(path)
      const { privateKey, endpoint } = yield* makeIdentity(bridge)
      const destination = destinationOf(privateKey) ?? ""
      expect(endpointOf(destination)).toEqual(endpoint)

      const talk = yield* SamTalk.open(yield* i2pd(path, { "satwire.i2p": destination }), new OpenConnections())
      for (const name of ["satwire.i2p", endpoint.host]) {
        const reply = yield* talk.ask(`NAMING LOOKUP NAME=${name}`, "NAMING REPLY")
        expect([name, reply.result, reply.pairs.get("VALUE")]).toEqual([name, "OK", destination])
      }
    }).pipe(Effect.scoped)
  )

  it.live("has nobody of that name, and says so", () =>
    Effect.gen(function* () {
      const bridge = yield* i2pd(path)
      const talk = yield* SamTalk.open(bridge, new OpenConnections())
      for (const name of ["nobody.i2p", `${"a".repeat(52)}.b32.i2p`]) {
        const reply = yield* talk.ask(`NAMING LOOKUP NAME=${name}`, "NAMING REPLY")
        expect(["INVALID_KEY", "KEY_NOT_FOUND", "LEASESET_NOT_FOUND"]).toContain(reply.result)
      }
    }).pipe(Effect.scoped)
  )

  it.live("builds no session without a network: a dial has its time, and leaves nothing", () =>
    Effect.gen(function* () {
      const bridge = yield* i2pd(path)
      const { privateKey } = yield* makeIdentity(bridge)
      const built = yield* Layer.build(layerI2p({ bridge, privateKey }))
      const { dial, connections } = Context.get(built, Dialer)
      const error = yield* Effect.flip(dial({ host: "nobody.i2p", port: 0 }, { timeoutMs: 1000 }))
      expect(error.reason).toBe("TimedOut")
      expect(connections()).toBe(0)
    }).pipe(Effect.scoped)
  )
})
