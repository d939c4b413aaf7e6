/**
 * The other end of the socket benches, a process of its own: dials a node many times, shakes hands by hand with precomputed bytes, and does
 * as its parent says. It costs as little as it can, so that the node is what is measured.
 *
 *   node remotes.ts PORT COUNT        one line "ready" when all hands are shaken; then commands on standard input, one a line:
 *     ping RATE SECONDS               each peer sends RATE pings a second for so long; answers "sent N, answered N"
 *     flood KIND BYTES                one peer sends frames of that kind (ping, inv) as fast as they are taken; answers "flooded N"
 */
import * as Net from "node:net"
import * as Readline from "node:readline"
import process from "node:process"
import { platformSha256 } from "@satwire/crypto/node"
import { V1Framing } from "@satwire/framing"
import { regtest } from "@satwire/primitives"
import {
  Inventory,
  MSG_TX,
  type Message,
  NO_ADDRESS,
  PROTOCOL_VERSION,
  SENDADDRV2,
  VERACK,
  WTXIDRELAY
} from "@satwire/wire"

const [port, count] = process.argv.slice(2).map(Number) as [number, number]

const frames = (...messages: ReadonlyArray<Message>): Uint8Array => {
  const framing = new V1Framing({ magic: regtest.magic, sha256: platformSha256 })
  for (const message of messages) framing.send(message)
  return framing.takeOutput() ?? new Uint8Array(0)
}

const version = (nonce: number): Message => ({
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 9n,
  time: BigInt(Math.floor(Date.now() / 1000)),
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: BigInt(nonce),
  userAgent: "/remote:1.0/",
  startHeight: 0,
  relay: true
})

/** Loopback has 16 million addresses; 20,000 connections fit on each. */
const localAddress = (i: number): string => `127.0.${1 + Math.floor(i / 20_000)}.1`

interface Remote {
  readonly socket: Net.Socket
  /** Bytes that came. */
  received: number
}

/** What a node says before it is ready: version, wtxidrelay, sendaddrv2, verack; its length depends on the user agent. */
const PING_FRAME = frames({ _tag: "ping", nonce: 7n })
const PONG_FRAME_BYTES = PING_FRAME.length

const dial = (i: number): Promise<Remote> =>
  new Promise((done, fail) => {
    const socket = Net.connect({ host: "127.0.0.1", port, localAddress: localAddress(i), noDelay: true })
    const remote: Remote = { socket, received: 0 }
    let isReady = false
    let tail = Buffer.alloc(0)
    socket.on("connect", () => socket.write(frames(version(i + 1), WTXIDRELAY, SENDADDRV2)))
    socket.on("error", fail)
    socket.on("data", (bytes) => {
      remote.received += bytes.length
      if (isReady) return
      tail = Buffer.concat([tail, bytes])
      const at = tail.indexOf("verack")
      if (at < 0) return
      isReady = true
      socket.write(frames(VERACK))
      // Their first ping comes on our verack, and is answered.
      const onPing = (more: Buffer): void => {
        const ping = more.indexOf("ping")
        if (ping < 0) return
        socket.off("data", onPing)
        socket.write(frames({ _tag: "pong", nonce: more.readBigUInt64LE(ping + 20) }))
        tail = Buffer.alloc(0)
        done(remote)
      }
      socket.on("data", onPing)
      onPing(tail)
    })
  })

const remotes: Array<Remote> = []
const BATCH = 100
for (let from = 0; from < count; from += BATCH) {
  const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => dial(from + i))
  remotes.push(...(await Promise.all(batch)))
}
process.stdout.write("ready\n")

const total = (): number => remotes.reduce((sum, { received }) => sum + received, 0)
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Spreads the pings over each second in slices of 10 ms. */
const pinging = async (rate: number, seconds: number): Promise<string> => {
  const before = total()
  const slices = 100 * seconds
  const perSlice = (remotes.length * rate) / 100
  const start = performance.now()
  let sent = 0
  for (let slice = 0; slice < slices; slice++) {
    const until = Math.round((slice + 1) * perSlice)
    for (; sent < until; sent++) remotes[sent % remotes.length]?.socket.write(PING_FRAME)
    await pause(Math.max(0, start + 10 * (slice + 1) - performance.now()))
  }
  await pause(500)
  return `sent ${sent}, answered ${Math.floor((total() - before) / PONG_FRAME_BYTES)}`
}

const KINDS: Record<string, Message> = {
  ping: { _tag: "ping", nonce: 7n },
  inv: {
    _tag: "inv",
    inventory: Inventory.ofType(
      MSG_TX,
      Array.from({ length: 35 }, (_, i) => new Uint8Array(32).fill(i))
    )
  }
}

const flooding = async (kind: string, bytes: number): Promise<string> => {
  const frame = frames(KINDS[kind] as Message)
  const perChunk = Math.max(1, Math.floor(65_536 / frame.length))
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => frame))
  const { socket } = remotes[0] as Remote
  let sent = 0
  while (sent < bytes) {
    sent += chunk.length
    if (!socket.write(chunk)) await new Promise<void>((done) => socket.once("drain", done))
  }
  return `flooded ${(sent / chunk.length) * perChunk}`
}

for await (const line of Readline.createInterface({ input: process.stdin })) {
  const [command, ...args] = line.split(" ")
  if (command === "ping") process.stdout.write(`${await pinging(Number(args[0]), Number(args[1]))}\n`)
  if (command === "flood") process.stdout.write(`${await flooding(args[0] as string, Number(args[1]))}\n`)
  if (command === "end") process.exit(0)
}
