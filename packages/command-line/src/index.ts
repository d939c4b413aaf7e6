export { ConfigError, clipped } from "./ConfigError.ts"
export {
  FAILED,
  NOT_UNDERSTOOD,
  complaintOf,
  exitCodeOf,
  failureCodeOf,
  reportOf,
  stopWhenNobodyReads
} from "./Ending.ts"
export { type Invalid, type PresenterOptions, type RunOptions, presenterOf, runWith } from "./Presenter.ts"
