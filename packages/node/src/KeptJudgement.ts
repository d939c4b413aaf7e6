/**
 * Up to which block a node that fetches only what matters has looked for it, and for what, on disk: a restart goes on from there. Where it is
 * told to look for something else it looks through all again.
 */
import { type Sha256, sha256d } from "@satwire/crypto"
import type { HeaderTree } from "@satwire/header-sync"
import { type BlockHash, fromHex, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { StoreError } from "@satwire/store"
import { keepSaving } from "./KeepSaving.ts"
import { snapshotsHere } from "./KeptPeers.ts"

/** How long the file is left alone after it was written: what is lost with a crash is looked at again. */
const EVERY_MS = 10_000

interface Judged {
  /** The last block, in hexadecimal. */
  readonly tip: string
  /** What was looked for, see {@link digestOf}. */
  readonly scripts: string
}

const FILE = {
  name: "judged.dat",
  magic: "SATWJUDG",
  version: 1,
  read: (value: unknown): Result.Result<Judged, string> => {
    const { scripts, tip } = (value ?? {}) as Partial<Judged>
    return typeof tip === "string" && typeof scripts === "string" && fromHex(tip)?.length === 32
      ? Result.succeed({ tip, scripts })
      : Result.fail("it names no block and no scripts")
  }
} as const

export interface Judgement {
  /** The last header of which, and of all before it, the blocks were judged and those that matter are kept. */
  readonly passedTo: number | undefined
  /** The followed chain ends here now. */
  readonly moved: (hash: BlockHash) => void
  /** These matter too from now on. */
  readonly watch: (scripts: ReadonlyArray<Uint8Array>) => void
}

export const keptJudgement = (
  tree: HeaderTree,
  sha256: Sha256,
  watched: ReadonlyArray<Uint8Array>
): Effect.Effect<Judgement, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const file = (yield* snapshotsHere).open(FILE)
    const scripts = [...watched]
    const saved = (yield* file.load).value
    const isSame = saved?.scripts === digestOf(sha256, scripts)
    const hash = isSame ? fromHex(saved.tip) : undefined
    const header = hash === undefined ? -1 : tree.find(hash)
    const run = Effect.runForkWith(yield* Effect.context())
    let tip: string | undefined = undefined
    const saver = yield* keepSaving({
      save: Effect.suspend(() =>
        tip === undefined ? Effect.void : file.save({ tip, scripts: digestOf(sha256, scripts) })
      ),
      soonMs: 0,
      everyMs: EVERY_MS,
      unsaved: (error, retryInMs) =>
        void run(Effect.logWarning(`${error.message}; it is tried again in ${retryInMs / 1000} s.`))
    })
    return {
      passedTo: header < 0 ? undefined : header,
      moved(hash) {
        tip = toHex(hash)
        saver.changed()
      },
      watch(more) {
        scripts.push(...more)
        if (tip !== undefined) saver.changed()
      }
    }
  })

/** One name for a set of scripts, in whatever order they are given. */
const digestOf = (sha256: Sha256, scripts: ReadonlyArray<Uint8Array>): string => {
  const all = [...new Set(scripts.map((script) => toHex(script)))].toSorted().join()
  return toHex(sha256d(sha256, new TextEncoder().encode(all)))
}
