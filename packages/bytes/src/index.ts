export { concat, copyOut, equals, fromHex, toHex } from "./Bytes.ts"
export { DecodeError, type DecodeErrorKind, type DecodeResult, type Decoded } from "./DecodeError.ts"
export { MAX_SIZE, Reader, decode } from "./Reader.ts"
export { Writer, compactSizeLength, encode, varBytesLength } from "./Writer.ts"
