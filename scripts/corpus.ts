/**
 * `npm run corpus`: adds to the corpus of `packages/wire` the smallest payload found for each thing that a payload can show, the same each
 * time. What is there already stays: a payload that `npm run fuzz` found is added by hand, with what is to become of it.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { toHex } from "@satwire/bytes"
import { type Command, commands } from "@satwire/wire"
import * as fc from "fast-check"
import { type Entry, checkPayload, corpusPath, readCorpus } from "../packages/wire/test/Corpus.ts"
import { mutated } from "./Mutations.ts"

const TRIES = 4000
const SEED = 20_261_121
/** Bytes of a payload: longer ones make a diff that nobody reads. */
const LONGEST = 1500

const collect = (command: Command): ReadonlyArray<Entry> => {
  const best = new Map<string, Entry>()
  for (const payload of fc.sample(mutated(command, []), { numRuns: TRIES, seed: SEED })) {
    if (payload.length > LONGEST) continue
    const { outcome, signature } = checkPayload(command, payload)
    const hex = toHex(payload)
    if (hex.length < (best.get(signature)?.hex.length ?? Infinity)) best.set(signature, { outcome, hex })
  }
  return [...best.values()]
}

const lineOf = ({ outcome, hex }: Entry): string => `${outcome} ${hex}`.trimEnd()

mkdirSync(new URL(".", corpusPath("version")), { recursive: true })
for (const command of commands) {
  const kept = existsSync(corpusPath(command)) ? readCorpus(command).map(lineOf) : []
  const lines = [...new Set([...kept, ...collect(command).map(lineOf)])].toSorted(
    (a, b) => a.length - b.length || (a < b ? -1 : 1)
  )
  writeFileSync(corpusPath(command), `${lines.join("\n")}\n`)
  console.log(`${command}: ${lines.length} payloads`)
}
