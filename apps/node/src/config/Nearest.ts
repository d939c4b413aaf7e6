/** The name that somebody meant who mistyped one. */

/** The nearest of `names`, or `undefined` where none is near: at most a third of the letters may differ, and three. */
export const nearest = (typed: string, names: Iterable<string>): string | undefined => {
  let best: string | undefined
  let least = Infinity
  for (const name of names) {
    const limit = Math.min(3, Math.max(1, Math.floor(Math.max(typed.length, name.length) / 3)))
    const distance = distanceOf(typed.toLowerCase(), name.toLowerCase())
    if (distance <= limit && distance < least) {
      best = name
      least = distance
    }
  }
  return best
}

/** `; did you mean …?`, or nothing. */
export const suggestion = (found: string | undefined): string => (found === undefined ? "" : `; did you mean ${found}?`)

/** Letters that are put in, taken out, replaced, or swapped with their neighbour. */
const distanceOf = (a: string, b: string): number => {
  let beforeLast: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1)
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
