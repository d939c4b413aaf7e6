/** The tree as RFC 6962 §2.1 words it, by recursion over the whole list: what the fast one is held against. */
import { createHash } from "node:crypto"

const hash = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const sha256 = createHash("sha256")
  for (const part of parts) sha256.update(part)
  return new Uint8Array(sha256.digest())
}

const top = (leaves: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (leaves.length === 1) return hash(new Uint8Array([0]), leaves[0] as Uint8Array)
  let split = 1
  while (2 * split < leaves.length) split *= 2
  return hash(new Uint8Array([1]), top(leaves.slice(0, split)), top(leaves.slice(split)))
}

export const naiveRoot = (leaves: ReadonlyArray<Uint8Array>): Uint8Array => {
  const count = new Uint8Array(8)
  new DataView(count.buffer).setUint32(0, leaves.length, true)
  return hash(new Uint8Array([2]), count, leaves.length === 0 ? new Uint8Array(32) : top(leaves))
}
