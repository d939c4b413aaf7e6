/** A method as data: what it is called, what it takes and answers, and the Effect that does it. */
import type * as Effect from "effect/Effect"
import type { Json, JsonArray, JsonObject } from "./Json.ts"
import type { Args, Param } from "./Param.ts"
import type { ResultDoc } from "./ResultDoc.ts"
import type { RpcError } from "./RpcError.ts"

/** The headings of the list that `help` gives. `hidden` methods work and are not in it. */
export type Category = "blockchain" | "control" | "mining" | "network" | "rawtransactions" | "util" | "hidden"

export interface MethodRow<P extends ReadonlyArray<Param>, R> {
  readonly name: string
  readonly category: Category
  /** What it does: a sentence or a few, with line breaks where they belong. */
  readonly about: string
  readonly params: P
  /** Its answer, or several with `when` they are given. */
  readonly result: ResultDoc | ReadonlyArray<ResultDoc>
  /** Calls for the help: an array of positional arguments or an object of named ones. */
  readonly examples?: ReadonlyArray<JsonArray | JsonObject>
  /** It waits for something to happen, so that it holds no place among those that work. It must end by itself, or when interrupted. */
  readonly waits?: boolean
  /** It can be called while the node warms up. Core refuses all then. */
  readonly duringWarmup?: boolean
  /** Does it. It is interrupted when the caller goes away. A defect is answered as an internal error. */
  readonly run: (args: Args<P>) => Effect.Effect<Json, RpcError, R>
}

/** A method whose arguments' types are forgotten: a row of a table. */
export interface Method<out R> {
  readonly name: string
  readonly category: Category
  readonly about: string
  readonly params: ReadonlyArray<Param>
  readonly results: ReadonlyArray<ResultDoc>
  readonly examples: ReadonlyArray<JsonArray | JsonObject>
  readonly waits: boolean
  readonly duringWarmup: boolean
  /** Takes what its `params` read, by their names. */
  readonly run: (args: Readonly<Record<string, unknown>>) => Effect.Effect<Json, RpcError, R>
}

/** A method from its row. */
export const method = <const P extends ReadonlyArray<Param>, R = never>(row: MethodRow<P, R>): Method<R> => ({
  name: row.name,
  category: row.category,
  about: row.about,
  params: row.params,
  results: Array.isArray(row.result) ? row.result : [row.result as ResultDoc],
  examples: row.examples ?? [],
  waits: row.waits === true,
  duringWarmup: row.duringWarmup === true,
  // What calls it has read each argument by its row, which `Args<P>` is made of.
  run: (args) => row.run(args as Args<P>)
})
