/** One argument of a method, as a row of its table: the same row reads it, names it in error texts and stands in the help. */
import * as Result from "effect/Result"
import type { Json } from "./Json.ts"
import type { Kind, ReadResult } from "./Kind.ts"
import { writeJson } from "./WriteJson.ts"

export interface Param<Name extends string = string, A = unknown> {
  readonly name: Name
  /** Other names that a named call may use. */
  readonly aliases: ReadonlyArray<string>
  readonly kind: Kind<unknown>
  readonly required: boolean
  /** The default as the help shows it. */
  readonly shown: string | undefined
  readonly doc: string
  /** It, and every argument after it, is not in the help. */
  readonly hidden: boolean
  /** The value of an argument that was given, or of `null`, which is as if it was not. */
  readonly read: (json: Json) => ReadResult<A>
}

/** The arguments of a method by their names. */
export type Args<P extends ReadonlyArray<Param>> = {
  readonly [X in P[number] as X["name"]]: X extends Param<string, infer A> ? A : never
}

export interface MoreOfParam {
  readonly aliases?: ReadonlyArray<string>
  readonly hidden?: boolean
  /** Of an optional argument: what goes without it, in words. */
  readonly default?: string
}

/** An argument that must be given. */
export const required = <const Name extends string, A>(
  name: Name,
  kind: Kind<A>,
  doc: string,
  more: MoreOfParam = {}
): Param<Name, A> => ({
  ...row(name, kind, doc, more),
  required: true,
  read: (json) => kind.read(json, name)
})

/** An argument that may be left out; `undefined` then. */
export const optional = <const Name extends string, A>(
  name: Name,
  kind: Kind<A>,
  doc: string,
  more: MoreOfParam = {}
): Param<Name, A | undefined> => ({
  ...row(name, kind, doc, more),
  read: (json) => (json === null ? Result.succeed(undefined) : kind.read(json, name))
})

/** An argument that may be left out and then has this value, given as JSON. */
export const defaulted = <const Name extends string, A>(
  name: Name,
  kind: Kind<A>,
  value: Json,
  doc: string,
  more: MoreOfParam = {}
): Param<Name, A> => ({
  ...row(name, kind, doc, more),
  shown: more.default ?? writeJson(value),
  read: (json) => kind.read(json ?? value, name)
})

const row = <const Name extends string>(
  name: Name,
  kind: Kind<unknown>,
  doc: string,
  more: MoreOfParam
): Omit<Param<Name>, "read"> => ({
  name,
  aliases: more.aliases ?? [],
  kind,
  required: false,
  shown: more.default,
  doc,
  hidden: more.hidden === true
})
