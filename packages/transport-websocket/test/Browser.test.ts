/** The dialer in a real browser: one bundle, and a page on loopback that talks to a listener of ours. */
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { Listener } from "@satwire/transport"
import { CHROMIUM_FLAGS, describeWithChromium } from "@satwire/testkit"
import { build } from "esbuild"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { type Browser, chromium } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { layerWebSocket } from "../src/node.ts"
import type { PageReport } from "./browser/page.ts"

const bundled = async (entry: string): Promise<string> => {
  const built = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["@satwire/source"],
    target: "es2024",
    logLevel: "silent"
  })
  return built.outputFiles[0]?.text ?? ""
}

/** A page that may open WebSockets. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src ws://127.0.0.1:*"

const served = async (script: string): Promise<Server> => {
  const server = createServer((request, response) => {
    if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(script)
    else {
      response.setHeader("content-type", "text/html").setHeader("content-security-policy", POLICY)
      response.end('<!doctype html><title>Satwire</title><script type="module" src="/page.js"></script>')
    }
  })
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  return server
}

it("needs nothing of a platform but what pages have", async () => {
  // The bundler has no other modules to give.
  await expect(bundled("../src/index.ts")).resolves.toContain("WebSocket")
})

describeWithChromium(describe, "in a browser, a WebSocket", (executablePath) => {
  const runtime = ManagedRuntime.make(layerWebSocket())
  let server: Server
  let browser: Browser

  beforeAll(async () => {
    server = await served(await bundled("browser/page.ts"))
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
  })

  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    await new Promise((closed) => server?.close(closed))
    await runtime.dispose()
  })

  /** Listens and says back whatever is said, held back by who does not read. */
  const echo = Effect.gen(function* () {
    const { listen } = yield* Listener
    return yield* listen({ host: "127.0.0.1", port: 0 }, (connection) =>
      connection.start({
        onBytes: (bytes) => connection.write(new Uint8Array(bytes)),
        onDrain: () => undefined,
        onClose: () => undefined
      })
    )
  })

  it("carries bytes both ways, and tells when they have left, how it ended, and that it cannot tell why a dial failed", async () => {
    const scope = await runtime.runPromise(Scope.make())
    const { endpoint } = await runtime.runPromise(Scope.provide(echo, scope))
    const nobody = await runtime.runPromise(Effect.scoped(echo))
    const page = await browser.newPage()
    const errors: Array<Error> = []
    page.on("pageerror", (error) => errors.push(error))
    const { port } = server.address() as AddressInfo
    await page.goto(`http://127.0.0.1:${port}/?echo=${endpoint.port}&nobody=${nobody.endpoint.port}`)
    const report = await page.evaluate(() => (globalThis as unknown as { report: Promise<PageReport> }).report)
    await page.close()
    expect(errors).toEqual([])
    const message = `No connection to 127.0.0.1:${nobody.endpoint.port}: the platform does not say why.`
    expect(report).toEqual({
      isEchoed: true,
      drained: 1,
      endedBy: "Ended",
      overrunBy: "Overrun",
      refused: { reason: "Other", message }
    })
  })
})
