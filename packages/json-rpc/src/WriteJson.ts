/** From a value to JSON text, with every number as exact as it was given; as a whole, or in pieces for who must not keep others waiting. */
import * as Effect from "effect/Effect"
import { ExactNumber, type Json, type JsonArray, type JsonObject, isArray } from "./Json.ts"

/**
 * A millisecond or two.
 *
 * @limit characters of an answer that are written before others have their turn
 */
export const CHARACTERS_PER_GO = 262_144

/** In one line; or, with `indent`, one line for each member, that many spaces further in than what holds it. */
export const writeJson = (json: Json, indent = 0): string => new Writer(json, indent).next(Infinity)

/** The same in one line, in goes of {@link CHARACTERS_PER_GO}. */
export const writeJsonInGoes = (json: Json): Effect.Effect<string> =>
  Effect.suspend(() => {
    const writer = new Writer(json, 0)
    const first = writer.next(CHARACTERS_PER_GO)
    return writer.isDone ? Effect.succeed(first) : rest(writer, first)
  })

const rest = (writer: Writer, first: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    let text = first
    while (!writer.isDone) {
      yield* Effect.yieldNow
      text += writer.next(CHARACTERS_PER_GO)
    }
    return text
  })

/** An array or an object that is being written. */
interface Open {
  readonly json: JsonArray | JsonObject
  /** Of an object's members. */
  readonly names: ReadonlyArray<string> | undefined
  readonly count: number
  at: number
  isEmpty: boolean
}

class Writer {
  readonly #indent: number
  /** From the outermost in. */
  readonly #open: Array<Open> = []
  #parts: Array<string> = []
  #characters = 0

  constructor(json: Json, indent: number) {
    this.#indent = indent
    this.#value(json)
  }

  get isDone(): boolean {
    return this.#open.length === 0
  }

  /** What follows, about so many characters of it. */
  next(characters: number): string {
    for (let open = this.#open.at(-1); open !== undefined && this.#characters < characters; open = this.#open.at(-1)) {
      this.#member(open)
    }
    const text = this.#parts.join("")
    this.#parts = []
    this.#characters = 0
    return text
  }

  /** The next member of what is open, or its end. */
  #member(open: Open): void {
    if (open.at === open.count) return this.#close(open)
    const { json, names } = open
    const name = names?.[open.at]
    const value = name === undefined ? (json as JsonArray)[open.at] : (json as JsonObject)[name]
    open.at += 1
    if (value === undefined && name !== undefined) return
    if (!open.isEmpty) this.#push(",")
    open.isEmpty = false
    if (this.#indent > 0) this.#line()
    if (name !== undefined) this.#push(JSON.stringify(name) + (this.#indent === 0 ? ":" : ": "))
    this.#value(value ?? null)
  }

  #close({ isEmpty, names }: Open): void {
    this.#open.pop()
    if (this.#indent > 0 && !isEmpty) this.#line()
    this.#push(names === undefined ? "]" : "}")
  }

  #value(json: Json): void {
    if (json === null) return this.#push("null")
    switch (typeof json) {
      case "string":
        return this.#push(JSON.stringify(json))
      case "number":
        // JSON has no word for what is not finite, and `null` is what every writer puts for it.
        return this.#push(Number.isFinite(json) ? String(json) : "null")
      case "bigint":
      case "boolean":
        return this.#push(String(json))
      default:
        return json instanceof ExactNumber ? this.#push(json.text) : this.#begin(json)
    }
  }

  #begin(json: JsonArray | JsonObject): void {
    const names = isArray(json) ? undefined : Object.keys(json)
    const count = isArray(json) ? json.length : (names?.length ?? 0)
    this.#push(names === undefined ? "[" : "{")
    this.#open.push({ json, names, count, at: 0, isEmpty: true })
  }

  /** A new line, as far in as what is open. */
  #line(): void {
    this.#push(`\n${" ".repeat(this.#indent * this.#open.length)}`)
  }

  #push(text: string): void {
    this.#parts.push(text)
    this.#characters += text.length
  }
}
