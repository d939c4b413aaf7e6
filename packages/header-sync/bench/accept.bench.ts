/**
 * How many headers a second pass every rule, and what of that is hashing:
 *
 *   node --conditions=@satwire/source packages/header-sync/bench/accept.bench.ts [headers]
 *
 * The chain is made here, once: targets change every 2,016 headers as they do on mainnet, but two tries find a nonce. It comes in
 * batches of 2,000, as peers send it. The backend "no hash" looks its digests up in a table that was filled before.
 */
import process from "node:process"
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom, type Sha256, portableSha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { contest, contestClock, fastTestNetwork } from "@satwire/testkit"
import { HeaderTree, acceptHeaders } from "../src/index.ts"
import { mineChain } from "../test/TestHeaders.ts"

const BATCH = 2000
const COUNT = Number(process.argv[2] ?? 100_000)
const START = 1_600_000_000

const params = fastTestNetwork({
  name: "bench",
  powTargetTimespan: 2016 * 60,
  genesis: { ...regtest.genesis, time: START }
})
const headers = mineChain(params, COUNT, 1)
const digests = new Uint8Array(32 * COUNT)
portableSha256.sha256dMany(headers, 0, HEADER_SIZE, HEADER_SIZE, COUNT, digests, 0)

/** The first header of the batch that is looked at. */
let batchFirst = 0
const noHash: Sha256 = {
  ...portableSha256,
  name: "no hash",
  sha256dMany(_input, _start, _length, _stride, count, out, outOffset) {
    out.set(digests.subarray(32 * batchFirst, 32 * (batchFirst + count)), outOffset)
  }
}

const random = ChaChaRandom.fromNumber(1)
/** What the last round left stays alive: with the last tree V8 would forget what it learned of trees, and every round would begin cold. */
const round = { tree: HeaderTree.fromGenesis(params, random), proof: new ProofOfWork(params) }

const validate = (sha256: Sha256): number => {
  round.tree = HeaderTree.fromGenesis(params, random)
  round.proof = new ProofOfWork(params)
  const { tree, proof } = round
  for (let from = 0; from < COUNT; from += BATCH) {
    const count = Math.min(BATCH, COUNT - from)
    batchFirst = from
    const batch = headers.subarray(from * HEADER_SIZE, (from + count) * HEADER_SIZE)
    acceptHeaders(tree, proof, sha256, batch, count, Infinity)
  }
  if (tree.height(tree.best) !== COUNT) throw new Error(`stopped at ${tree.height(tree.best)}`)
  return COUNT
}

const out = new Uint8Array(32 * BATCH)
const hashOnly = (sha256: Sha256): number => {
  for (let from = 0; from < COUNT; from += BATCH) {
    sha256.sha256dMany(headers, from * HEADER_SIZE, HEADER_SIZE, HEADER_SIZE, Math.min(BATCH, COUNT - from), out, 0)
  }
  return COUNT
}

const scores = contest(
  [
    { name: `all rules, ${platformSha256.name}`, run: () => validate(platformSha256) },
    { name: `hashing alone, ${platformSha256.name}`, run: () => hashOnly(platformSha256) },
    { name: "all rules, no hash", run: () => validate(noHash) }
  ],
  { rounds: 9, roundMs: 200 }
)
console.log(`${COUNT} headers in batches of ${BATCH}, ${process.version}, ${contestClock}, medians of 9 rounds`)
for (const { name, perSecond } of scores) {
  console.log(
    `${name.padEnd(48)} ${(perSecond / 1e6).toFixed(2).padStart(6)} M headers/s  ${(1e9 / perSecond).toFixed(0).padStart(5)} ns`
  )
}
