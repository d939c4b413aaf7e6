/**
 * How much is worked at together. So many calls run, so many more requests wait for their turn, and more are refused at once: a caller that is
 * refused knows where he stands. A method that only waits for something to happen holds no place; of those there may be so many. Nor does a request
 * whose body has still to come; those of ordinary length have room of their own, which whoever sends long ones slowly does not take.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { DispatchOptions } from "./Dispatch.ts"
import { rpcError } from "./RpcError.ts"

/**
 * Core's `-rpcthreads`.
 *
 * @limit calls of JSON-RPC that run at once
 */
export const RPC_THREADS = 16
/**
 * Core's `-rpcworkqueue`.
 *
 * @limit requests of JSON-RPC that wait for their turn, beyond which they are refused
 */
export const RPC_WORK_QUEUE = 64
/**
 * @limit calls of JSON-RPC that wait for something to happen
 */
export const RPC_WAITING = 64
/**
 * A block of 4 MB is 8 MB of hex.
 *
 * @limit bytes of the body of one request of JSON-RPC
 */
export const RPC_BODY_BYTES = 16_777_216
/**
 * @limit bytes of the bodies of all requests of JSON-RPC together
 */
export const RPC_ALL_BODY_BYTES = 134_217_728
/**
 * @limit bytes of long replies of JSON-RPC that are on their way, beyond which requests are refused until callers have read
 */
export const RPC_ALL_REPLY_BYTES = 134_217_728
/**
 * @limit requests of JSON-RPC whose bodies of up to 64 KiB have still to come
 */
export const RPC_SHORT_BODIES = 1024
const BODY_UNIT = 65_536

export interface AdmissionOptions {
  readonly threads?: number
  readonly workQueue?: number
  readonly waiting?: number
}

export interface Admission {
  /**
   * Runs what a request needs, whose body has up to `bytes`, once there is room for that. `work` calls `enter` when it knows how long the body is,
   * and goes no further where that says that too much is under way.
   */
  readonly admit: <A, E, R>(
    bytes: number,
    work: (enter: (bytes: number) => Effect.Effect<boolean>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** The same for a request whose body is there. `work` is what it needs, `refused` what becomes of it where too much is under way. */
  readonly admitWhole: <A, E, R>(
    work: Effect.Effect<A, E, R>,
    refused: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** Counts a long reply from when it begins to leave until it has left, or nobody waits for it any more. */
  readonly leaving: (bytes: number) => Effect.Effect<void, never, Scope.Scope>
  /** Stands around each call. */
  readonly around: NonNullable<DispatchOptions["around"]>
}

export const makeAdmission = (options: AdmissionOptions = {}): Admission => {
  const { threads = RPC_THREADS, workQueue = RPC_WORK_QUEUE, waiting = RPC_WAITING } = options
  const running = Semaphore.makeUnsafe(threads)
  const bodies = Semaphore.makeUnsafe(RPC_ALL_BODY_BYTES / BODY_UNIT)
  const shortBodies = Semaphore.makeUnsafe(RPC_SHORT_BODIES)
  // Requests that run or wait for their turn. Those that wait for something to happen have left it for that long.
  let inside = 0
  let asleep = 0
  let leaving = 0

  /** Counted for as long as it runs. */
  const counted = <A, E, R>(enter: () => void, work: Effect.Effect<A, E, R>, leave: () => void): typeof work =>
    Effect.acquireUseRelease(
      Effect.sync(enter),
      () => work,
      () => Effect.sync(leave)
    )

  /** Runs it with what counts it as one that is inside, if it may be, until it ends. */
  const entering = <A, E, R>(
    work: (enter: Effect.Effect<boolean>) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> => {
    let isInside = false
    const enter = Effect.sync((): boolean => {
      isInside = inside < threads + workQueue && leaving <= RPC_ALL_REPLY_BYTES
      if (isInside) inside++
      return isInside
    })
    const leave = Effect.sync(() => {
      if (isInside) inside--
    })
    return Effect.ensuring(work(enter), leave)
  }

  return {
    admit: (bytes, work) =>
      Effect.suspend(() => {
        const room = bytes <= BODY_UNIT ? shortBodies : bodies
        return entering((enter) =>
          withRoom(room, bytes, (isLong) => work((actual) => Effect.andThen(isLong(actual), enter)))
        )
      }),
    admitWhole: (work, refused) =>
      Effect.suspend(() => entering((enter) => Effect.flatMap(enter, (isIn) => (isIn ? work : refused)))),
    leaving: (bytes) =>
      Effect.acquireRelease(
        Effect.sync(() => void (leaving += bytes)),
        () => Effect.sync(() => void (leaving -= bytes))
      ),
    around: (method, call) =>
      Effect.suspend(() => {
        if (!method.waits) return running.withPermits(1)(call)
        if (asleep >= waiting) return Effect.fail(rpcError("MISC_ERROR", "Too many calls are waiting already"))
        const sleep = (): void => {
          asleep++
          inside--
        }
        const wake = (): void => {
          asleep--
          inside++
        }
        return counted(sleep, call, wake)
      })
  }
}

const unitsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / BODY_UNIT))

/** Holds room for a body: at first for the longest that it can be, then for what it is. */
const withRoom = <A, E, R>(
  bodies: Semaphore.Semaphore,
  bytes: number,
  work: (isLong: (bytes: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      let held = unitsOf(bytes)
      yield* restore(bodies.take(held))
      const isLong = (actual: number): Effect.Effect<void> =>
        Effect.suspend(() => {
          const spare = held - unitsOf(actual)
          held -= spare
          return Effect.asVoid(bodies.release(spare))
        })
      return yield* Effect.ensuring(
        restore(work(isLong)),
        Effect.suspend(() => bodies.release(held))
      )
    })
  )
