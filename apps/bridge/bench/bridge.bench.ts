/**
 * What carrying costs: the bridge in a process of its own, page and node in this one, over loopback.
 *
 *   node --conditions=@satwire/source apps/bridge/bench/bridge.bench.ts
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { type AddressInfo, type Socket, connect, createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { WebSocket } from "ws"

const CONNECTIONS = 2000
const ROUND_TRIPS = 1000
const BULK_BYTES = 256 * 1024 * 1024
/** What the node answers with so many bytes; anything else it says back. */
const BULK = 9

const answer = (socket: Socket, bytes: Uint8Array): void => {
  if (bytes[0] !== BULK) return void socket.write(bytes)
  const chunk = new Uint8Array(65_536)
  let left = BULK_BYTES / chunk.length
  const more = (): void => {
    while (left-- > 0) if (!socket.write(chunk)) return void socket.once("drain", more)
  }
  more()
}

const node = createServer((socket) => {
  socket.on("error", () => undefined).on("data", (bytes) => answer(socket, bytes))
})
node.listen(0, "127.0.0.1")
await once(node, "listening")
const { port } = node.address() as AddressInfo
const target = `127.0.0.1:${port}`

const main = join(import.meta.dirname, "../src/main.ts")
const most = ["maxconnections", "maxpersource", "newperminute"].map((name) => `--${name}=100000`)
const rates = ["rate", "totalrate"].map((name) => `--${name}=1000000000000`)
const args = ["--listen=127.0.0.1:0", `--allow=${target}`, "--origin=none", ...most, ...rates]
const bridge = spawn(process.execPath, ["--conditions=@satwire/source", main, ...args], {
  stdio: ["ignore", "pipe", "inherit"]
})
const lines = createInterface(bridge.stdout)
const [first] = (await once(lines, "line")) as [string]
const where = /endpoint=(\S+)/.exec(first)?.[1] ?? ""

const opened = async (): Promise<WebSocket> => {
  const socket = new WebSocket(`ws://${where}/?to=${target}`, { perMessageDeflate: false })
  await once(socket, "open")
  return socket
}

const residentKiB = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${bridge.pid}/status`, "utf8"))?.[1])

const median = async (count: number, act: () => Promise<unknown>): Promise<number> => {
  const times: Array<number> = []
  for (let i = 0; i < count; i++) {
    const since = performance.now()
    await act()
    times.push(performance.now() - since)
  }
  return times.sort((a, b) => a - b)[count >> 1] ?? 0
}

const say = (what: string, figure: string): void => void process.stdout.write(`${what.padEnd(48)} ${figure}\n`)

const page = await opened()
const since = performance.now()
await new Promise<void>((done) => {
  let left = BULK_BYTES
  const count = (bytes: Buffer): void => {
    left -= bytes.length
    if (left > 0) return
    page.off("message", count)
    done()
  }
  page.on("message", count)
  page.send(new Uint8Array(64).fill(BULK))
})
say("from the node to the page", `${(BULK_BYTES / 1000 / (performance.now() - since)).toFixed(0)} MB/s`)

const word = new Uint8Array(8)
const direct = connect(port, "127.0.0.1")
const round = async (emitter: WebSocket | Socket, name: string, send: () => void): Promise<void> => {
  send()
  await once(emitter, name)
}
const through = await median(ROUND_TRIPS, () => round(page, "message", () => page.send(word)))
const without = await median(ROUND_TRIPS, () => round(direct, "data", () => void direct.write(word)))
say("a round trip, and without the bridge", `${through.toFixed(3)} ms, ${without.toFixed(3)} ms`)

say("a connection to a node", `${(await median(100, async () => (await opened()).terminate())).toFixed(1)} ms`)

const before = residentKiB()
for (let i = 0; i < CONNECTIONS; i += 50) {
  const some = await Promise.all(Array.from({ length: 50 }, opened))
  await Promise.all(some.map((socket) => round(socket, "message", () => socket.send(word))))
}
say(
  `resident memory of each of ${CONNECTIONS} connections`,
  `${((residentKiB() - before) / CONNECTIONS).toFixed(0)} KiB`
)
bridge.kill("SIGKILL")
process.exit()
