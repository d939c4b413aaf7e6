/**
 * A light wallet of bcoin's on regtest, in a process of its own: `node bcoin-light.ts <port> <push>` connects to that port of loopback alone, with
 * a bloom filter (BIP-0037) that has one push in it. It prints a line of JSON for each block that joins its chain, with the transactions that it
 * was given of it, and for each transaction that no block has. It ends when its standard input does.
 */
import { createRequire } from "node:module"

process.env["NODE_BACKEND"] = "js"

interface LightTransaction {
  readonly txid: () => string
}
interface LightNode {
  readonly pool: { watch: (data: Buffer) => void; discoverExternal: () => Promise<void> }
  on(
    event: "connect",
    seen: (entry: { readonly height: number }, block: { readonly txs: LightTransaction[] }) => void
  ): void
  on(event: "tx", seen: (tx: LightTransaction) => void): void
  open(): Promise<void>
  connect(): Promise<void>
  startSync(): void
}

const [port, push = ""] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const SPVNode = require("bcoin/lib/node/spvnode") as new (options: object) => LightNode

const node = new SPVNode({
  network: "regtest",
  memory: true,
  workers: false,
  httpHost: "127.0.0.1",
  httpPort: 0,
  noAuth: true,
  seeds: [],
  only: [`127.0.0.1:${port}`]
})
node.pool.discoverExternal = () => Promise.resolve()
const tell = (line: object): void => console.log(JSON.stringify(line))
node.on("connect", ({ height }, { txs }) => tell({ height, txids: txs.map((tx) => tx.txid()) }))
node.on("tx", (tx) => tell({ txid: tx.txid() }))

await node.open()
node.pool.watch(Buffer.from(push, "hex"))
await node.connect()
node.startSync()

for (const over of ["end", "close"]) process.stdin.on(over, () => process.exit(0))
process.stdin.resume()
