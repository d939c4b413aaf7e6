/**
 * Destinations of I2P: the public keys of an end, in I2P's own base64, and the short name that is their hash. A name is what an address
 * book and a `version` know; a destination is what a router connects to.
 *
 * Source: I2P "Common structures", Destination; "Naming", Base 32 names; Bitcoin Core 28.1 `i2p.cpp` (`DestBinToAddr`, `SwapBase64`).
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { base32nopad, base64nopad } from "@scure/base"
import type { Endpoint } from "@satwire/transport"

/** Public keys and a certificate, at least (I2P "Common structures"). */
const LEAST_BYTES = 387

/** I2P's base64 has `-` and `~` where others have `+` and `/`. */
const decode = (text: string): Uint8Array | undefined => {
  if (!/^[A-Za-z0-9~-]+={0,2}$/.test(text)) return undefined
  try {
    return base64nopad.decode(text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("~", "/"))
  } catch {
    return undefined
  }
}

/** The endpoint of a destination, `….b32.i2p:0`; `undefined` where the text is none. I2P knows no ports that matter to Bitcoin. */
export const endpointOf = (destination: string): Endpoint | undefined => {
  const bytes = decode(destination)
  if (bytes === undefined || bytes.length < LEAST_BYTES) return undefined
  return { host: `${base32nopad.encode(sha256(bytes)).toLowerCase()}.b32.i2p`, port: 0 }
}

/** The public part of a private key as SAM gives it: the keys' certificate says how long it is. */
export const destinationOf = (privateKey: string): string | undefined => {
  const bytes = decode(privateKey)
  if (bytes === undefined || bytes.length < LEAST_BYTES) return undefined
  const certificateBytes = ((bytes[385] as number) << 8) | (bytes[386] as number)
  const end = LEAST_BYTES + certificateBytes
  if (bytes.length <= end) return undefined
  const text = base64nopad.encode(bytes.subarray(0, end)).replaceAll("+", "-").replaceAll("/", "~")
  return text + "=".repeat((4 - (text.length % 4)) % 4)
}
