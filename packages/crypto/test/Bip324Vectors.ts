/** The vectors of BIP-0324, which lie with the real data. */
import { fromHex } from "@satwire/bytes"
import type { RealData } from "@satwire/testkit"

/** The rows of a table of comma-separated values without quotes, by the names of their columns. */
export const rowsOf = (data: RealData, name: string): ReadonlyArray<Readonly<Record<string, string>>> => {
  const [head, ...lines] = data.text(`vectors/bip324/${name}.csv`).trim().split(/\r?\n/u)
  const columns = (head as string).split(",")
  return lines.map((line) => {
    const values = line.split(",")
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? ""]))
  })
}

/** The bytes that a vector writes in hexadecimal. */
export const bytes = (hex: string | undefined): Uint8Array => {
  const decoded = fromHex(hex ?? "?")
  if (decoded === undefined) throw new Error(`no hexadecimal: ${hex}`)
  return decoded
}
