export { TxRequestTracker } from "./TxRequestTracker.ts"
