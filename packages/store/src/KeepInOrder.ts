/**
 * Between a machine and a store: what is accepted is written in the order of its acceptance, all that waits in one commit, and outlasts a full
 * disk. It does not know what it writes.
 */
import { FIRST_PAUSE_MS, nextPauseMs } from "@satwire/runtime"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { DiskFull, StoreError } from "./StoreError.ts"

export interface StoreNews {
  /** More waits for the store than it should, or no longer. */
  readonly behind: (isBehind: boolean) => void
  /** The disk is full, which is told now and then: it is tried again in so long. */
  readonly full: (error: DiskFull, retryInMs: number) => void
  /** There is room again, and what waited is kept. */
  readonly roomAgain: () => void
  /** The store gave up; nothing more is kept. */
  readonly failed: (cause: Cause.Cause<StoreError>) => void
}

export interface KeeperOptions<Item> extends StoreNews {
  readonly bytesOf: (item: Item) => number
  /** How many bytes may wait before the store counts as behind; it does until half of them are written. */
  readonly mostBytes: number
  /** Keeps them; each commit that it makes outlasts a full disk through `outlast`. */
  readonly append: (items: ReadonlyArray<Item>, outlast: Outlast) => Effect.Effect<void, StoreError>
  /** These are safe. */
  readonly stored: (items: ReadonlyArray<Item>) => void
}

/** Tries a commit again for as long as the disk is full. */
export type Outlast = (commit: Effect.Effect<void, StoreError>) => Effect.Effect<void, StoreError>

export interface Keeper<Item> {
  readonly keep: (item: Item) => void
  /** Done when all that was given so far is safe, or never will be. */
  readonly settled: Effect.Effect<void>
}

/** Writes until the scope closes; what waits then is written before it has closed. */
export const keepInOrder = <Item>(options: KeeperOptions<Item>): Effect.Effect<Keeper<Item>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = yield* Queue.unbounded<Item, Cause.Done>()
    const closing = yield* Deferred.make<void>()
    const settling: Array<{ readonly after: number; readonly done: Deferred.Deferred<void> }> = []
    let bytes = 0
    let isBehind = false
    let given = 0
    let written = 0
    let isOver = false
    const outlast = outlasting(options, closing)
    const weigh = (change: number): void => {
      bytes += change
      const most = isBehind ? options.mostBytes / 2 : options.mostBytes
      if (bytes > most === isBehind) return
      isBehind = !isBehind
      options.behind(isBehind)
    }
    const settle = (): void => {
      while (isOver || (settling[0]?.after ?? Infinity) <= written) {
        const next = settling.shift()
        if (next === undefined) return
        Deferred.doneUnsafe(next.done, Effect.void)
      }
    }
    const sizeOf = (items: ReadonlyArray<Item>): number => items.reduce((sum, item) => sum + options.bytesOf(item), 0)
    const write = (items: ReadonlyArray<Item>): Effect.Effect<void, StoreError> =>
      Effect.map(options.append(items, outlast), () => {
        weigh(-sizeOf(items))
        written += items.length
        options.stored(items)
        settle()
      })
    const writer = yield* Effect.forkScoped(
      Stream.fromQueue(waiting).pipe(
        Stream.runForEachArray(write),
        Effect.catchCause((cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.void
          return Effect.map(Queue.shutdown(waiting), () => options.failed(cause))
        }),
        Effect.ensuring(
          Effect.sync(() => {
            isOver = true
            settle()
          })
        )
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.andThen(Deferred.succeed(closing, undefined), Queue.end(waiting)).pipe(Effect.andThen(Fiber.await(writer)))
    )
    return {
      keep: (item) => {
        if (!Queue.offerUnsafe(waiting, item)) return
        given += 1
        weigh(options.bytesOf(item))
      },
      settled: Effect.suspend(() => {
        if (isOver || written === given) return Effect.void
        const done = Deferred.makeUnsafe<void>()
        settling.push({ after: given, done })
        return Deferred.await(done)
      })
    }
  })

/** A limit on the size of this process's files, which nobody can lift while it runs. */
const SIZE_LIMIT = "EFBIG"

/** A try to a full disk costs little, and who was refused for want of room need not wait long after somebody made some. */
const RETRY_MS = 1000

/**
 * A commit that outlasts a full disk, which somebody may make room on. It is tried every second, and told of ever more rarely, once a minute in the end.
 * Who closes waits no longer: then it is tried once more.
 */
const outlasting = ({ full, roomAgain }: StoreNews, closing: Deferred.Deferred<void>): Outlast =>
  Effect.fnUntraced(function* (commit: Effect.Effect<void, StoreError>) {
    let untoldMs = 0
    for (let pauseMs = 0; ; untoldMs -= RETRY_MS) {
      const outcome = yield* Effect.result(commit)
      if (Result.isSuccess(outcome)) {
        if (pauseMs > 0) roomAgain()
        return
      }
      const error = outcome.failure
      if (error._tag !== "DiskFull" || error.code === SIZE_LIMIT || (yield* Deferred.isDone(closing)))
        return yield* error
      if (untoldMs <= 0) {
        full(error, RETRY_MS)
        pauseMs = pauseMs === 0 ? FIRST_PAUSE_MS : nextPauseMs(pauseMs)
        untoldMs = pauseMs
      }
      yield* Effect.raceFirst(Effect.sleep(RETRY_MS), Deferred.await(closing))
    }
  })
