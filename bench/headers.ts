/** Headers validated: the real ones from genesis, where the data folder is there. */
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { HEADER_SIZE, mainnet } from "@satwire/primitives"
import { realData } from "@satwire/testkit"
import { type HeaderPeer, bcoinHeaders, bitcoinJsHeaders } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const BATCH = 2000
const LONG_AFTER = 4_000_000_000

/** The headers of mainnet from 1 on. */
const realHeaders = (): Uint8Array | undefined => {
  const segment = realData()
    ?.headerSegments("mainnet")
    .find(({ firstHeight }) => firstHeight === 0)
  return segment?.read().subarray(HEADER_SIZE)
}

const satwire: HeaderPeer = {
  name: "satwire",
  checks: "every rule: hash, target, link, retarget, median time, future, version; work summed",
  validate(headers) {
    const tree = HeaderTree.fromGenesis(mainnet, ChaChaRandom.fromNumber(1))
    const proof = new ProofOfWork(mainnet)
    for (let at = 0; at < headers.length; at += BATCH * HEADER_SIZE) {
      const batch = headers.subarray(at, Math.min(at + BATCH * HEADER_SIZE, headers.length))
      acceptHeaders(tree, proof, platformSha256, batch, batch.length / HEADER_SIZE, LONG_AFTER)
    }
    return tree.size - 1
  }
}

/** `undefined` where the folder of real data is absent. */
export const headerSuite = async (): Promise<Suite | undefined> => {
  const headers = realHeaders()
  if (headers === undefined) return undefined
  const count = headers.length / HEADER_SIZE
  const peers = [satwire, bcoinHeaders(), await bitcoinJsHeaders()]
  return {
    title: `headers validated: ${count.toLocaleString("en")} of mainnet`,
    unit: "headers",
    contenders: peers.map((peer) => ({
      name: `${peer.name} (${peer === satwire ? "every rule" : peer.checks})`,
      run() {
        const passed = peer.validate(headers)
        if (passed !== count) throw new Error(`${peer.name} passed ${passed} of ${count} headers`)
        return count
      }
    }))
  }
}
