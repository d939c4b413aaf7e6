/**
 * A bcoin full node that fetches a chain, in a process of its own: `BcoinClient.ts PORT COUNT`. In memory, without a log, on loopback. One line
 * with "ready"; then, for the first line on standard input, one with the seconds from its dial until its tip had that height, or the height
 * at which it stopped.
 */
import { createRequire } from "node:module"
import { join } from "node:path"
import process from "node:process"
import * as Readline from "node:readline"

process.env["NODE_BACKEND"] = "js"

interface BcoinNode {
  readonly pool: { discoverExternal: () => Promise<void> }
  readonly chain: { readonly height: number }
  readonly rpc: { addNode(args: ReadonlyArray<string>, help: boolean): Promise<unknown> }
  open(): Promise<void>
  connect(): Promise<void>
  startSync(): void
}

const [, , port = "0", countText = "0"] = process.argv
const count = Number(countText)
const require = createRequire(join(import.meta.dirname, "..", "..", "interop", "package.json"))
const FullNode = require("bcoin/lib/node/fullnode") as new (options: object) => BcoinNode

const node = new FullNode({
  network: "regtest",
  memory: true,
  workers: false,
  logLevel: "none",
  httpHost: "127.0.0.1",
  httpPort: 0,
  noAuth: true,
  host: "127.0.0.1",
  publicHost: "127.0.0.1",
  listen: false,
  seeds: [],
  nodes: [`127.0.0.1:${port}`]
})
node.pool.discoverExternal = () => Promise.resolve()
await node.open()
console.log("ready")

/** How long nothing may come before it counts as stuck. */
const PATIENCE_MS = 20_000

Readline.createInterface({ input: process.stdin })
  .on("line", () => {
    void (async () => {
      const start = performance.now()
      await node.connect()
      node.startSync()
      let height = 0
      let movedAt = performance.now()
      const timer = setInterval(() => {
        if (node.chain.height > height) movedAt = performance.now()
        height = node.chain.height
        const isStuck = performance.now() - movedAt > PATIENCE_MS
        if (height < count && !isStuck) return
        clearInterval(timer)
        console.log(isStuck ? `stuck at ${height}` : String((performance.now() - start) / 1000))
      }, 20)
    })()
  })
  .on("close", () => process.exit(0))
