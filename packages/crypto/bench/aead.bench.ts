/**
 * ChaCha20-Poly1305 in plain JavaScript and by the platform, by size: what `NATIVE_AEAD_FROM_BYTES` follows from.
 *
 *   node --conditions=@satwire/source packages/crypto/bench/aead.bench.ts
 *   deno run -A --conditions=@satwire/source packages/crypto/bench/aead.bench.ts
 */
import process from "node:process"
import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { type Contender, contest, contestClock } from "@satwire/testkit"
import { type Aead, portableAead } from "../src/index.ts"
import { NATIVE_AEAD_FROM_BYTES, nativeAead } from "../src/node.ts"

const NONE = new Uint8Array(0)
const key = new Uint8Array(32).fill(7)
const nonce = new Uint8Array(12)

const opening = (aead: Aead, length: number, times: number): Contender => {
  const cipher = aead.withKey(key)
  const sealed = new Uint8Array(length + 16)
  cipher.seal(nonce, NONE, sealed, 0, length, sealed, 0)
  const out = new Uint8Array(length)
  return {
    name: aead.name,
    run() {
      for (let i = 0; i < times; i++) {
        if (!cipher.open(nonce, NONE, sealed, 0, sealed.length, out, 0)) throw new Error("a good packet was refused")
      }
      return times
    }
  }
}

const asUsersCall = (length: number, times: number): Contender => {
  const sealed = chacha20poly1305(key, nonce).encrypt(new Uint8Array(length))
  return {
    name: "noble as its users call it",
    run() {
      for (let i = 0; i < times; i++) chacha20poly1305(key, nonce).decrypt(sealed)
      return times
    }
  }
}

const runtime = `${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}`
console.log(`${runtime}; ${contestClock}; native from ${NATIVE_AEAD_FROM_BYTES} bytes`)
for (const length of [10, 64, 128, 256, 1024, 4096, 65_536]) {
  const times = Math.max(5, Math.floor(200_000 / (length + 300)))
  const ways = [asUsersCall(length, times), opening(portableAead, length, times), opening(nativeAead, length, times)]
  for (const { name, perSecond, ratio } of contest(ways, { rounds: 5, roundMs: 60 })) {
    const micros = (1e6 / perSecond).toFixed(2).padStart(8)
    const speed = ((perSecond * length) / 1e6).toFixed(0).padStart(6)
    console.log(
      `open ${String(length).padStart(6)} bytes  ${name.padEnd(28)} ${micros} µs ${speed} MB/s  ×${ratio.toFixed(2)}`
    )
  }
}
