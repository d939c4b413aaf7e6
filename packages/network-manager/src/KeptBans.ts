/**
 * Bans on the disk, so that they outlast the process: one file in a directory that no other process uses. What is not as it was written is set aside
 * by `store`, and told in the log; nobody is banned then.
 */
import { platformSha256 } from "@satwire/crypto/node"
import { DataDirectory, type SnapshotFile, Snapshots, type StoreError, layerFiles } from "@satwire/store"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { NetworkError } from "./NetworkError.ts"
import type { KeptBan, Scores } from "./Scores.ts"

const FILE = { name: "peer-bans.dat", magic: "SATWPBAN", version: 1 } as const
/** Of many bans at once all are one write. */
const SAVE_EVERY_MS = 1000

export interface BanKeeping {
  readonly directory: string
  /** A file of another network is set aside. */
  readonly network: string
  readonly scores: Scores
}

/** Takes the bans that were kept, and keeps what changes as long as the scope. */
export const keepBans = (keeping: BanKeeping): Effect.Effect<void, NetworkError, Scope.Scope> =>
  Effect.gen(function* () {
    const { scores } = keeping
    const file = yield* opened(keeping)
    const { value = [] } = yield* file.load
    scores.restore(value)
    const changes = yield* Queue.sliding<true>(1)
    scores.onChange = () => void Queue.offerUnsafe(changes, true)
    const save = Effect.suspend(() => file.save(scores.kept())).pipe(
      Effect.catch((error) => Effect.logWarning(`Bans were not saved: ${error.message}`))
    )
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        scores.onChange = () => undefined
        return save
      })
    )
    const saving = Queue.take(changes).pipe(Effect.andThen(save), Effect.andThen(Effect.sleep(SAVE_EVERY_MS)))
    yield* Effect.forkScoped(Effect.forever(saving))
  }).pipe(Effect.mapError(({ message }: StoreError) => new NetworkError({ reason: "DataDirectory", message })))

const opened = ({
  directory,
  network
}: BanKeeping): Effect.Effect<SnapshotFile<ReadonlyArray<KeptBan>>, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const owned = DataDirectory.layer({ root: directory, network: { directory: "" } })
    const files = Snapshots.layer({ directory, networkMagic: magicOf(network) })
    const context = yield* Layer.build(Layer.fresh(files.pipe(Layer.provideMerge(owned), Layer.provide(layerFiles))))
    return Context.get(context, Snapshots).open({ ...FILE, read: readBans })
  })

/** What stands for the network's name in the file's head. */
const magicOf = (network: string): number => {
  const name = new TextEncoder().encode(network)
  const hash = new Uint8Array(32)
  platformSha256.sha256(name, 0, name.length, hash, 0)
  return new DataView(hash.buffer).getUint32(0)
}

const readBans = (saved: unknown): Result.Result<ReadonlyArray<KeptBan>, string> => {
  if (!Array.isArray(saved)) return Result.fail("it is no list of bans")
  return saved.every(isBan) ? Result.succeed(saved) : Result.fail("something in it is no ban")
}

const isBan = (one: unknown): one is KeptBan =>
  Array.isArray(one) && one.length === 2 && typeof one[0] === "string" && typeof one[1] === "number" && one[1] > 0
