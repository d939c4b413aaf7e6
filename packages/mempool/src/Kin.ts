/**
 * Which transactions of the pool spend outputs of which others. Most have no kin at all, and limits keep those that have some to a
 * handful, so that ancestors and descendants are found by walking and nothing about them is kept.
 */
import { IdMap } from "@satwire/machine"

const NONE: ReadonlyArray<number> = []

export class Kin {
  readonly #parents: IdMap<number, ReadonlyArray<number>> = new IdMap()
  readonly #children: IdMap<number, ReadonlyArray<number>> = new IdMap()
  #links = 0

  /** How many pairs of a parent and a child there are. */
  get links(): number {
    return this.#links
  }

  parents(id: number): ReadonlyArray<number> {
    return this.#parents.get(id) ?? NONE
  }

  children(id: number): ReadonlyArray<number> {
    return this.#children.get(id) ?? NONE
  }

  /** Takes note that `child` spends outputs of `parent`. They must not be noted yet. */
  link(parent: number, child: number): void {
    // A spread leaves room for 16 more, in a list that mostly has one (measured).
    this.#parents.set(child, this.parents(child).concat(parent))
    this.#children.set(parent, this.children(parent).concat(child))
    this.#links += 1
  }

  /** Forgets one of them all. */
  delete(id: number): void {
    for (const parent of this.parents(id)) without(this.#children, parent, id)
    for (const child of this.children(id)) without(this.#parents, child, id)
    this.#links -= this.parents(id).length + this.children(id).length
    this.#parents.delete(id)
    this.#children.delete(id)
  }

  /** All that one depends on, itself not counted; nobody beyond `most` of them is looked for. */
  ancestors(id: number, most: number = Infinity): Set<number> {
    return closure(this.parents(id), (each) => this.parents(each), most)
  }

  /** What `ancestors` are of a child of all `parents`. */
  ancestorsBy(parents: Iterable<number>, most: number = Infinity): Set<number> {
    return closure(parents, (each) => this.parents(each), most)
  }

  /** All that depends on these, with themselves, as in {@link ancestors}; those left out, and what only they lead to, are not met. */
  descendants(ids: Iterable<number>, most: number = Infinity, leftOut?: ReadonlySet<number>): Set<number> {
    return closure(ids, (each) => this.children(each), most, leftOut)
  }
}

/** These, and all that is reached from them. */
const closure = (
  from: Iterable<number>,
  next: (id: number) => ReadonlyArray<number>,
  most: number,
  leftOut?: ReadonlySet<number>
): Set<number> => {
  const found = new Set<number>()
  for (const id of from) if (leftOut?.has(id) !== true) found.add(id)
  // A set is walked in the order of arrival, and what is added meanwhile is met.
  for (const id of found) {
    if (found.size > most) return found
    for (const each of next(id)) if (leftOut?.has(each) !== true) found.add(each)
  }
  return found
}

const without = (lists: IdMap<number, ReadonlyArray<number>>, key: number, id: number): void => {
  const rest = (lists.get(key) ?? NONE).filter((each) => each !== id)
  if (rest.length > 0) lists.set(key, rest)
  else lists.delete(key)
}
