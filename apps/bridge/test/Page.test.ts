/**
 * The example in a real browser: a page that follows a node's headers through a bridge, with a wire tap between bridge and node. What the
 * bridge carries is not to be told from noise; the same tap on the unencrypted transport shows that it would see otherwise.
 */
import { readFileSync } from "node:fs"
import { type Server, createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { toHex } from "@satwire/bytes"
import { connect } from "@satwire/client"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { CHROMIUM_FLAGS, describeWithChromium, regtestChain } from "@satwire/testkit"
import { bridgeRoute } from "@satwire/transport-websocket"
import { layerWebSocket } from "@satwire/transport-websocket/node"
import { messageTable } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { build } from "esbuild"
import { type Browser, chromium } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Progress } from "../example/PageHeaders.ts"
import { type BridgeUnderTest, bridged, edges } from "./BridgeUnderTest.ts"
import { regtestNode } from "./RegtestNode.ts"
import { type Relay, relayTo } from "./Relay.ts"

const HEADERS = 4500
const chain = regtestChain(HEADERS)
const example = (file: string): string => join(import.meta.dirname, "../example", file)

/** Commands that are long enough not to turn up in noise: one of six letters is a chance of 1 in 2^48 at each byte. */
const COMMANDS: ReadonlyArray<string> = Object.keys(messageTable).filter((command) => command.length >= 6)

/** What in these bytes is known of Bitcoin's protocol: the magic before a command, commands, headers, the user agent. */
const readable = (bytes: Uint8Array): ReadonlyArray<string> => {
  const text = Buffer.from(bytes).toString("latin1")
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(regtest.magic)
  const found = COMMANDS.filter((command) => text.includes(command))
  if (text.startsWith(magic.toString("latin1"))) found.push("magic")
  const someHeader = Buffer.from(chain.subarray(10 * HEADER_SIZE, 11 * HEADER_SIZE)).toString("latin1")
  if (text.includes(someHeader)) found.push("a header")
  if (text.includes("/satwire")) found.push("a user agent")
  return found.sort()
}

const bothWays = ({ recording }: Relay): ReadonlyArray<ReadonlyArray<string>> => {
  const { toNode, fromNode } = recording()
  return [readable(toNode), readable(fromNode)]
}

const underTest = Effect.gen(function* () {
  const node = yield* regtestNode(chain)
  const relay = yield* relayTo(node.endpoint)
  return { node, relay }
})

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws://127.0.0.1:*"

