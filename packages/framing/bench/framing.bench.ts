/**
 * What it costs to turn bytes into messages and back, checksums verified, and how much of that is the hash:
 *
 *   node --conditions=@satwire/source packages/framing/bench/framing.bench.ts
 *   deno run -A --conditions=@satwire/source packages/framing/bench/framing.bench.ts
 *
 * "No hash" is the same work with a backend that answers without hashing: what is left for framing and codec.
 */
import process from "node:process"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import { type Contender, contest, contestClock } from "@satwire/testkit"
import { Inventory, MSG_WTX, type Message, headersMessage } from "@satwire/wire"
import { V1Framing } from "../src/index.ts"

const CHUNK_BYTES = 64 * 1024

const zeroDigest = (out: Uint8Array, at: number): void => void out.fill(0, at, at + 32)
const noHash: Sha256 = {
  ...platformSha256,
  name: "no hash",
  sha256d: (_input, _start, _end, out, at) => zeroDigest(out, at),
  createSha256d: () => ({ update: () => {}, digest: zeroDigest })
}

const hash = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (seed * 31 + i * 7) & 0xff)
const ping: Message = { _tag: "ping", nonce: 0x0123456789abcdefn }
const inv: Message = {
  _tag: "inv",
  inventory: Inventory.ofType(
    MSG_WTX,
    Array.from({ length: 35 }, (_, i) => hash(i))
  )
}
const headers: Message = headersMessage(new Uint8Array(80 * 2000).fill(3))

const stream = (message: Message, count: number, sha256: Sha256): Uint8Array => {
  const framing = new V1Framing({ magic: mainnet.magic, sha256 })
  for (let i = 0; i < count; i++) framing.send(message)
  return framing.takeOutput() as Uint8Array
}

const parse = (name: string, message: Message, count: number, sha256: Sha256): Contender => {
  const bytes = stream(message, count, sha256)
  const framing = new V1Framing({ magic: mainnet.magic, sha256 })
  const chunk = new Uint8Array(CHUNK_BYTES)
  return {
    name: `${name}, ${sha256.name}`,
    run() {
      let messages = 0
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const end = Math.min(at + CHUNK_BYTES, bytes.length)
        chunk.set(bytes.subarray(at, end))
        framing.receive(chunk.subarray(0, end - at))
        for (let event = framing.next(); event !== undefined; event = framing.next()) {
          if (event._tag === "Message") messages += 1
        }
        framing.release()
      }
      if (messages !== count) throw new Error(`${messages} of ${count} messages came out`)
      return messages
    }
  }
}

const write = (name: string, message: Message, count: number, sha256: Sha256): Contender => {
  const framing = new V1Framing({ magic: mainnet.magic, sha256 })
  return {
    name: `${name}, ${sha256.name}`,
    run() {
      for (let i = 0; i < count; i++) framing.send(message)
      framing.takeOutput()
      return count
    }
  }
}

const contenders = [platformSha256, noHash].flatMap((sha256) => [
  parse("parse ping", ping, 10_000, sha256),
  parse("parse inv of 35", inv, 1000, sha256),
  parse("parse headers of 2,000", headers, 4, sha256),
  write("write ping", ping, 10_000, sha256),
  write("write inv of 35", inv, 1000, sha256),
  write("write headers of 2,000", headers, 4, sha256)
])

console.log(`${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}; ${contestClock}`)
for (const { name, perSecond } of contest(contenders, { rounds: 7, roundMs: 200 })) {
  console.log(`${name.padEnd(50)} ${Math.round(perSecond).toLocaleString("en").padStart(12)} a second`)
}
