export { nowReader } from "./Clock.ts"
export { MockableClock, type MockableClockShape, mockableClock } from "./MockableClock.ts"
export { Entropy, seededRandom } from "./Entropy.ts"
export { LOG_KINDS, LogBudget, type LogBudgetOptions } from "./LogBudget.ts"
export {
  INPUTS_REPORTED,
  MachineFailed,
  type MachineService,
  type MachineServiceOptions,
  OUTPUTS_KEPT,
  machineService
} from "./MachineService.ts"
export { FIRST_PAUSE_MS, nextPauseMs } from "./Pauses.ts"
export { TURN_STEPS_MS, type TurnsSnapshot } from "./TurnTimes.ts"
