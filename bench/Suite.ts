import type { Contender } from "@satwire/testkit"

/** Some ways of doing the same work; the first is ours, and the others are quoted beside it. */
export interface Suite {
  readonly title: string
  /** What is counted, per second. */
  readonly unit: string
  readonly contenders: ReadonlyArray<Contender>
  readonly close?: () => void
}
