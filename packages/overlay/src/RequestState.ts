/**
 * State of a root, in parts that are verified as they come: asked of one peer, and of the next from where the last one stopped or lied.
 *
 * ```
 *   peer A  ─ chunk 0 ✓ ─ chunk 1 ✓ ─ chunk 2 ✗ (lying state)
 *   peer B                            └ chunk 2 ✓ ─ chunk 3 ✓ ─ the count of the root is reached: end
 * ```
 *
 * At most the parts of one window are held. The state is whole when it ends without an error; what came before an error is proven as well.
 */
import type { Sha256 } from "@satwire/crypto"
import { portableSha256 } from "@satwire/crypto"
import {
  MAX_RANGE_BYTES,
  type ProvenRange,
  type StateEntry,
  type StateTree,
  decodeRange,
  encodeRange,
  entriesOf,
  verifyRange
} from "@satwire/state-proofs"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type KindError, type Method, kind, method } from "./Kind.ts"
import type { OverlayShape } from "./Overlay.ts"
import { type Refusal, RequestError, refused } from "./RequestError.ts"
import { Count, Hash, bytesUpTo } from "./kinds/Fields.ts"

export interface StateWanted {
  readonly root: Uint8Array
  /** The place of the first entry that is wanted. */
  readonly start: number
  /** What a part may have with its proof. */
  readonly chunkBytes: number
}

/** A part is a range of `@satwire/state-proofs`, encoded. */
export const StateMethod: Method<StateWanted, Uint8Array> = method(
  "state",
  kind("state-request", Schema.Struct({ root: Hash, start: Count, chunkBytes: Count }), { maxBytes: 256 }),
  kind("state-chunk", bytesUpTo(MAX_RANGE_BYTES), { maxBytes: MAX_RANGE_BYTES + 16 })
)

/**
 * Entries of a part, so that verifying one is some ten milliseconds of hashing.
 *
 * @limit entries of a part of state that is asked for
 */
export const MAX_CHUNK_ENTRIES = 4096
/** What a part has where nothing else is said. */
export const DEFAULT_CHUNK_BYTES = 262_144
/** A part has at least that, so that nobody has a state sent entry by entry. */
const MIN_CHUNK_BYTES = 4096
const DEFAULT_STATE_TIMEOUT_MS = 120_000

/** What one peer did instead of giving the state. */
export interface StateFailure {
  readonly peer: string
  /** `lied`: what it sent does not belong to the root. `ended early`: it stopped before the end. Else the request failed. */
  readonly reason: "lied" | "ended early" | "request failed"
  readonly message: string
}

interface StateUnavailableFields {
  /** How many entries are proven so far: `from` of another attempt. */
  readonly next: number
  readonly failures: ReadonlyArray<StateFailure>
  readonly message: string
}

const StateUnavailableBase: new (
  fields: StateUnavailableFields
) => Cause.YieldableError & { readonly _tag: "StateUnavailable" } & StateUnavailableFields =
  Data.TaggedError("StateUnavailable")

/** None of the peers gave the whole state. */
export class StateUnavailable extends StateUnavailableBase {}

export interface RequestStateOptions {
  /** The place of the first entry that is wanted: 0 where not given, `next` of an error to go on. */
  readonly from?: number | undefined
  readonly chunkBytes?: number | undefined
  /** For all parts of one peer. */
  readonly timeoutMs?: number | undefined
  readonly sha256?: Sha256 | undefined
}

