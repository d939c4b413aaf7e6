/**
 * What a node remembers of others over a restart: addresses (`addrman` keeps those), bans, and the anchors with which it begins. Where there is
 * nowhere to keep them they last as long as the process.
 */
import type { AddrMan } from "@satwire/addrman"
import { AddrManService } from "@satwire/addrman/effect"
import { BanList, type KeptBan } from "@satwire/connections"
import { type NetGroups, type NodeAddress, formatNode, parseNode } from "@satwire/netaddress"
import { nowReader } from "@satwire/runtime"
import { Snapshots, type StoreError } from "@satwire/store"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

const BANS = { name: "bans.dat", magic: "SATWBANS", version: 1 } as const
const ANCHORS = { name: "anchors.dat", magic: "SATWANCH", version: 1 } as const

/** How soon after its first change what is known is saved, and how long after that the next time. Core: every quarter of an hour. */
const SAVE_SOON_MS = 1000
const SAVE_EVERY_MS = 60_000
/** A full disk is looked at again. */
const RETRY_EVERY = "10 seconds"

export interface KeptPeers {
  /** `undefined` in a node that knows no addresses. */
  readonly book: AddrMan | undefined
  readonly bans: BanList
  readonly anchors: ReadonlyArray<NodeAddress>
  /** Addresses came to be known or were tried: they are saved before long. */
  readonly addressesChanged: () => void
  readonly anchorsChanged: (anchors: ReadonlyArray<NodeAddress>) => void
  /** Saves the bans now. */
  readonly saveBans: Effect.Effect<void, StoreError>
}

export const keptPeers = (given: {
  readonly knowsAddresses: boolean
  readonly groups: NetGroups
  readonly saved: (what: "addresses" | "anchors" | "bans", count: number) => void
}): Effect.Effect<KeptPeers, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { groups, knowsAddresses, saved } = given
    const snapshots = yield* snapshotsHere
    const now = yield* nowReader
    const { bans, lost } = yield* restoredBans(snapshots, now)
    if (lost > 0) yield* Effect.logWarning(`${lost} of the bans that were kept make no sense and are forgotten.`)
    const bansFile = snapshots.open({ ...BANS, read: readBans })
    const anchorsFile = snapshots.open({ ...ANCHORS, read: readAnchors })
    const kept = (yield* anchorsFile.load).value ?? []
    let anchors = kept
    const addresses = knowsAddresses ? yield* addrman(snapshots, groups) : undefined
    const saveBans = Effect.suspend(() => {
      const list = bans.snapshot(now().unix)
      return Effect.tap(bansFile.save(list), () => Effect.sync(() => saved("bans", list.length)))
    })
    const saveAnchors = Effect.suspend(() => {
      const list = anchors
      return Effect.tap(anchorsFile.save(list.map(formatNode)), () => Effect.sync(() => saved("anchors", list.length)))
    })
    const anchorsSaver = yield* saver("anchors", saveAnchors, 0)
    const addressesChanged =
      addresses === undefined
        ? () => {}
        : yield* saver(
            "known addresses",
            // Told of is what is in the file: more may come to be known while it is written.
            Effect.suspend(() => {
              const count = addresses.addrman.count()
              return Effect.tap(addresses.save, () => Effect.sync(() => saved("addresses", count)))
            }),
            SAVE_EVERY_MS
          )
    return {
      book: addresses?.addrman,
      bans,
      anchors: kept,
      addressesChanged,
      saveBans,
      anchorsChanged: (changed) => {
        anchors = changed
        anchorsSaver()
      }
    }
  })

const snapshotsHere: Effect.Effect<Snapshots["Service"], never, Scope.Scope> = Effect.gen(function* () {
  const here = yield* Effect.serviceOption(Snapshots)
  if (Option.isSome(here)) return here.value
  return Context.get(yield* Layer.build(Layer.fresh(Snapshots.layerMemory)), Snapshots)
})

const addrman = (snapshots: Snapshots["Service"], groups: NetGroups) =>
  Effect.map(
    Layer.build(Layer.fresh(Layer.provide(AddrManService.layer({ groups }), Layer.succeed(Snapshots, snapshots)))),
    (context) => Context.get(context, AddrManService)
  )

const restoredBans = (snapshots: Snapshots["Service"], now: Effect.Success<typeof nowReader>) =>
  Effect.map(snapshots.open({ ...BANS, read: readBans }).load, ({ value }) => BanList.restore(value ?? [], now().unix))

/**
 * A call that has something saved before long, and again only after a while; where that fails it is logged and tried again, since a disk may be
 * full for a time. What waits is saved when the scope closes.
 */
const saver = (
  what: string,
  save: Effect.Effect<void, StoreError>,
  everyMs: number
): Effect.Effect<() => void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const wanted = yield* Queue.sliding<void>(1)
    let isDirty = false
    const once = Effect.suspend(() => {
      isDirty = false
      return save
    }).pipe(
      Effect.tapError((error) => {
        isDirty = true
        return Effect.logWarning(`The ${what} were not saved: ${error.message}`)
      })
    )
    yield* Effect.addFinalizer(() => Effect.suspend(() => (isDirty ? Effect.ignore(once) : Effect.void)))
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          yield* Queue.take(wanted)
          if (everyMs > 0) yield* Effect.sleep(SAVE_SOON_MS)
          yield* Effect.retry(once, Schedule.spaced(RETRY_EVERY))
          if (everyMs > 0) yield* Effect.sleep(everyMs)
        })
      )
    )
    return () => {
      isDirty = true
      Queue.offerUnsafe(wanted, undefined)
    }
  })

const readBans = (value: unknown): Result.Result<ReadonlyArray<KeptBan>, string> => {
  if (!Array.isArray(value)) return Result.fail("it is no list of bans")
  const isBan = (one: unknown): one is KeptBan =>
    typeof one === "object" && one !== null && "subnet" in one && typeof one.subnet === "string"
  return value.every(isBan) ? Result.succeed(value) : Result.fail("something in it is no ban")
}

const readAnchors = (value: unknown): Result.Result<ReadonlyArray<NodeAddress>, string> => {
  if (!Array.isArray(value)) return Result.fail("it is no list of addresses")
  const nodes = value.map((text: unknown) => (typeof text === "string" ? parseNode(text) : undefined))
  return nodes.every((node) => node !== undefined)
    ? Result.succeed(nodes)
    : Result.fail("something in it is no address")
}
