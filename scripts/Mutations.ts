/** Payloads for fuzzing: those of a pool and fresh ones, each changed in a few places as a broken or hostile peer would. */
import { arbitraryMessages } from "@satwire/testkit"
import { type Command, type Message, encodePayload } from "@satwire/wire"
import * as fc from "fast-check"

/** Numbers at which counts and lengths change their form, and bytes that say so. */
const TELLING = [0x00, 0x01, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff]
const TELLING_RUNS = [
  "fdfc00",
  "fdfd00",
  "fdffff",
  "feffff0000",
  "fe00000100",
  "fe00000002",
  "fe01000002",
  "ff0000000001000000"
]

type Change = (payload: Uint8Array) => Uint8Array

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))

/** A place in a payload of any length: mostly near the beginning, where counts stand. */
const place = fc.oneof({ weight: 2, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(5000) })

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, flip]): Change => (payload) => {
    const changed = payload.slice()
    if (changed.length > 0) changed[at % changed.length] = (changed[at % changed.length] as number) ^ flip
    return changed
  }),
  fc.tuple(place, fc.constantFrom(...TELLING)).map(([at, byte]): Change => (payload) => {
    const changed = payload.slice()
    if (changed.length > 0) changed[at % changed.length] = byte
    return changed
  }),
  fc.tuple(place, fc.constantFrom(...TELLING_RUNS), fc.boolean()).map(([at, hex, over]): Change => (payload) => {
    const from = at % (payload.length + 1)
    const run = bytesOf(hex)
    return joined(
      payload.subarray(0, from),
      run,
      payload.subarray(Math.min(payload.length, from + (over ? run.length : 1)))
    )
  }),
  fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(([at, more]): Change => (payload) => {
    const from = at % (payload.length + 1)
    return joined(payload.subarray(0, from), more, payload.subarray(from))
  }),
  fc.tuple(place, fc.nat(80)).map(([at, length]): Change => (payload) => {
    const from = at % (payload.length + 1)
    return joined(payload.subarray(0, from), payload.subarray(Math.min(payload.length, from + length)))
  }),
  fc.tuple(place, place, fc.nat(60)).map(([from, to, length]): Change => (payload) => {
    const start = from % (payload.length + 1)
    const at = to % (payload.length + 1)
    return joined(payload.subarray(0, at), payload.subarray(start, start + length), payload.subarray(at))
  }),
  place.map(
    (at): Change =>
      (payload) =>
        payload.subarray(0, at % (payload.length + 1))
  )
)

/** A payload of the pool or a fresh one, whole or changed in up to six places. */
export const mutated = (command: Command, pool: ReadonlyArray<Uint8Array>): fc.Arbitrary<Uint8Array> => {
  const fresh: fc.Arbitrary<Uint8Array> = (arbitraryMessages[command] as fc.Arbitrary<Message>).map(encodePayload)
  const base =
    pool.length === 0
      ? fresh
      : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pool) }, { weight: 1, arbitrary: fresh })
  return fc
    .tuple(base, fc.array(changes, { maxLength: 6 }))
    .map(([payload, steps]) => steps.reduce((bytes, change) => change(bytes), payload))
}
