/**
 * One bcoin full node on regtest, in a process of its own: in memory, on loopback, on ports that the system picks.
 *
 * Not bcoin's own command line, because that cannot take port 0, reads the user's configuration and environment, asks an outside
 * resolver for its address and dials what peers gossip. When both listeners are up it prints one JSON line, `{"ready":{…}}`; its
 * log goes to the same standard output. It ends when its standard input does, so it cannot outlive whoever started it.
 */
import { type EventEmitter, once } from "node:events"
import { createRequire } from "node:module"
import { type AddressInfo, isIP, Socket, connect } from "node:net"

// bcoin's native parts are not built here (see .npmrc): this makes every one of them take its JavaScript twin.
process.env["NODE_BACKEND"] = "js"

interface BcoinNode {
  readonly pool: {
    readonly options: { port: number; blockMode: number }
    readonly server: EventEmitter & { address(): AddressInfo }
    discoverExternal: () => Promise<void>
  }
  readonly network: { readonly time: { add: (peer: string, time: number) => void } }
  readonly http: EventEmitter
  open(): Promise<void>
  connect(): Promise<void>
  startSync(): void
}

const require = createRequire(import.meta.url)
const FullNode = require("bcoin/lib/node/fullnode") as new (options: object) => BcoinNode

// How long it waits before it announces transactions: five seconds by itself.
;(require("bcoin/lib/net/peer") as { INV_INTERVAL: number }).INV_INTERVAL = 250

const dialLoopback = (port: number, host: string): Socket => {
  if (isIP(host) === 4 && host.startsWith("127.")) return connect(port, host)
  const refused = new Socket()
  process.nextTick(() => refused.destroy(new Error(`loopback only, not ${host}`)))
  return refused
}

const node = new FullNode({
  network: "regtest",
  memory: true,
  workers: false,
  logConsole: true,
  logLevel: "debug",
  httpHost: "127.0.0.1",
  httpPort: 0,
  noAuth: true,
  host: "127.0.0.1",
  publicHost: "127.0.0.1",
  listen: true,
  maxInbound: 128,
  seeds: [],
  createSocket: dialLoopback
})

// Port 0 is refused by bcoin's address book, not by its listener.
node.pool.options.port = 0
// What it asks for in `sendcmpct`: its configuration has no word for it.
if (process.argv.includes("--high-bandwidth")) node.pool.options.blockMode = 1
// The time is the machine's or that of `setmocktime`: what peers say would undo a mocked one.
node.network.time.add = () => {}
node.pool.discoverExternal = () => Promise.resolve()

const rpcListening = once(node.http, "listening")
await node.open()
await node.connect()
node.startSync()
const [rpc] = (await rpcListening) as [AddressInfo]
console.log(JSON.stringify({ ready: { p2pPort: node.pool.server.address().port, rpcPort: rpc.port } }))

// A pipe whose other end was killed closes without an end; a file ends without a close.
for (const over of ["end", "close"]) process.stdin.on(over, () => process.exit(0))
process.stdin.resume()
