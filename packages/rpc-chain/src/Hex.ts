/**
 * Bytes as hexadecimal text, by the platform: answers hold megabytes of it. Put together character by character it takes thirty times as long, and
 * again as much when it is written (measured).
 */
import { Buffer } from "node:buffer"

/** Lower-case hexadecimal, first byte first. */
export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
