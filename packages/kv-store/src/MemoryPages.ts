/** Keys and values in an array that is kept in order. */
import * as Effect from "effect/Effect"
import { type KvPages, compareKeys } from "./KvPages.ts"
import type { KvChange, KvEntry } from "./KvStore.ts"

interface Kept {
  readonly key: Uint8Array
  value: Uint8Array | undefined
}

export const memoryPages = (): KvPages => {
  let kept: Array<Kept> = []

  /** The first place whose key is not below this one. */
  const place = (key: Uint8Array): number => {
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys((kept[middle] as Kept).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  const find = (key: Uint8Array): Kept | undefined => {
    const found = kept[place(key)]
    return found !== undefined && compareKeys(found.key, key) === 0 ? found : undefined
  }
  const batch = (changes: ReadonlyArray<KvChange>): void => {
    const fresh: Array<Kept> = []
    let gone = 0
    for (const { key, value } of lastOfEach(changes)) {
      const found = find(key)
      if (found !== undefined) {
        found.value = value?.slice()
        if (value === undefined) gone++
      } else if (value !== undefined) fresh.push({ key: key.slice(), value: value.slice() })
    }
    if (gone > 0) kept = kept.filter(({ value }) => value !== undefined)
    const [first] = fresh
    if (first !== undefined && fresh.length === 1) kept.splice(place(first.key), 0, first)
    // Two runs that are in order, which sorting merges.
    else if (first !== undefined) kept = [...kept, ...fresh].sort((a, b) => compareKeys(a.key, b.key))
  }
  return {
    getMany: (keys) => Effect.sync(() => keys.map((key) => find(key)?.value?.slice())),
    batch: (changes) => Effect.sync(() => batch(changes)),
    page: ({ gte, limit, lt, reverse }) =>
      Effect.sync(() => {
        const from = place(gte)
        const to = lt === undefined ? kept.length : place(lt)
        const found = reverse
          ? kept.slice(Math.max(from, to - limit), to).reverse()
          : kept.slice(from, Math.min(to, from + limit))
        return found.map(entryOf)
      })
  }
}

const entryOf = ({ key, value }: Kept): KvEntry => ({ key: key.slice(), value: (value as Uint8Array).slice() })

/** The changes in the order of their keys, one of each. */
const lastOfEach = (changes: ReadonlyArray<KvChange>): ReadonlyArray<KvChange> => {
  const sorted = changes.toSorted((a, b) => compareKeys(a.key, b.key))
  return sorted.filter(({ key }, i) => {
    const next = sorted[i + 1]
    return next === undefined || compareKeys(key, next.key) !== 0
  })
}
