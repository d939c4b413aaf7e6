/** What the command lines of simulations have in common. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly error: (line: string) => void
}

/** What a flag is given and cannot take. */
export class WrongFlag extends TypeError {}

/** The whole number that a flag is given, `undefined` where it is not there. Throws `WrongFlag` where it is none, or too small. */
export const wholeNumber = (name: string, given: string | undefined, least: number): number | undefined => {
  if (given === undefined) return undefined
  const value = Number(given)
  if (given.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value
  throw new WrongFlag(`--${name} takes a whole number from ${least} on, not "${given}"`)
}
