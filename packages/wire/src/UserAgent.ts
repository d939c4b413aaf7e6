/**
 * The name that a peer gives its software (BIP-0014): any bytes at all, chosen by a stranger (`ByteString.ts`).
 */
import type { Reader, Writer } from "@satwire/bytes"
import { byteStringSize, readByteString, sanitize, writeByteString } from "./ByteString.ts"

/**
 * Bitcoin Core's `MAX_SUBVERSION_LENGTH` (net.h): bytes of a user agent.
 *
 * @limit bytes of a user agent
 */
export const MAX_SUBVERSION_LENGTH = 256

/** Reads a user agent: character k has the code of byte k. */
export const readUserAgent = (r: Reader): string => readByteString(r, MAX_SUBVERSION_LENGTH, "user agent")

/** Bytes of the user agent with its length before it. */
export const userAgentSize: (userAgent: string) => number = byteStringSize

/** Writes a user agent. */
export const writeUserAgent = (w: Writer, userAgent: string): void => writeByteString(w, userAgent, "user agent")

/** What may be shown of a user agent. */
export const sanitizeUserAgent: (userAgent: string) => string = sanitize
