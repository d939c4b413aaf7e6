/** A naive AS map, a tree of prefixes, and how it is written as a program: jumps and answers only, which is long and right. */

/** An AS for everything below, or what follows a 0 and what follows a 1. */
export type Tree = number | readonly [Tree, Tree]

/** The AS of an address: follow its bits. */
export const asOf = (tree: Tree, ip: Uint8Array, depth = 0): number =>
  typeof tree === "number"
    ? tree
    : asOf(tree[((ip[depth >> 3] as number) >> (7 - (depth & 7))) & 1] as Tree, ip, depth + 1)

type Bits = ReadonlyArray<number>

const number = (value: number, least: number, sizes: ReadonlyArray<number>): Bits => {
  const bits: Array<number> = []
  let left = value - least
  for (const [rung, size] of sizes.entries()) {
    const isLast = rung === sizes.length - 1
    if (isLast || left < 2 ** size) {
      if (!isLast) bits.push(0)
      for (let i = size - 1; i >= 0; i--) bits.push(Math.floor(left / 2 ** i) % 2)
      return bits
    }
    bits.push(1)
    left -= 2 ** size
  }
  return bits
}

const upTo = (first: number, last: number): ReadonlyArray<number> =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

const instructions = (tree: Tree): Bits => {
  if (typeof tree === "number") return [0, ...number(tree, 1, upTo(15, 24))]
  const [zero, one] = tree.map(instructions) as [Bits, Bits]
  return [1, 0, ...number(zero.length, 17, upTo(5, 30)), ...zero, ...one]
}

/** The program as a file. */
export const programOf = (tree: Tree): Uint8Array => {
  const bits = instructions(tree)
  const file = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [i, bit] of bits.entries()) file[i >> 3] = (file[i >> 3] as number) | (bit << (i & 7))
  return file
}
