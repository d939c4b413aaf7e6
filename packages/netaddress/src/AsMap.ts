/**
 * Which autonomous system announces an address, from a map in Core's format (`-asmap`). It knows IPv4 as `::ffff:0:0/96`.
 *
 * The map is a program of bits, the lowest of each byte first, that eats the address from its highest bit:
 *
 * ```
 *   RETURN as        0         the answer
 *   JUMP n           10        takes a bit; where it is 1, n bits of the program are passed over
 *   MATCH bits       110       takes as many bits; where they differ, the answer is the default
 *   DEFAULT as       111       from here on the default is another one
 * ```
 *
 * A number is written as how far up a ladder of sizes it lies, a bit a rung, and then its bits on that rung. The ladder belongs to the kind of
 * number. Only a map that passes {@link AsMap.load} exists, so a lookup always comes to an answer.
 *
 * Source: Bitcoin Core 31.99 `util/asmap.cpp` (`Interpret`, `SanityCheckAsmap`, `AsmapVersion`).
 */
import { copyOut } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import { assert } from "@satwire/machine"
import * as Result from "effect/Result"

/**
 * The longest map that is taken. Core's own has 1.5 MB.
 *
 * @limit bytes of an AS map
 */
export const MAX_ASMAP_BYTES = 16_777_216

/** Why a map was not taken. */
export interface AsMapFault {
  readonly _tag: "AsMapFault"
  /** One clause: what is wrong. */
  readonly what: string
  /** The bit of the program at which it shows. */
  readonly atBit: number
}

const ADDRESS_BITS = 128
/** Nothing was read: the program ends within the number. */
const ENDED = -1

const RETURN = 0
const JUMP = 1
const MATCH = 2
const DEFAULT = 3

/** A ladder begins at `least`; each rung holds 2^bits numbers, and the last one has no rung after it to tell it from. */
interface Ladder {
  readonly least: number
  readonly bits: ReadonlyArray<number>
}

const upTo = (first: number, last: number): ReadonlyArray<number> =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

const OPCODES: Ladder = { least: 0, bits: [0, 0, 1] }
const SYSTEMS: Ladder = { least: 1, bits: upTo(15, 24) }
/** Bits to match, with a 1 before them that tells how many they are. */
const MATCHES: Ladder = { least: 2, bits: upTo(1, 8) }
const JUMPS: Ladder = { least: 17, bits: upTo(5, 30) }

/** A place in a program. */
class Cursor {
  at = 0
  readonly #bytes: Uint8Array
  readonly end: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.end = bytes.length * 8
  }

  /** The next bit; there must be one. */
  bit(): number {
    const at = this.at++
    return ((this.#bytes[at >>> 3] as number) >>> (at & 7)) & 1
  }

  number({ bits, least }: Ladder): number {
    let value = least
    const last = bits.length - 1
    for (let rung = 0; rung <= last; rung++) {
      if (rung < last) {
        if (this.at === this.end) return ENDED
        if (this.bit() === 1) {
          value += 2 ** (bits[rung] as number)
          continue
        }
      }
      return this.#mantissa(value, bits[rung] as number)
    }
    return ENDED
  }

  #mantissa(base: number, bits: number): number {
    if (this.end - this.at < bits) return ENDED
    let low = 0
    for (let i = 0; i < bits; i++) low = (low << 1) | this.bit()
    return base + low
  }
}

/** How many bits a {@link MATCHES} number matches. */
const matchLength = (match: number): number => 31 - Math.clz32(match)

export class AsMap {
  readonly #program: Uint8Array
  /** SHA-256d of the file: two maps with the same give the same answers. */
  readonly version: Uint8Array

  private constructor(program: Uint8Array, version: Uint8Array) {
    this.#program = program
    this.version = version
  }

  /** Takes the content of a file, of which it keeps a copy, if every path through it is sane. */
  static load(file: Uint8Array, sha256: Sha256): Result.Result<AsMap, AsMapFault> {
    if (file.length === 0 || file.length > MAX_ASMAP_BYTES) {
      return Result.fail(fault(`a map of ${file.length} bytes where 1 to ${MAX_ASMAP_BYTES} are allowed`, 0))
    }
    const wrong = new SanityCheck(file).run()
    if (wrong !== undefined) return Result.fail(wrong)
    return Result.succeed(new AsMap(copyOut(file), sha256d(sha256, file)))
  }

