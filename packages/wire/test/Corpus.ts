/**
 * What every payload must satisfy, and a collection of payloads that once showed something: one file for each message in `corpus/`, a line
 * for each payload with what became of it. `npm run fuzz` looks for more, `npm run corpus` makes the files.
 *
 * ```
 *  ok 0102…           decodes
 *  malformed 01ff…    does not follow the format
 *  overLimit fdff…    names more than the protocol allows
 * ```
 */
import { readFileSync } from "node:fs"
import { Reader, toHex } from "@satwire/bytes"
import * as Result from "effect/Result"
import {
  type Codec,
  type Command,
  type Message,
  codecOf,
  decodeMessage,
  decodePayload,
  encodePayload,
  messageSize
} from "../src/index.ts"

export type Outcome = "ok" | "malformed" | "overLimit"

export interface Entry {
  readonly outcome: Outcome
  /** The payload in hexadecimal. */
  readonly hex: string
}

export const corpusPath = (command: Command): URL => new URL(`corpus/${command}.txt`, import.meta.url)

/** The collected payloads of a message. */
export const readCorpus = (command: Command): ReadonlyArray<Entry> =>
  readFileSync(corpusPath(command), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [outcome, hex = ""] = line.split(" ")
      return { outcome: outcome as Outcome, hex }
    })

/** What was learned from a payload: its outcome, and a word that is the same for payloads which show the same. */
export interface Learned {
  readonly outcome: Outcome
  readonly signature: string
}

const must = (holds: boolean, law: string): void => {
  if (!holds) throw new Error(`${law}: broken`)
}

/** Decodes a payload in every way that there is, and throws where one of the laws does not hold. */
export const checkPayload = (command: Command, payload: Uint8Array): Learned => {
  const codec = codecOf(command) as Codec<Message>
  const result = decodePayload(command, payload)
  const borrowed = payload.slice()
  const again = decodeMessage(codec, Reader.borrowing(borrowed))
  borrowed.fill(0xee)
  if (Result.isFailure(result)) {
    const { _tag, kind, at, what } = result.failure
    must(_tag === "DecodeError" && (kind === "malformed" || kind === "overLimit"), "a failure is a DecodeError")
    must(at >= 0 && at <= payload.length && what !== "", "an error names a place in the payload")
    must(Result.isFailure(again) && again.failure.kind === kind, "a borrowed payload fails alike")
    return { outcome: kind, signature: `${kind} ${what.replaceAll(/\d+/gu, "#")}` }
  }
  const { value, bytesLeft } = result.success
  must(bytesLeft >= 0 && bytesLeft <= payload.length, "what is left over lies in the payload")
  must(bytesLeft === 0 || !codec.strict, "a strict message has nothing left over")
  const written = encodePayload(value)
  must(written.length === messageSize(value), "the size is the length of what is written")
  must(written.length <= codec.maxSize, "a value takes no more than its row allows")
  const back = decodePayload(command, written, { strict: true })
  must(Result.isSuccess(back), "what was written can be read")
  must(
    Result.isSuccess(back) && toHex(encodePayload(back.success.value)) === toHex(written),
    "what was read is the same"
  )
  must(Result.isSuccess(again), "a borrowed payload decodes alike")
  must(
    Result.isSuccess(again) && toHex(encodePayload(again.success.value)) === toHex(written),
    "no field aliases what was borrowed"
  )
  const size = 32 - Math.clz32(written.length)
  return { outcome: "ok", signature: `ok ${size}${bytesLeft > 0 ? " and left over" : ""}` }
}