const served = async (): Promise<Server> => {
  const built = await build({
    entryPoints: [example("page.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["@satwire/source"],
    target: "es2024",
    logLevel: "silent"
  })
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    "/": ["text/html", readFileSync(example("index.html"), "utf8")],
    "/page.js": ["text/javascript", built.outputFiles[0]?.text ?? ""]
  }
  const server = createServer((request, response) => {
    const file = files[new URL(request.url ?? "/", "http://page").pathname]
    if (file === undefined) return response.writeHead(404).end()
    return response.writeHead(200, { "content-type": file[0], "content-security-policy": POLICY }).end(file[1])
  })
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  return server
}

let server: Server
let browser: Browser

const originOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** What the page tells at the end, and what it shows. */
const visit = async (query: Record<string, string>): Promise<{ readonly told: Progress; readonly shown: string }> => {
  const page = await browser.newPage()
  const errors: Array<Error> = []
  page.on("pageerror", (error) => errors.push(error))
  await page.goto(`${originOf()}/?${new URLSearchParams(query).toString()}`)
  const told = await page.evaluate(() => (globalThis as unknown as { done: Promise<Progress> }).done)
  const shown = (await page.textContent("output")) ?? ""
  await page.close()
  expect(errors).toEqual([])
  return { told, shown }
}

describeWithChromium(describe, "a page", (executablePath) => {
  beforeAll(async () => {
    server = await served()
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
  })

  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    await new Promise((closed) => server?.close(closed))
  })

  it("follows the headers of a node through a bridge that sees nothing but noise", () =>
    Effect.gen(function* () {
      const { node, relay } = yield* underTest
      const { host, port } = relay.endpoint
      const under = yield* bridged({ targets: [`${host}:${port}`], origins: [originOf()] })
      const query = {
        bridge: `ws://127.0.0.1:${under.bridge.endpoint.port}/`,
        node: `${host}:${port}`,
        network: "regtest"
      }
      const { told, shown } = yield* Effect.promise(() => visit(query))
      expect(told).toMatchObject({ userAgent: "/satwire-node-of-a-test:1.0/", transport: "v2", height: HEADERS })
      expect(shown).toContain(`height ${HEADERS}\n${told.tip}`)
      const ready = node.facts.find((fact) => fact._tag === "PeerReady")
      expect(ready?.info).toMatchObject({ transport: "v2", userAgent: "/satwire-page:0.0/" })
      // The keys are those of the page and the node, and of nobody in between.
      expect(toHex(ready?.info.sessionId ?? new Uint8Array(0))).toBe(told.sessionId)
      expect(told.sessionId).toMatch(/^[0-9a-f]{64}$/)

      const { summary, asker } = yield* under.event("Carried")
      expect(asker.origin).toBe(originOf())
      const { toNode, fromNode } = relay.recording()
      expect([summary.toNodeBytes, summary.toPageBytes]).toEqual([toNode.length, fromNode.length])
      expect(fromNode.length).toBeGreaterThan(HEADERS * HEADER_SIZE)
      expect(bothWays(relay)).toEqual([[], []])
    }).pipe(Effect.provide(edges), Effect.scoped, Effect.runPromise))

  it("is told why the bridge does not lead to a node", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ targets: ["127.0.0.1:1"], origins: ["*"] })
      const bridge = `ws://127.0.0.1:${under.bridge.endpoint.port}/`
      const page = yield* Effect.promise(() => browser.newPage())
      const query = new URLSearchParams({ bridge, node: "127.0.0.1:2", network: "regtest" })
      yield* Effect.promise(() => page.goto(`${originOf()}/?${query.toString()}`))
      const shown = page.locator("output", { hasText: "not allowed" })
      yield* Effect.promise(() => shown.waitFor({ state: "attached" }))
      expect(yield* Effect.promise(() => shown.textContent())).toContain(
        "No connection to 127.0.0.1:2: it is not allowed (it is special (loopback) and not on the list itself)"
      )
      yield* Effect.promise(() => page.close())
    }).pipe(Effect.provide(edges), Effect.scoped, Effect.runPromise))
})

describe("without encryption", () => {
  const unencrypted = (relay: Relay, { bridge }: BridgeUnderTest) =>
    Effect.gen(function* () {
      const route = bridgeRoute(`ws://127.0.0.1:${bridge.endpoint.port}/`)
      const transport = yield* Layer.build(layerWebSocket({ route }))
      const session = connect(relay.endpoint, { params: regtest, v2transport: "never" })
      return yield* Effect.provideContext(session, transport)
    })

  it("the same wire tap reads everything", () =>
    Effect.gen(function* () {
      const { relay } = yield* underTest
      const session = yield* unencrypted(relay, yield* bridged({ rules: { allowUnencrypted: true } }))
      yield* session.headers([regtest.genesisHash], undefined)
      const [toNode, fromNode] = bothWays(relay)
      expect(toNode).toEqual(expect.arrayContaining(["a user agent", "getheaders", "magic", "verack", "version"]))
      expect(fromNode).toEqual(expect.arrayContaining(["a header", "a user agent", "headers", "magic", "version"]))
    }).pipe(Effect.provide(edges), Effect.scoped, Effect.runPromise))

  it("a bridge carries nothing unless it is told to", () =>
    Effect.gen(function* () {
      const { relay } = yield* underTest
      const ended = yield* Effect.flip(unencrypted(relay, yield* bridged()))
      expect(ended.message).toContain("this bridge carries no v1: it could read along")
      expect(relay.recording().toNode.length).toBe(0)
    }).pipe(Effect.provide(edges), Effect.scoped, Effect.runPromise))
})
