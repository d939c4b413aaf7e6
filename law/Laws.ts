/**
 * All laws of the house, and how one is held: what an exception excuses is taken out, and an exception that excuses nothing is
 * itself a violation, so that their list only shrinks.
 */
import type { House } from "./House.ts"
import { importLaws } from "./Imports.ts"
import { type Law, type Violation, excuses } from "./Law.ts"
import { manifestLaws } from "./Manifests.ts"
import { dataLaws } from "./RealData.ts"
import { seamLaws } from "./Seam.ts"
import { sizeLaws } from "./Sizes.ts"
import { tagLaws } from "./Tags.ts"
import { wordLaws } from "./Words.ts"

const base: ReadonlyArray<Law> = [
  ...importLaws,
  ...sizeLaws,
  ...wordLaws,
  ...manifestLaws,
  ...seamLaws,
  ...tagLaws,
  ...dataLaws
]

export const breaches = (house: House, law: Law): ReadonlyArray<Violation> =>
  law.violations(house).filter((violation) => !house.exceptions.some((exception) => excuses(exception, law, violation)))

export const exceptionsAreNeeded: Law = {
  sentence: "every exception in law/exceptions.json is still needed and has a reason",
  violations: (house) =>
    house.exceptions.flatMap((exception) => {
      const law = base.find((candidate) => candidate.sentence === exception.law)
      const needed = law?.violations(house).some((violation) => excuses(exception, law, violation)) ?? false
      if (needed && exception.reason.length > 0) return []
      const advice = needed ? "say why" : "it excuses nothing: take it out"
      return [{ file: "law/exceptions.json", line: 1, what: `${exception.law} / ${exception.file}`, advice }]
    })
}

export const laws: ReadonlyArray<Law> = [...base, exceptionsAreNeeded]
