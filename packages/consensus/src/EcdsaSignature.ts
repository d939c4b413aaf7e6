/**
 * Signatures as scripts carry them: r and s in strict DER, and a byte that says what is signed.
 *
 * ```
 *   30 total │ 02 length r │ 02 length s │ hash type
 * ```
 *
 * Source: BIP-0066 §"DER encoding reference", Bitcoin Core 28.1 `script/interpreter.cpp` (`IsValidSignatureEncoding`), `pubkey.cpp`.
 */

/** The shortest there is, with its hash type: two numbers of one byte. */
const MIN_SIZE = 9
const MAX_SIZE = 73
const SEQUENCE = 0x30
const INTEGER = 0x02
const NUMBER_SIZE = 32

/** Whether `signature`, hash type included, is one of the encodings that BIP-0066 allows. */
export const isStrictDer = (signature: Uint8Array): boolean => {
  const { length } = signature
  if (length < MIN_SIZE || length > MAX_SIZE) return false
  if (signature[0] !== SEQUENCE || signature[1] !== length - 3) return false
  const rLength = signature[3] as number
  if (5 + rLength >= length) return false
  const sLength = signature[5 + rLength] as number
  return (
    rLength + sLength + 7 === length && isPositive(signature, 2, rLength) && isPositive(signature, 4 + rLength, sLength)
  )
}

/** Whether at `at` stands a positive number in its shortest form. */
const isPositive = (signature: Uint8Array, at: number, length: number): boolean => {
  if (signature[at] !== INTEGER || length === 0) return false
  const [first = 0, second = 0] = signature.subarray(at + 2, at + 4)
  return (first & 0x80) === 0 && (length === 1 || first !== 0 || (second & 0x80) !== 0)
}

/** r and s of a signature in strict DER, 32 bytes each, or `undefined` where one is too large for that, and so is not valid. */
export const compactOfDer = (signature: Uint8Array): Uint8Array | undefined => {
  const compact = new Uint8Array(2 * NUMBER_SIZE)
  const rEnd = 4 + (signature[3] as number)
  const isWhole =
    setNumber(compact, NUMBER_SIZE, signature.subarray(4, rEnd)) &&
    setNumber(compact, 2 * NUMBER_SIZE, signature.subarray(rEnd + 2, signature.length - 1))
  return isWhole ? compact : undefined
}

/** Writes a number so that it ends at `end`; false where it has more than 32 bytes. */
const setNumber = (into: Uint8Array, end: number, number: Uint8Array): boolean => {
  const digits = number[0] === 0 ? number.subarray(1) : number
  if (digits.length > NUMBER_SIZE) return false
  into.set(digits, end - digits.length)
  return true
}
