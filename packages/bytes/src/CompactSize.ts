/** CompactSizes in bytes that were scanned before: they are known to be there, minimal and at most `MAX_SIZE`, so that none takes nine. */

/** The value of the CompactSize at `at`. */
export const compactSizeAt = (b: Uint8Array, at: number): number => {
  const first = b[at] as number
  if (first < 0xfd) return first
  const low = (b[at + 1] as number) | ((b[at + 2] as number) << 8)
  return first === 0xfd ? low : low + ((b[at + 3] as number) | ((b[at + 4] as number) << 8)) * 0x1_0000
}

/** How many bytes it takes. */
export const compactSizeLengthAt = (b: Uint8Array, at: number): number => {
  const first = b[at] as number
  return first < 0xfd ? 1 : first === 0xfd ? 3 : 5
}