/** Entries of the state of `root` in ascending order of their keys, a part at a time, asked of these peers one after another. */
export const requestState = (
  overlay: OverlayShape,
  peers: ReadonlyArray<string>,
  root: Uint8Array,
  options: RequestStateOptions = {}
): Stream.Stream<ReadonlyArray<StateEntry>, StateUnavailable> =>
  Stream.suspend(() => {
    const { chunkBytes = DEFAULT_CHUNK_BYTES, sha256 = portableSha256, timeoutMs = DEFAULT_STATE_TIMEOUT_MS } = options
    const failures: Array<StateFailure> = []
    let next = options.from ?? 0
    let isWhole = false
    const take = (peer: string, bytes: Uint8Array): Effect.Effect<ReadonlyArray<StateEntry>, StateFailure> => {
      const entries = provenEntries(sha256, root, { start: next, chunkBytes }, bytes)
      if (Result.isFailure(entries)) {
        overlay.fault(peer, "lying state", entries.failure)
        return Effect.fail({ peer, reason: "lied", message: entries.failure })
      }
      const { count, list } = entries.success
      next += list.length
      isWhole = next === count
      return Effect.succeed(list)
    }
    const attempt = (at: number): Stream.Stream<ReadonlyArray<StateEntry>, StateUnavailable> => {
      const peer = peers[at]
      if (peer === undefined) {
        const message = failures.map((failure) => `${failure.peer} ${failure.reason}: ${failure.message}`).join("; ")
        return Stream.fail(new StateUnavailable({ next, failures, message: `nobody gave the whole state: ${message}` }))
      }
      const onward = (failure: StateFailure): Stream.Stream<ReadonlyArray<StateEntry>, StateUnavailable> => {
        failures.push(failure)
        return attempt(at + 1)
      }
      const early: StateFailure = { peer, reason: "ended early", message: `after ${next} entries` }
      return overlay.requestParts(peer, StateMethod, { root, start: next, chunkBytes }, { timeoutMs }).pipe(
        Stream.mapEffect((bytes) => take(peer, bytes)),
        Stream.takeUntil(() => isWhole),
        Stream.concat(Stream.suspend(() => (isWhole ? Stream.empty : Stream.fail(early)))),
        Stream.catch((failure) => onward(failureOf(peer, failure)))
      )
    }
    return attempt(0)
  })

const failureOf = (peer: string, failure: RequestError | KindError | StateFailure): StateFailure =>
  "reason" in failure && "peer" in failure && !(failure instanceof RequestError)
    ? failure
    : { peer, reason: "request failed", message: failure.message }

/** The entries of a part that begins where it should, or what is wrong with it. */
const provenEntries = (
  sha256: Sha256,
  root: Uint8Array,
  { chunkBytes, start }: Omit<StateWanted, "root">,
  bytes: Uint8Array
): Result.Result<{ readonly count: number; readonly list: ReadonlyArray<StateEntry> }, string> => {
  const read = decodeRange(bytes)
  if (Result.isFailure(read)) return Result.fail(read.failure.toString())
  const range: ProvenRange = read.success.value
  if (range.proof.start !== start) return Result.fail(`a part from ${range.proof.start} where ${start} was asked for`)
  const entries = range.leaves.length
  if (entries > MAX_CHUNK_ENTRIES)
    return Result.fail(`${entries} entries where a part has ${MAX_CHUNK_ENTRIES} at most`)
  // A single entry may be larger than what was asked for.
  if (entries > 1 && bytes.length > Math.max(MIN_CHUNK_BYTES, chunkBytes)) {
    return Result.fail(`${bytes.length} bytes where ${chunkBytes} were asked for`)
  }
  const verified = verifyRange(sha256, root, range)
  if (Result.isFailure(verified)) return Result.fail(verified.failure.message)
  const list = entriesOf(range)
  if (Result.isFailure(list)) return Result.fail(list.failure.message)
  return Result.succeed({ count: range.proof.count, list: list.success })
}

/** Gives state to who asks for it, for as long as the scope is open: `find` says which trees there are. */
export const serveState = (
  overlay: OverlayShape,
  find: (root: Uint8Array) => Effect.Effect<StateTree | undefined>
): Effect.Effect<void, never, Scope.Scope> =>
  overlay.serveParts(StateMethod, ({ chunkBytes, root, start }) =>
    Stream.unwrap(
      Effect.map(find(root), (tree): Stream.Stream<Uint8Array, Refusal> => {
        if (tree === undefined) return Stream.fail(refused("there is no state of this root here"))
        if (start > tree.count) return Stream.fail(refused(`the state has ${tree.count} entries`))
        const most = Math.max(MIN_CHUNK_BYTES, chunkBytes)
        return Stream.unfold<number | undefined, Uint8Array, never, never>(start, (at) =>
          Effect.sync(() => {
            if (at === undefined || (at === tree.count && at > 0)) return undefined
            const range = tree.chunk(at, most, MAX_CHUNK_ENTRIES)
            const end = at + range.leaves.length
            return [encodeRange(range), end === tree.count ? undefined : end] as const
          })
        )
      })
    )
  )
