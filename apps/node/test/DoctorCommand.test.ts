import { readFileSync } from "node:fs"
import { join } from "node:path"
import { listen } from "@satwire/client"
import { regtest } from "@satwire/primitives"
import { DataDirectory, layerFiles } from "@satwire/store"
import { type Listener, formatEndpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "vitest"
import { freshHome, run } from "./Program.ts"

const live = <A, E>(program: Effect.Effect<A, E, Listener | Scope.Scope>): Promise<A> =>
  program.pipe(Effect.scoped, Effect.provide(layerTcp), Effect.runPromise)

/** The lines with a sign, by what was looked at. */
const signs = (stdout: string): ReadonlyArray<string> =>
  stdout
    .split("\n")
    .filter((line) => /^(?:ok|PROBLEM|note|skipped)\s/.test(line))
    .map((line) => line.replace(/^(\S+)\s+(DNS seeds|\S+)\s.*$/, "$2 $1"))

describe("satwire doctor", () => {
  it("says of everything that a node needs how it is, and of nothing that it stands in the way", () =>
    live(
      Effect.gen(function* () {
        const { endpoint } = yield* listen(
          { host: "127.0.0.1", port: 0 },
          { params: regtest, userAgent: "/well:1.0/", services: 9n, startHeight: 0 },
          () => Effect.never
        )
        const home = freshHome()
        const place = DataDirectory.layer({ root: join(home, ".satwire"), network: regtest })
        yield* Layer.build(Layer.provide(place, layerFiles))
        const { code, stderr, stdout } = yield* Effect.promise(() =>
          run(["doctor", "-regtest", `-connect=${formatEndpoint(endpoint)}`, "-rpcport=0", "-timeout=2500"], { home })
        )
        expect([code, stderr]).toEqual([0, ""])
        expect(signs(stdout)).toEqual([
          "Disk ok",
          "Disk note",
          "Ports ok",
          "Reachability skipped",
          "DNS seeds skipped",
          "Handshakes ok",
          "Headers note",
          "Clock ok"
        ])
        expect(stdout).toContain(`${join(home, ".satwire/regtest")} is in use by process ${process.pid}.`)
        expect(stdout).toContain("1 of 1 nodes shook hands, 1 of them encrypted")
      })
    ))

  it("names what stands in the way, what to do about it, and ends with exit code 1", async () => {
    const { code, stderr, stdout } = await run([
      "doctor",
      "-regtest",
      "-connect=127.0.0.1:1",
      "-datadir=/dev/null/x",
      "-rpcport=0"
    ])
    expect(signs(stdout)).toEqual([
      "Disk PROBLEM",
      "Ports ok",
      "Reachability skipped",
      "DNS seeds skipped",
      "Handshakes PROBLEM"
    ])
    expect(stdout).toContain("/dev/null/x/regtest cannot be written to (ENOTDIR).\n")
    expect(stdout).toContain("→ Choose another directory with --datadir.\n")
    expect(stdout).toMatch(/None of 1 nodes shook hands: 127\.0\.0\.1:1 refused the connection[^\n]*[^.]\.\n/)
    expect(stderr).toBe("satwire: found 2 problems: more about each in docs/troubleshooting.md\n")
    expect(code).toBe(1)
  })

  it("has a section of the troubleshooting page for each thing that it looks at", () => {
    const page = readFileSync(new URL("../../../docs/troubleshooting.md", import.meta.url), "utf8")
    const checks = ["Disk", "Ports", "DNS seeds", "Reachability", "Handshakes", "Headers", "Clock"]
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title).slice(0, checks.length)).toEqual(checks)
  })
})
