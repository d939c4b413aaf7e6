/**
 * What a database must be able to do to be a {@link KvStore}: look up, change in one go, and give a range page by page. So no iterator of
 * it is ever open while somebody thinks about what it gave.
 */
import type { StoreError } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { KvChange, KvEntry, KvStoreShape } from "./KvStore.ts"

export interface KvPages {
  readonly getMany: (
    keys: ReadonlyArray<Uint8Array>
  ) => Effect.Effect<ReadonlyArray<Uint8Array | undefined>, StoreError>
  readonly batch: (changes: ReadonlyArray<KvChange>, durable: boolean) => Effect.Effect<void, StoreError>
  readonly page: (page: Page) => Effect.Effect<ReadonlyArray<KvEntry>, StoreError>
}

/** The first entries of a range, or its last where it goes backwards. */
export interface Page {
  readonly gte: Uint8Array
  readonly lt: Uint8Array | undefined
  readonly limit: number
  readonly reverse: boolean
}

/**
 * How many entries of a range are read at once.
 *
 * @limit entries of one page of a range
 */
export const PAGE_ENTRIES = 1024

const LOWEST = new Uint8Array(0)

export const kvStoreOn = (pages: KvPages): KvStoreShape => ({
  get: (key) => Effect.map(pages.getMany([key]), ([value]) => value),
  getMany: pages.getMany,
  batch: (changes, { durable }) => (changes.length === 0 && !durable ? Effect.void : pages.batch(changes, durable)),
  range: ({ gte = LOWEST, limit = Infinity, lt, reverse = false }) =>
    Stream.paginate({ gte, lt, limit, reverse }, (left) => {
      if (left.limit <= 0 || isEmpty(left)) return Effect.succeed(END)
      const page = { ...left, limit: Math.min(left.limit, PAGE_ENTRIES) }
      return Effect.map(pages.page(page), (entries) => [entries, rest(left, entries)])
    })
})

const END: readonly [ReadonlyArray<KvEntry>, Option.Option<Page>] = [[], Option.none()]

/** Whether no key can lie in the range. Databases differ in what they make of one that ends before it begins. */
const isEmpty = ({ gte, lt }: Page): boolean => lt !== undefined && compareKeys(gte, lt) >= 0

/** What is left of a range after these entries of it. */
const rest = (range: Page, entries: ReadonlyArray<KvEntry>): Option.Option<Page> => {
  const last = entries.at(-1)
  if (last === undefined || entries.length < Math.min(range.limit, PAGE_ENTRIES)) return Option.none()
  const limit = range.limit - entries.length
  return Option.some(range.reverse ? { ...range, lt: last.key, limit } : { ...range, gte: successor(last.key), limit })
}

/** The first key after this one: the same with a zero behind it. */
const successor = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** Below zero where `a` comes first, above where `b` does. A key comes after all that it begins with. */
export const compareKeys = (a: Uint8Array, b: Uint8Array): number => {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
