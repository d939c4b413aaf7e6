/**
 * What of the log is wanted: Bitcoin Core's categories and levels, and the options that choose among them.
 *
 * Source: Bitcoin Core 31.99 `logging.cpp`, `init/common.cpp` (`SetLoggingCategories`, `SetLoggingLevel`).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** Core's categories. Of some of them this node has nothing to tell. */
export const CATEGORIES = [
  "net",
  "tor",
  "mempool",
  "http",
  "bench",
  "zmq",
  "walletdb",
  "rpc",
  "estimatefee",
  "addrman",
  "selectcoins",
  "reindex",
  "cmpctblock",
  "rand",
  "prune",
  "proxy",
  "mempoolrej",
  "libevent",
  "coindb",
  "qt",
  "leveldb",
  "validation",
  "i2p",
  "ipc",
  "lock",
  "blockstorage",
  "txreconciliation",
  "scan",
  "txpackages",
  "kernel",
  "privatebroadcast"
] as const
export type Category = (typeof CATEGORIES)[number]

/** What `-debug` and `-debugexclude` may name. */
export const CATEGORY_CHOICES: ReadonlyArray<string> = ["1", "all", "0", "none", ...CATEGORIES]

/** From the least to the most important. */
export const LEVELS = ["trace", "debug", "info", "warning", "error"] as const
export type Level = (typeof LEVELS)[number]

/** From which level on something is logged; for one category, or for all. */
export interface LevelRule {
  readonly category: Category | undefined
  readonly level: Level
}

export const categoryName: Schema.Codec<string, string> = Schema.Literals(CATEGORY_CHOICES)

const RULES = LEVELS.flatMap((level) => [level, ...CATEGORIES.map((category) => `${category}:${level}` as const)])

const ruleOf = (text: string): LevelRule => {
  const [level, category] = text.split(":").reverse()
  return {
    category: CATEGORIES.find((name) => name === category),
    level: LEVELS.find((name) => name === level) ?? "debug"
  }
}

/** `trace`, or `net:trace`. */
export const levelRule: Schema.Codec<LevelRule, string> = Schema.Literals(RULES).pipe(
  Schema.decodeTo(
    Schema.Struct({ category: Schema.UndefinedOr(Schema.Literals(CATEGORIES)), level: Schema.Literals(LEVELS) }),
    SchemaTransformation.transform({
      decode: ruleOf,
      encode: ({ category, level }) => (category === undefined ? level : (`${category}:${level}` as const))
    })
  )
)

/** Whether a line of this level and category is wanted. */
export type Wanted = (level: Level, category: Category | undefined) => boolean

export interface Choice {
  readonly debug: ReadonlyArray<string>
  readonly debugexclude: ReadonlyArray<string>
  readonly loglevel: ReadonlyArray<LevelRule>
}

/**
 * What of the log is wanted, which may be changed while it counts, as `logging` of JSON-RPC does.
 *
 * Specification: what is at least `info` is always wanted. Below that a line is wanted where its category was chosen by `-debug` and not taken
 * out by `-debugexclude`, and its level is at least that of `-loglevel`, of the category before that of all; without a category, where all are chosen.
 */
export class Wishes {
  /** Categories of which everything is told. */
  readonly #chosen: Set<Category>
  /** Whether all were chosen, some of which may have been taken out again. */
  #hasAll: boolean
  readonly #levelOf: ReadonlyMap<Category | undefined, Level>
  readonly #listeners: Set<() => void> = new Set()

  constructor({ debug, debugexclude, loglevel }: Choice) {
    const excluded = chosenBy(debugexclude)
    const chosen = chosenBy(debug)
    this.#chosen = new Set([...chosen].filter((category) => !excluded.has(category)))
    this.#hasAll = chosen.size === CATEGORIES.length
    this.#levelOf = new Map(loglevel.map(({ category, level }) => [category, level]))
  }

  readonly wanted: Wanted = (level, category) => {
    if (rank(level) >= rank("info")) return true
    const general = this.#levelOf.get(undefined) ?? "debug"
    if (category === undefined) return this.#hasAll && rank(level) >= rank(general)
    return this.#chosen.has(category) && rank(level) >= rank(this.#levelOf.get(category) ?? general)
  }

  /** Done once such a line is wanted, or is not any more. */
  until(level: Level, category: Category, isWanted: boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = (): void => {
        if (this.wanted(level, category) === isWanted) resume(Effect.void)
      }
      this.#listeners.add(look)
      look()
      return Effect.sync(() => this.#listeners.delete(look))
    })
  }

  /** Every category, and whether it is told of. */
  get list(): ReadonlyArray<readonly [Category, boolean]> {
    return CATEGORIES.map((category) => [category, this.#chosen.has(category)])
  }

  /** One category by its name, or with `all`, `1` or the empty text every one. Gives whether there is such a one. */
  set(name: string, isWanted: boolean): boolean {
    const isAll = name === "all" || name === "1" || name === ""
    const named = isAll ? CATEGORIES : CATEGORIES.filter((category) => category === name)
    for (const category of named) {
      if (isWanted) this.#chosen.add(category)
      else this.#chosen.delete(category)
    }
    if (isAll) this.#hasAll = isWanted
    for (const look of this.#listeners) look()
    return named.length > 0
  }
}

const rank = (level: Level): number => LEVELS.indexOf(level)

/** `0` and `none` take back what stands before them. */
const chosenBy = (names: ReadonlyArray<string>): ReadonlySet<Category> => {
  const from = names.findLastIndex((name) => name === "0" || name === "none") + 1
  const counted = names.slice(from)
  return new Set(
    counted.some((name) => name === "1" || name === "all")
      ? CATEGORIES
      : CATEGORIES.filter((name) => counted.includes(name))
  )
}
