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
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { type SaverOptions, keepSaving } from "./KeepSaving.ts"

const BANS = { name: "bans.dat", magic: "SATWBANS", version: 1 } as const
const ANCHORS = { name: "anchors.dat", magic: "SATWANCH", version: 1 } as const

/** How soon after its first change what is known is saved, and how long after that the next time. Core: every quarter of an hour. */
const SAVE_SOON_MS = 1000
const SAVE_EVERY_MS = 60_000
const AT_ONCE = { soonMs: 0, everyMs: 0 }

/** What is remembered. */
export type Remembered = "addresses" | "anchors" | "bans"

export interface KeptPeers {
  /** `undefined` in a node that knows no addresses. */
  readonly book: AddrMan | undefined
  readonly bans: BanList
  readonly anchors: ReadonlyArray<NodeAddress>
  /** Addresses came to be known or were tried: they are saved before long. */
  readonly addressesChanged: () => void
  readonly anchorsChanged: (anchors: ReadonlyArray<NodeAddress>) => void
  /** Saves the bans now, and later where that fails. */
  readonly saveBans: Effect.Effect<void, StoreError>
}

export const keptPeers = (given: {
  readonly knowsAddresses: boolean
  readonly groups: NetGroups
  readonly saved: (what: Remembered, count: number) => void
  /** Something could not be saved. It is tried again in so long. */
  readonly unsaved: (what: Remembered, error: StoreError, retryInMs: number) => void
}): Effect.Effect<KeptPeers, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { groups, knowsAddresses, saved, unsaved } = given
    const snapshots = yield* snapshotsHere
    const now = yield* nowReader
    const { bans, lost } = yield* restoredBans(snapshots, now)
    if (lost > 0) yield* Effect.logWarning(`${lost} of the bans that were kept make no sense and are forgotten.`)
    const bansFile = snapshots.open({ ...BANS, read: readBans })
    const anchorsFile = snapshots.open({ ...ANCHORS, read: readAnchors })
    const kept = (yield* anchorsFile.load).value ?? []
    let anchors = kept
    const addresses = knowsAddresses ? yield* addrman(snapshots, groups) : undefined
    const saver = (
      what: Remembered,
      save: Effect.Effect<number, StoreError>,
      rhythm: Pick<SaverOptions, "soonMs" | "everyMs">
    ) =>
      keepSaving({
        save: Effect.map(save, (count) => saved(what, count)),
        ...rhythm,
        unsaved: (error, retryInMs) => unsaved(what, error, retryInMs)
      })
    const saveBans = Effect.suspend(() => {
      const list = bans.snapshot(now().unix)
      return Effect.as(bansFile.save(list), list.length)
    })
    const saveAnchors = Effect.suspend(() => {
      const list = anchors
      return Effect.as(anchorsFile.save(list.map(formatNode)), list.length)
    })
    const bansSaver = yield* saver("bans", saveBans, AT_ONCE)
    const anchorsSaver = yield* saver("anchors", saveAnchors, AT_ONCE)
    const addressesChanged =
      addresses === undefined
        ? () => {}
        : (yield* saver(
            "addresses",
            // Told of is what is in the file: more may come to be known while it is written.
            Effect.suspend(() => Effect.as(addresses.save, addresses.addrman.count())),
            { soonMs: SAVE_SOON_MS, everyMs: SAVE_EVERY_MS }
          )).changed
    return {
      book: addresses?.addrman,
      bans,
      anchors: kept,
      addressesChanged,
      saveBans: bansSaver.now,
      anchorsChanged: (changed) => {
        anchors = changed
        anchorsSaver.changed()
      }
    }
  })

/** Where small things are kept; in memory where there is nowhere. */
export const snapshotsHere: Effect.Effect<Snapshots["Service"], never, Scope.Scope> = Effect.gen(function* () {
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
