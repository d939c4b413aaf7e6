export { HeldReads, type HeldStream } from "./HeldReads.ts"
export { MAX_JOINED_BYTES, joiningEncrypter, joiningMuxer } from "./JoinedWrites.ts"
export { keptKeyCrypto } from "./NoiseCrypto.ts"
export { MAX_SMALL_PIECES, boundPieces, inLargerPieces } from "./Pieces.ts"
