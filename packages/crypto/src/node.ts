/**
 * Backends that need the platform's own cryptography, on Node and Deno. The one subpath below the seam that imports `node:*`; the
 * edge picks from it and injects the value.
 */
import * as Crypto from "node:crypto"
import { type Sha256, portableSha256, sha256From } from "./Sha256.ts"

const createHash = (): Crypto.Hash => Crypto.createHash("sha256")

/** Node's one-shot `crypto.hash` (20.12 and newer), or `createHash` where the runtime lacks it. */
export const nativeSha256: Sha256 =
  typeof Crypto.hash === "function"
    ? sha256From("native", (input) => Crypto.hash("sha256", input, "buffer"), createHash)
    : sha256From("createHash", (input) => createHash().update(input).digest(), createHash)

declare const Deno: unknown

/**
 * Below how many bytes the portable backend is the faster one (measured by `bench/sha256.ts`). Node's native call wins at every
 * length; Deno's costs several microseconds before the first byte.
 */
export const NATIVE_CROSSOVER_BYTES: number = typeof Deno === "undefined" ? 0 : 2048

/** The native backend above the crossover of this runtime and the portable one below it. */
export const platformSha256: Sha256 = {
  name: NATIVE_CROSSOVER_BYTES === 0 ? nativeSha256.name : `${nativeSha256.name} from ${NATIVE_CROSSOVER_BYTES} bytes`,
  sha256: (input, start, end, out, at) => by(end - start).sha256(input, start, end, out, at),
  sha256d: (input, start, end, out, at) => by(end - start).sha256d(input, start, end, out, at),
  sha256dMany: (input, start, length, stride, count, out, at) =>
    by(length).sha256dMany(input, start, length, stride, count, out, at),
  sha256dRanges(input, ranges, count, out, at) {
    for (let i = 0; i < count; i++) {
      this.sha256d(input, ranges[2 * i] as number, ranges[2 * i + 1] as number, out, at + 32 * i)
    }
  },
  // Its length is not known, and who asks for one expects much.
  createSha256d: () => nativeSha256.createSha256d()
}

const by = (length: number): Sha256 => (length < NATIVE_CROSSOVER_BYTES ? portableSha256 : nativeSha256)

/** `length` bytes of the platform's entropy. */
export const entropy = (length: number): Uint8Array => new Uint8Array(Crypto.randomBytes(length))
