export { concat, copyOut, equals, fromHex, toHex } from "./Bytes.ts"
export { DecodeError, type DecodeErrorKind, type DecodeResult, type Decoded } from "./DecodeError.ts"
export { MAX_SIZE, Reader, decode, decodeFrom } from "./Reader.ts"
export { Writer, compactSize64Length, compactSizeLength, encode, varBytesLength } from "./Writer.ts"
