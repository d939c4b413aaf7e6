export { Breach } from "./Breach.ts"
export { ChainInvariants } from "./ChainInvariants.ts"
export { simulate } from "./CommandLine.ts"
export { type Terminal, WrongFlag, wholeNumber } from "./Flags.ts"
export { type ScenarioOptions, type ScenarioResult, replayCommand, runHeaderScenario } from "./HeaderScenario.ts"
export { HonestNode, type JudgedNode, headerNode } from "./HonestNode.ts"
export { Impostor, WEAKNESSES, type Weakness } from "./Impostor.ts"
export { LIES, Liar, type Lie, PUNISHED } from "./Liar.ts"
export { Link, type LinkConditions, type LinkOptions, WINDOW_BYTES } from "./Link.ts"
export { type MineApartOptions, mineApart } from "./MineApart.ts"
export { MinedHeaders, mineChain } from "./MinedHeaders.ts"
export { NETWORKS, type SimulatedNetwork } from "./Networks.ts"
export { peerInvariants } from "./PeerInvariants.ts"
export { Schedule } from "./Schedule.ts"
export { sha256 } from "./Sha256.ts"
export {
  type Actor,
  EPOCH_UNIX,
  type Invariant,
  type Opening,
  type SimulatedNode,
  Simulation,
  type SimulationOptions,
  type Turn
} from "./Simulation.ts"
export { Trace } from "./Trace.ts"
export { wireInvariants } from "./WireInvariants.ts"
export { Wiring } from "./Wiring.ts"
