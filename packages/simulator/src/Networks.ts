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
  /** A target that changes every 20 blocks, so that branches of a fork may claim different ones. */
  fast: fastTestNetwork({ genesis: { ...regtest.genesis, time: FAST_GENESIS_UNIX } })
}
