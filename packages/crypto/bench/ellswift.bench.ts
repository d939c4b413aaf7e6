/**
 * The mathematics of a BIP-0324 handshake, one side of it:
 *
 *   node --conditions=@satwire/source packages/crypto/bench/ellswift.bench.ts
 *   deno run -A --conditions=@satwire/source packages/crypto/bench/ellswift.bench.ts
 */
import * as Crypto from "node:crypto"
import process from "node:process"
import { Point, etc } from "@noble/secp256k1"
import { type Contender, contest, contestClock } from "@satwire/testkit"
import { ChaChaRandom, ellSwiftCreate, ellSwiftDecode, ellSwiftSharedX, portableCurve } from "../src/index.ts"

const random = ChaChaRandom.fromNumber(3)
const ours = ellSwiftCreate(portableCurve, random)
const theirs = Array.from({ length: 16 }, () => ellSwiftCreate(portableCurve, random).publicKey)
const scalar = etc.bytesToNumberBE(ours.privateKey)
const point = Point.BASE.multiply(scalar)
const affine = point.toAffine()
const compressed = point.toBytes()
const native = Crypto.createECDH("secp256k1")
native.setPrivateKey(ours.privateKey)

let turn = 0
const next = (): Uint8Array => theirs[turn++ % theirs.length] as Uint8Array

const contenders: ReadonlyArray<Contender> = [
  { name: "multiply a point, as the library does", run: () => Number(point.multiply(scalar).toAffine().x > 0n) },
  { name: "multiply a point, ours", run: () => Number(portableCurve.multiplyX(scalar, affine) > 0n) },
  { name: "multiply a point, node:crypto", run: () => native.computeSecret(compressed).length / 32 },
  { name: "decode a key", run: () => ellSwiftDecode(next()).length / 32 },
  { name: "make a key", run: () => ellSwiftCreate(portableCurve, random).publicKey.length / 64 },
  { name: "agree on a shared x", run: () => ellSwiftSharedX(portableCurve, ours.privateKey, next()).length / 32 },
  {
    name: "make a key and agree",
    run: () => ellSwiftSharedX(portableCurve, ellSwiftCreate(portableCurve, random).privateKey, next()).length / 32
  }
]

console.log(`${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}; ${contestClock}`)
for (const { name, perSecond } of contest(contenders, { rounds: 7, roundMs: 150 })) {
  console.log(`${name.padEnd(40)} ${(1000 / perSecond).toFixed(2).padStart(8)} ms`)
}
