/** SHA-256d of headers, in a batch as header sync does it, beside libraries that take one at a time. */
import { hash as nodeHash } from "node:crypto"
import { portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HEADER_SIZE } from "@satwire/primitives"
import { hashWasmSha256, nobleSha256 } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const HEADERS = 2000

export const hashSuite = async (): Promise<Suite> => {
  const headers = Uint8Array.from({ length: HEADERS * HEADER_SIZE }, (_, i) => (i * 31) & 0xff)
  const digests = new Uint8Array(32 * HEADERS)
  const oneByOne = (sha256: (input: Uint8Array) => Uint8Array) => (): number => {
    for (let i = 0; i < HEADERS; i++) {
      digests.set(sha256(sha256(headers.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE))), 32 * i)
    }
    return HEADERS
  }
  const many = (backend: typeof platformSha256) => (): number => {
    backend.sha256dMany(headers, 0, HEADER_SIZE, HEADER_SIZE, HEADERS, digests, 0)
    return HEADERS
  }
  return {
    title: "SHA-256d of headers of 80 bytes",
    unit: "headers",
    contenders: [
      { name: "satwire, a batch", run: many(platformSha256) },
      { name: "satwire without WebAssembly, a batch", run: many(portableSha256) },
      { name: "hash-wasm", run: oneByOne(await hashWasmSha256()) },
      { name: "node:crypto hash()", run: oneByOne((input) => nodeHash("sha256", input, "buffer")) },
      { name: "@noble/hashes", run: oneByOne(await nobleSha256()) }
    ]
  }
}
