/**
 * What the encrypted transport costs: packets by size in each direction, by each cipher backend, and an exchange of keys.
 *
 *   node --conditions=@satwire/source packages/framing/bench/v2.bench.ts
 *   deno run -A --conditions=@satwire/source packages/framing/bench/v2.bench.ts
 *
 * Packets come in chunks of 64 KiB that lie in one buffer, as from a socket, so a packet of 64 KiB is always cut.
 */
import process from "node:process"
import {
  type Aead,
  ChaChaRandom,
  bip324SharedSecret,
  ellSwiftCreate,
  portableAead,
  portableCurve
} from "@satwire/crypto"
import { nativeAead, platformAead } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import { type Contender, contest, contestClock } from "@satwire/testkit"
import { Inventory, MSG_WTX, type Message, headersMessage } from "@satwire/wire"
import { V2Framing } from "../src/index.ts"

const CHUNK_BYTES = 64 * 1024
const PACKETS_BYTES = 2 * 1024 * 1024

const pair = (aead: Aead): readonly [V2Framing, V2Framing] => {
  const end = (initiating: boolean, seed: number): V2Framing =>
    new V2Framing({
      magic: mainnet.magic,
      initiating,
      aead,
      curve: portableCurve,
      random: ChaChaRandom.fromNumber(seed)
    })
  const [a, b] = [end(true, 1), end(false, 2)]
  carry(a.takeOutput(), b)
  carry(b.takeOutput(), a)
  carry(a.takeOutput(), b)
  return [a, b]
}

const chunk = new Uint8Array(CHUNK_BYTES)

/** Hands bytes over as a socket does; tells how many events came of them. */
const carry = (bytes: Uint8Array | undefined, to: V2Framing): number => {
  let events = 0
  for (let at = 0; bytes !== undefined && at < bytes.length; at += CHUNK_BYTES) {
    const end = Math.min(at + CHUNK_BYTES, bytes.length)
    chunk.set(bytes.subarray(at, end))
    to.receive(chunk.subarray(0, end - at))
    for (let event = to.next(); event !== undefined; event = to.next()) {
      if (event._tag === "Fault") throw new Error(event.fault._tag)
      events += 1
    }
    to.release()
  }
  return events
}

const hash = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (seed * 31 + i * 7) & 0xff)
const inventory = (count: number): Inventory =>
  Inventory.ofType(
    MSG_WTX,
    Array.from({ length: count }, (_, i) => hash(i))
  )

/** Each with the bytes of its packet. 1,819 entries are 64 KiB. */
const MESSAGES: ReadonlyArray<readonly [string, Message, number]> = [
  ["ping", { _tag: "ping", nonce: 0x0123456789abcdefn }, 29],
  ["inv of 35", { _tag: "inv", inventory: inventory(35) }, 1282],
  ["headers of 50", headersMessage(new Uint8Array(80 * 50).fill(3)), 4072],
  ["inv of 1,819, 64 KiB", { _tag: "inv", inventory: inventory(1819) }, 65_508]
]

/** Receiving cannot be measured without sealing first, as no packet is opened twice: both are timed, and the sealing alone. */
const sealing = (aead: Aead, message: Message, packetBytes: number): Contender => {
  const [a] = pair(aead)
  const count = Math.max(1, Math.floor(PACKETS_BYTES / 8 / packetBytes))
  return {
    name: "seal",
    run() {
      for (let i = 0; i < count; i++) a.send(message)
      a.takeOutput()
      return count
    }
  }
}

const both = (aead: Aead, message: Message, packetBytes: number): Contender => {
  const [a, b] = pair(aead)
  const count = Math.max(1, Math.floor(PACKETS_BYTES / 8 / packetBytes))
  return {
    name: "seal and open",
    run() {
      for (let i = 0; i < count; i++) a.send(message)
      if (carry(a.takeOutput(), b) !== count) throw new Error("a message was lost")
      return count
    }
  }
}

const line = (what: string, perSecond: number, bytes: number): string =>
  `${what.padEnd(44)} ${Math.round(perSecond).toLocaleString("en").padStart(10)} a second ${((perSecond * bytes) / 1e6).toFixed(0).padStart(6)} MB/s`

const packets = (): void => {
  for (const [name, message, bytes] of MESSAGES) {
    for (const aead of [portableAead, nativeAead, platformAead]) {
      const contenders = [sealing(aead, message, bytes), both(aead, message, bytes)]
      const [seal, whole] = contest(contenders, { rounds: 5, roundMs: 100 }).map(({ perSecond }) => perSecond)
      const [sealPer, wholePer] = [seal ?? 0, whole ?? 0]
      console.log(line(`seal ${name}, ${aead.name}`, sealPer, bytes))
      console.log(line(`open ${name}, ${aead.name}`, 1 / (1 / wholePer - 1 / sealPer), bytes))
    }
  }
}

const exchange = (): void => {
  const random = ChaChaRandom.fromNumber(3)
  const theirs = Array.from({ length: 16 }, () => ellSwiftCreate(portableCurve, random).publicKey)
  let turn = 0
  const run = (): number => {
    const ours = ellSwiftCreate(portableCurve, random)
    const secret = bip324SharedSecret(portableCurve, ours, theirs[turn++ % theirs.length] as Uint8Array, true)
    return secret.length / 32
  }
  for (const { name, perSecond } of contest([{ name: "exchange of keys, one side", run }])) {
    console.log(`${name.padEnd(44)} ${(1000 / perSecond).toFixed(2).padStart(10)} ms`)
  }
}

console.log(`${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}; ${contestClock}`)
exchange()
packets()
