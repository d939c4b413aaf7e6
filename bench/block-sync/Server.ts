/**
 * The other end of the block benches, a process of its own: a replay server that has a chain of blocks, framed beforehand, and answers
 * `getheaders`, `getblocks` and `getdata` and nothing else, so that what is measured is who fetches.
 *
 *   node Server.ts KIND COUNT PORTS   one line with its ports, separated by commas, when it listens; then, for each line on standard input,
 *                                     one with the CPU seconds that it has taken so far
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import process from "node:process"
import * as Readline from "node:readline"
import { platformSha256 } from "@satwire/crypto/node"
import { V1Framing } from "@satwire/framing"
import { HEADER_SIZE, headerHash, regtest, toHex } from "@satwire/primitives"
import {
  Inventory,
  MAX_HEADERS_RESULTS,
  MSG_BLOCK,
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  PROTOCOL_VERSION,
  VERACK,
  headersMessage
} from "@satwire/wire"
import { chainOf } from "./Chain.ts"

const [, , kind = "small", countText = "22000", ports = "1"] = process.argv
const chain = chainOf(kind, Number(countText), platformSha256)
const framing = (): V1Framing => new V1Framing({ magic: regtest.magic, sha256: platformSha256 })
const heights = new Map<string, number>([[toHex(regtest.genesisHash), 0]])
const hashes: Array<Uint8Array> = [regtest.genesisHash]
const frames: Array<Uint8Array> = [new Uint8Array(0)]
for (let height = 1; height <= chain.count; height++) {
  const hash = headerHash(platformSha256, chain.headers.subarray((height - 1) * HEADER_SIZE, height * HEADER_SIZE))
  heights.set(toHex(hash), height)
  hashes.push(hash)
  const framed = framing()
  framed.send({ _tag: "block", block: chain.block(height) })
  frames.push(framed.takeOutput() ?? new Uint8Array(0))
}

/** The height of the first hash that is known. */
const heightOf = (locator: ReadonlyArray<Uint8Array>): number =>
  locator.map((hash) => heights.get(toHex(hash))).find((height) => height !== undefined) ?? 0

const serve = (socket: Socket): void => {
  socket.setNoDelay(true)
  const frame = framing()
  const flush = (): void => {
    const bytes = frame.takeOutput()
    if (bytes !== undefined) socket.write(bytes)
  }
  /** After which block the asker of `getblocks` is told of the tip, so that it asks on. */
  let goesOnAfter = -1
  const tellHashes = (from: number, to: number): void => {
    frame.send({ _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, hashes.slice(from, to + 1)) })
  }
  const answer = (message: Message): void => {
    switch (message._tag) {
      case "version": {
        const ours = {
          nonce: 7n,
          userAgent: "/replay/",
          services: NODE_NETWORK | NODE_WITNESS,
          startHeight: chain.count
        }
        frame.send({ ...message, ...ours, protocolVersion: PROTOCOL_VERSION })
        return void frame.send(VERACK)
      }
      case "ping":
        return void frame.send({ _tag: "pong", nonce: message.nonce })
      case "getheaders": {
        const from = heightOf(message.locator)
        const to = Math.min(chain.count, from + MAX_HEADERS_RESULTS)
        return void frame.send(headersMessage(chain.headers.slice(from * HEADER_SIZE, to * HEADER_SIZE)))
      }
      case "getblocks": {
        const from = heightOf(message.locator) + 1
        const to = Math.min(chain.count, from + 499)
        if (from > to) return
        goesOnAfter = to < chain.count ? to : -1
        return tellHashes(from, to)
      }
      case "getdata":
        flush()
        socket.cork()
        for (const { hash } of message.inventory) {
          const height = heights.get(toHex(hash))
          if (height !== undefined) socket.write(frames[height] as Uint8Array)
          if (height !== goesOnAfter) continue
          goesOnAfter = -1
          tellHashes(chain.count, chain.count)
        }
        socket.uncork()
        return
      default:
    }
  }
  socket.on("data", (chunk) => {
    frame.receive(chunk)
    for (let event = frame.next(); event !== undefined; event = frame.next()) {
      if (event._tag === "Message") answer(event.message)
    }
    frame.release()
    flush()
  })
  socket.on("error", () => undefined)
}

const listening = (): Promise<number> =>
  new Promise((resolve) => {
    const server: Server = createServer(serve).listen(0, "127.0.0.1", () =>
      resolve((server.address() as AddressInfo).port)
    )
  })

const listeners = await Promise.all(Array.from({ length: Number(ports) }, listening))
console.log(listeners.join(","))
Readline.createInterface({ input: process.stdin })
  .on("line", () => {
    const { system, user } = process.cpuUsage()
    console.log((user + system) / 1e6)
  })
  .on("close", () => process.exit(0))
