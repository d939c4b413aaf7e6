export { type Framing, type FramingEvent, type FramingFault } from "./Framing.ts"
export { V1Framing, type V1Options } from "./V1Framing.ts"
