/**
 * What a law is: a sentence and a function that looks at the house and tells where it is broken and what to do. Laws are plain
 * functions of a house, so that each is proven on a small house made for it (`proof.test.ts`) before it judges the real one.
 */
import type { House } from "./House.ts"

export interface Violation {
  readonly file: string
  readonly line: number
  /** What is broken, as a key that survives edits of other lines: a function's name, a package, a word. */
  readonly what: string
  /** What to do about it, in one sentence. */
  readonly advice: string
}

export interface Law {
  /** The test's name: what holds in this house. */
  readonly sentence: string
  readonly violations: (house: House) => ReadonlyArray<Violation>
}

/** A named place where a law does not hold, and why it may not. */
export interface Exception {
  readonly law: string
  readonly file: string
  readonly what: string
  readonly reason: string
}

export const excuses = (exception: Exception, law: Law, violation: Violation): boolean =>
  exception.law === law.sentence && exception.file === violation.file && exception.what === violation.what

export const print = ({ file, line, what, advice }: Violation): string => `${file}:${line} ${what}: ${advice}`
