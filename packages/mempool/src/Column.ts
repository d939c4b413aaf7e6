/** Flat columns that grow by doubling. */

/** Copies a column to the beginning of a wider one, which it gives back. */
export const widened = <Column extends Uint8Array | Int32Array | Uint32Array | Float64Array>(
  wide: Column,
  column: Column
): Column => {
  wide.set(column)
  return wide
}
