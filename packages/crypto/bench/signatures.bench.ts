/**
 * Signatures checked a second, by each backend, side by side:
 *
 *   node --conditions=@satwire/source packages/crypto/bench/signatures.bench.ts
 *   deno run -A --conditions=@satwire/source packages/crypto/bench/signatures.bench.ts
 */
import process from "node:process"
import { type Contender, contest, contestClock } from "@satwire/testkit"
import * as tiny from "tiny-secp256k1"
import { ChaChaRandom, type Signatures, portableSignatures, signaturesFrom } from "../src/index.ts"

const SIGNED = 64
const random = ChaChaRandom.fromNumber(1)
const backends = [portableSignatures, signaturesFrom("tiny-secp256k1 (WASM)", tiny)]

type Check = (backend: Signatures) => boolean

/** A secret key is any 32 bytes that begin with a zero. */
const secretKey = (): Uint8Array => Uint8Array.of(0, ...random.bytes(31))

const ecdsaCheck = (): Check => {
  const [secret, hash] = [secretKey(), random.bytes(32)]
  const publicKey = tiny.pointFromScalar(secret, true) as Uint8Array
  const signature = tiny.sign(hash, secret)
  return (backend) => backend.verifyEcdsa(signature, hash, publicKey)
}

const schnorrCheck = (): Check => {
  const [secret, hash] = [secretKey(), random.bytes(32)]
  const publicKey = tiny.xOnlyPointFromScalar(secret)
  const signature = tiny.signSchnorr(hash, secret, random.bytes(32))
  return (backend) => backend.verifySchnorr(signature, hash, publicKey)
}

/** Each round goes on where the last one ended, so that no backend learns one signature by heart. */
const checking = (backend: Signatures, checks: ReadonlyArray<Check>): Contender => {
  let at = 0
  return {
    name: backend.name,
    run() {
      for (let i = 0; i < 8; i++) {
        if (!(checks[at++ % checks.length] as Check)(backend)) throw new Error("a good signature was refused")
      }
      return 8
    }
  }
}

console.log(`${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}; ${contestClock}`)
for (const [scheme, make] of [
  ["ECDSA", ecdsaCheck],
  ["Schnorr", schnorrCheck]
] as const) {
  const checks = Array.from({ length: SIGNED }, make)
  const contenders = backends.map((backend) => checking(backend, checks))
  for (const { name, perSecond, ratio } of contest(contenders, { rounds: 7, roundMs: 150 })) {
    console.log(
      `${scheme.padEnd(8)} ${name.padEnd(24)} ${(perSecond / 1000).toFixed(2).padStart(8)} k/s  ×${ratio.toFixed(1)}`
    )
  }
}
