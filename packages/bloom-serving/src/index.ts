export { BloomServing } from "./BloomServing.ts"
export type {
  BloomServingInput,
  BloomServingMessage,
  BloomServingOutput,
  FilterMissing,
  FilterNotOffered
} from "./BloomServingEvents.ts"