  /** The AS of an address of 16 bytes; 0 where the map has none. */
  lookup(ip: Uint8Array): number {
    const cursor = new Cursor(this.#program)
    let taken = 0
    let fallback = 0
    const next = (): number => {
      const bit = ((ip[taken >>> 3] as number) >>> (7 - (taken & 7))) & 1
      taken++
      return bit
    }
    while (cursor.at < cursor.end) {
      switch (cursor.number(OPCODES)) {
        case RETURN:
          return cursor.number(SYSTEMS)
        case JUMP: {
          const distance = cursor.number(JUMPS)
          if (next() === 1) cursor.at += distance
          break
        }
        case MATCH: {
          const match = cursor.number(MATCHES)
          for (let left = matchLength(match); left > 0; left--) {
            if (next() !== ((match >>> (left - 1)) & 1)) return fallback
          }
          break
        }
        case DEFAULT:
          fallback = cursor.number(SYSTEMS)
      }
    }
    assert(false, "an AS map that was found sane ends without an answer")
  }
}

const fault = (what: string, atBit: number): AsMapFault => ({ _tag: "AsMapFault", what, atBit })

/** A place that some address jumps to, and how many bits of the address are left there. */
interface Landing {
  readonly at: number
  readonly bitsLeft: number
}

/**
 * Walks the whole program once, from its beginning to its end: after a RETURN it goes on at the nearest landing, which must be the very next
 * bit. So every instruction is reached by some address, none reaches outside, and none takes more bits than an address has.
 */
class SanityCheck {
  readonly #cursor: Cursor
  /** The nearest last. */
  readonly #landings: Array<Landing> = []
  #bitsLeft = ADDRESS_BITS
  #before = JUMP
  #hadShortMatch = false
  #isDone = false

  constructor(program: Uint8Array) {
    this.#cursor = new Cursor(program)
  }

  /** What is wrong, if anything. */
  run(): AsMapFault | undefined {
    const cursor = this.#cursor
    while (cursor.at < cursor.end) {
      const start = cursor.at
      const nearest = this.#landings.at(-1)
      if (nearest !== undefined && start >= nearest.at) return fault("a jump into the middle of an instruction", start)
      const opcode = cursor.number(OPCODES)
      const wrong = opcode === ENDED ? "an instruction is cut short" : this.#step(opcode)
      if (wrong !== undefined) return fault(wrong, start)
      if (this.#isDone) return undefined
    }
    return fault("the map ends before an answer", cursor.at)
  }

  #step(opcode: number): string | undefined {
    const wrong =
      opcode === RETURN
        ? this.#answer()
        : opcode === JUMP
          ? this.#jump()
          : opcode === MATCH
            ? this.#match()
            : this.#default()
    if (opcode !== RETURN) this.#before = opcode
    return wrong
  }

  #answer(): string | undefined {
    const cursor = this.#cursor
    if (this.#before === DEFAULT) return "an answer right after a default"
    if (cursor.number(SYSTEMS) === ENDED) return "an AS is cut short"
    const landing = this.#landings.pop()
    if (landing === undefined) return this.#finish()
    if (cursor.at !== landing.at) return "instructions that no address reaches"
    this.#bitsLeft = landing.bitsLeft
    this.#before = JUMP
    return undefined
  }

  #finish(): string | undefined {
    const cursor = this.#cursor
    if (cursor.end - cursor.at > 7) return "more than padding after the last answer"
    while (cursor.at < cursor.end) if (cursor.bit() === 1) return "padding that is not zero"
    this.#isDone = true
    return undefined
  }

  #jump(): string | undefined {
    const cursor = this.#cursor
    const distance = cursor.number(JUMPS)
    if (distance === ENDED) return "a jump is cut short"
    if (distance > cursor.end - cursor.at) return "a jump past the end"
    if (this.#bitsLeft === 0) return "a jump on a bit that addresses do not have"
    this.#bitsLeft--
    const at = cursor.at + distance
    const nearest = this.#landings.at(-1)
    if (nearest !== undefined && at >= nearest.at) return "jumps that cross"
    this.#landings.push({ at, bitsLeft: this.#bitsLeft })
    return undefined
  }

  #match(): string | undefined {
    const match = this.#cursor.number(MATCHES)
    if (match === ENDED) return "a match is cut short"
    const length = matchLength(match)
    // Of matches in a row all but one fill their eight bits, or they could be fewer.
    if (this.#before !== MATCH) this.#hadShortMatch = false
    if (length < 8 && this.#hadShortMatch) return "two short matches in a row"
    this.#hadShortMatch = length < 8
    if (this.#bitsLeft < length) return "a match of bits that addresses do not have"
    this.#bitsLeft -= length
    return undefined
  }

  #default(): string | undefined {
    if (this.#before === DEFAULT) return "two defaults in a row"
    return this.#cursor.number(SYSTEMS) === ENDED ? "an AS is cut short" : undefined
  }
}
