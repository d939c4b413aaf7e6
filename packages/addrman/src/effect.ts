/**
 * The Effect door: an address manager that is there again after a restart. It is loaded when the layer is built, saved every quarter of an
 * hour and when the scope closes; what is damaged on the disk is set aside by `store`, and the node starts with nobody known.
 *
 * ```ts
 * AddrManService.layer({ groups }).pipe(Layer.provide(Snapshots.layer({ directory, networkMagic })))
 * ```
 */
import { platformSha256 } from "@satwire/crypto/node"
import { NetGroups } from "@satwire/netaddress"
import { nowReader, seededRandom } from "@satwire/runtime"
import { Snapshots, type StoreError } from "@satwire/store"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AddrMan, type Restored } from "./AddrMan.ts"

/** How often all is saved: Core's `DUMP_PEERS_INTERVAL`. */
export const DUMP_PEERS_INTERVAL_MS: number = 15 * 60 * 1000

/** The file, in whose format `peers.dat` of Core is not. */
const FILE = { name: "peers.dat", magic: "SATWPEER", version: 1 } as const

export interface AddrManServiceOptions {
  /** What counts as one owner's; by network where not given. */
  readonly groups?: NetGroups | undefined
}

export interface AddrManServiceShape {
  /** The manager. Its methods are plain calls: nothing comes between two of them that are made in one breath. */
  readonly addrman: AddrMan
  /** Saves now. */
  readonly save: Effect.Effect<void, StoreError>
}

const AddrManServiceBase: Context.ServiceClass<AddrManService, "@satwire/addrman/AddrManService", AddrManServiceShape> =
  Context.Service<AddrManService, AddrManServiceShape>()("@satwire/addrman/AddrManService")

export class AddrManService extends AddrManServiceBase {
  /** Fails where the disk does, and not for what is on it. Later a failed save is logged, and tried again the next time. */
  static readonly layer = (options: AddrManServiceOptions = {}): Layer.Layer<AddrManService, StoreError, Snapshots> =>
    Layer.effect(AddrManService, acquire(options))
}

const acquire = ({
  groups = new NetGroups()
}: AddrManServiceOptions): Effect.Effect<AddrManServiceShape, StoreError, Snapshots | Scope.Scope> =>
  Effect.gen(function* () {
    const { open } = yield* Snapshots
    const now = yield* nowReader
    const options = { random: yield* seededRandom, sha256: platformSha256, groups }
    const file = open({ ...FILE, read: (saved) => AddrMan.restore(options, saved, now().unix) })
    const { value } = yield* file.load
    if (value !== undefined) yield* report(value)
    const addrman = value?.addrman ?? new AddrMan(options)
    const save = Effect.suspend(() => file.save(addrman.snapshot()))
    yield* keepSaving(save)
    return AddrManService.of({ addrman, save })
  })

/** Saves now and then, and at the end of the scope. */
const keepSaving = (save: Effect.Effect<void, StoreError>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const saveOrSay = save.pipe(
      Effect.catch((error) => Effect.logWarning(`Known addresses were not saved: ${error.message}`)),
      Effect.annotateLogs({ category: "addrman" })
    )
    yield* Effect.addFinalizer(() => saveOrSay)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(DUMP_PEERS_INTERVAL_MS), saveOrSay)))
  })

const report = ({ addrman, lost }: Restored): Effect.Effect<void> =>
  Effect.gen(function* () {
    const tried = addrman.count({ table: "tried" })
    yield* Effect.logDebug(`Knows ${addrman.count()} addresses, of which ${tried} have answered before.`)
    const gone = lost.new + lost.tried
    if (gone > 0) yield* Effect.logInfo(`Forgot ${gone} addresses, for which the AS map of now has no room.`)
  }).pipe(Effect.annotateLogs({ category: "addrman" }))
