/** Base64 to bytes, for modules that are kept as text: a pure package has no `atob` of its own. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** The bytes that `text` names. It is ours and well formed: nothing is checked. */
export const bytesFromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const values = new Uint8Array(128)
  for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  for (let i = 0; i < text.length; i += 4) {
    const value = (k: number): number => values[text.charCodeAt(i + k)] ?? 0
    const three = (value(0) << 18) | (value(1) << 12) | (value(2) << 6) | value(3)
    bytes[at++] = three >> 16
    if (at < bytes.length) bytes[at++] = (three >> 8) & 0xff
    if (at < bytes.length) bytes[at++] = three & 0xff
  }
  return bytes
}
