export { type IceServer, MAX_UNSENT_BYTES, type WebRtcOptions, webRtc, webRtcDirect } from "./WebRtc.ts"
