/** Tables of what came last, for whoever keeps something of strangers: of too many entries the one that was set longest ago goes. */

interface Table<Key> {
  keys(): Iterable<Key>
  delete(key: Key): boolean
}

/** The entry that was set longest ago. */
export const forgetOldest = <Key>(table: Table<Key>): void => {
  for (const key of table.keys()) {
    table.delete(key)
    return
  }
}

/** Sets a value behind all others. */
export const keepLast = <Key, Value>(table: Map<Key, Value>, key: Key, value: Value, most: number): void => {
  table.delete(key)
  table.set(key, value)
  if (table.size > most) forgetOldest(table)
}
