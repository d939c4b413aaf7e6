export { REPLAYED_BLOCK_BYTES } from "./BlocksInMemory.ts"
export { CaptureDamaged, CaptureEmpty, type CaptureFault, CaptureUnreadable } from "./CaptureError.ts"
export { type CaptureRecord, RECORD_HEAD_BYTES, type RecordFound, encodeRecord, recordAt } from "./CaptureFormat.ts"
export {
  type CaptureEnd,
  type CaptureOptions,
  type Captured,
  DEFAULT_CAPTURE_BYTES,
  captureMessages
} from "./CaptureMessages.ts"
export {
  CAPTURE_FOLDER,
  type PeerFiles,
  RECEIVED_FILE,
  SENT_FILE,
  type Side,
  addressOf,
  fileOf,
  folderOf
} from "./CapturePlaces.ts"
export { CAPTURE_PIECE_BYTES, CaptureFile, type Survey, captureFiles, survey } from "./ReadCapture.ts"
export { type ReplayNews, type ReplayOptions, type ReplaySummary, replay } from "./Replay.ts"
export type { Replayed } from "./ReplayedCore.ts"
