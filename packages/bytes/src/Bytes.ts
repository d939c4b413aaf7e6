/** What is done with whole byte arrays: compare, copy out, hexadecimal. */

/** Whether both hold the same bytes. Not constant in time: for public data. */
export const equals = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * The one place where a view becomes a copy because it outlives the turn: a 32-byte view into a 4 MB block keeps 4 MB alive.
 * Search for its name to review ownership.
 */
export const copyOut = (view: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(view)

/** The parts, one after another, in one exact array. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  let size = 0
  for (const part of parts) size += part.length
  const whole = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Lower-case hexadecimal, first byte first. */
export const toHex = (bytes: Uint8Array): string => {
  let hex = ""
  for (const byte of bytes) hex += HEX[byte]
  return hex
}

const digit = (code: number): number =>
  code >= 48 && code <= 57
    ? code - 48
    : code >= 97 && code <= 102
      ? code - 87
      : code >= 65 && code <= 70
        ? code - 55
        : -1

/** The bytes that `hex` names, or `undefined` where it is not hexadecimal of even length. */
export const fromHex = (hex: string): Uint8Array<ArrayBuffer> | undefined => {
  if (hex.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(hex.charCodeAt(2 * i))
    const low = digit(hex.charCodeAt(2 * i + 1))
    if (high < 0 || low < 0) return undefined
    bytes[i] = high * 16 + low
  }
  return bytes
}
