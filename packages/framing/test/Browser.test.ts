/** The packages below the seam in a real browser: one bundle, and a page on loopback that decodes blocks with it. */
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { portableSha256, wasmSha256 } from "@satwire/crypto"
import { type BlockHeader, BlockView, blockMerkleRoot, mainnet } from "@satwire/primitives"
import { CHROMIUM_FLAGS, arbitraryHeader, arbitraryTransaction, describeWithChromium, realData } from "@satwire/testkit"
import { build } from "esbuild"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { type Browser, chromium } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { V1Framing } from "../src/index.ts"
import { blockFacts } from "./browser/BlockFacts.ts"
import type { PageReport } from "./browser/page.ts"

const REAL_BLOCK = "blocks/mainnet/block_702861_c835b2adcaed.bin"
const TRANSACTIONS = 800

/** Paths of the page, and what each one's policy lets it run. */
const POLICIES = {
  "/with-wasm": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  "/without-wasm": "default-src 'none'; script-src 'self'; connect-src 'self'"
} as const

const generatedBlock = (): BlockView => {
  const transactions = fc.sample(arbitraryTransaction, { numRuns: TRANSACTIONS, seed: 3 })
  const [header] = fc.sample(arbitraryHeader, { numRuns: 1, seed: 3 }) as [BlockHeader]
  const { root } = blockMerkleRoot(portableSha256, transactions)
  return BlockView.of({ header: { ...header, merkleRoot: root }, transactions })
}

/** A block that was made here, and a real one where it is at hand. */
const blocks = (): ReadonlyArray<BlockView> => {
  const real = realData()?.bytes(REAL_BLOCK)
  return [generatedBlock(), ...(real === undefined ? [] : [Result.getOrThrow(BlockView.decode(real)).value])]
}

const bundled = async (): Promise<string> => {
  const built = await build({
    entryPoints: [join(import.meta.dirname, "browser/page.ts")],
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

const served = async (script: string, frames: Uint8Array): Promise<Server> => {
  const server = createServer((request, response) => {
    const policy = POLICIES[request.url as keyof typeof POLICIES]
    if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(script)
    else if (request.url === "/frames") response.setHeader("content-type", "application/octet-stream").end(frames)
    else if (policy === undefined) response.writeHead(404).end()
    else {
      response.setHeader("content-type", "text/html").setHeader("content-security-policy", policy)
      response.end('<!doctype html><title>Satwire</title><script type="module" src="/page.js"></script>')
    }
  })
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  return server
}

describeWithChromium(describe, "in a browser, wire and framing", (executablePath) => {
  const expected = blocks()
  let server: Server
  let browser: Browser

  beforeAll(async () => {
    const framing = new V1Framing({ magic: mainnet.magic, sha256: portableSha256 })
    for (const block of expected) framing.send({ _tag: "block", block })
    server = await served(await bundled(), framing.takeOutput() ?? new Uint8Array(0))
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
  })

  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    await new Promise((closed) => server?.close(closed))
  })

  /** What the page tells, at a path with a policy of its own. */
  const reportAt = async (path: keyof typeof POLICIES): Promise<PageReport> => {
    const page = await browser.newPage()
    const errors: Array<Error> = []
    page.on("pageerror", (error) => errors.push(error))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
    const report = await page.evaluate(() => (globalThis as unknown as { report: Promise<PageReport> }).report)
    await page.close()
    expect(errors).toEqual([])
    return report
  }

  const expectedReport = (backend: string): PageReport => ({
    backend,
    others: [],
    blocks: expected.map((block) => ({ ...blockFacts(block, portableSha256), isMerkleRootRight: true })),
    transport: "v2",
    isSameEncrypted: true
  })

  it("decode blocks, hash them in WebAssembly, and carry them encrypted", async () => {
    const report = await reportAt("/with-wasm")
    expect(report).toEqual(expectedReport(wasmSha256().name))
    expect(report.backend).not.toBe(portableSha256.name)
    expect(report.blocks[0]?.transactions).toBe(TRANSACTIONS)
  })

  it("do the same in plain JavaScript where a policy forbids WebAssembly", async () => {
    expect(await reportAt("/without-wasm")).toEqual(expectedReport(portableSha256.name))
  })
})
