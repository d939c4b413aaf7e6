/**
 * Where the platform's SHA-256 begins to beat plain JavaScript, on the runtime that runs this:
 *
 *   node --conditions=@satwire/source packages/crypto/bench/sha256.bench.ts
 *   deno run -A --conditions=@satwire/source packages/crypto/bench/sha256.bench.ts
 */
import process from "node:process"
import { sha256 as noble } from "@noble/hashes/sha2.js"
import { contest, contestClock } from "@satwire/testkit"
import { portableSha256, sha256From } from "../src/index.ts"
import { createHashSha256, nativeSha256, platformSha256 } from "../src/node.ts"

/** noble as its users call it: a new hash for each input. */
const plainNoble = sha256From(
  "noble, plain",
  (input, start, end, out, outOffset) => out.set(noble(input.subarray(start, end)), outOffset),
  () => noble.create()
)

const backends = [plainNoble, portableSha256, nativeSha256, createHashSha256, platformSha256]
const SIZES = [32, 64, 80, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 1_000_000]

const out = new Uint8Array(32)

const table = (what: "sha256" | "sha256d"): void => {
  console.log(`\n${what}: thousands a second (ratio to noble)`)
  console.log(["bytes".padStart(9), ...backends.map(({ name }) => name.padStart(26))].join(""))
  for (const size of SIZES) {
    const input = new Uint8Array(size).fill(7)
    const calls = Math.max(1, Math.floor(200_000 / (size + 200)))
    const contenders = backends.map((backend) => ({
      name: backend.name,
      run: (): number => {
        for (let i = 0; i < calls; i++) backend[what](input, 0, size, out, 0)
        return calls
      }
    }))
    const cells = contest(contenders, { rounds: 7, roundMs: 30 }).map(({ perSecond, ratio }) =>
      `${(perSecond / 1000).toFixed(size > 100_000 ? 3 : 0)} (${ratio.toFixed(2)})`.padStart(26)
    )
    console.log([String(size).padStart(9), ...cells].join(""))
  }
}

console.log(`${process.release.name} ${process.version}, Deno ${process.versions["deno"] ?? "no"}; ${contestClock}`)
table("sha256")
table("sha256d")
