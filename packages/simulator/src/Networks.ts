/** The networks that are simulated. */
import type { ChainParams } from "@satwire/primitives"
import { regtest } from "@satwire/primitives"
import { fastTestNetwork } from "@satwire/testkit"
import { EPOCH_UNIX } from "./Simulation.ts"

export type SimulatedNetwork = "regtest" | "fast"

/** When the fast network began: some days before the simulation does. */
const FAST_GENESIS_UNIX = EPOCH_UNIX - 5 * 24 * 60 * 60

export const NETWORKS: { readonly [Name in SimulatedNetwork]: ChainParams } = {
  /** Core's regtest: the target never changes. */
  regtest,
  /** A target that changes every 10 blocks, so that branches of a fork claim different ones and the longest need not have the most work. */
  fast: fastTestNetwork({
    genesis: { ...regtest.genesis, time: FAST_GENESIS_UNIX },
    powTargetTimespan: 200,
    powTargetSpacing: 20
  })
}
