/**
 * How long sockets are read in one turn of the event loop. libuv reads one socket up to 32 times before it looks at another, which is up to
 * 2 MB and everything that is done with them: 20 to 50 ms in which nobody else is heard (measured). And it accepts one connection a turn, so
 * that who opens some at once waits for as many such turns.
 *
 * ```
 *   a full read ─▶ the turn has lasted READING_MS ─▶ held, first come first served ─▶ reads on, READERS at once
 *                                                       for HELD_TURNS or HELD_MS
 * ```
 *
 * Specification: what else happens in a turn counts towards its length, and each socket is read once at least. A read that is not full leaves
 * nothing behind, and libuv stops there by itself.
 * Rationale: time and not bytes, since what is done with them differs a hundredfold: where nobody looks at them a turn for each 64 KiB costs a
 * quarter of the throughput, where blocks are put together 1 ms is 64 to 128 KiB. More than one turn, as one without work takes 2 µs and one
 * with a call 1 ms: who waits in a row comes sooner (measured; `bench/RESULTS.md` §"Calls while a node syncs").
 */
import { setImmediate } from "node:timers"

/** As much as the platform reads at once. */
export const READ_BYTES = 65_536
/**
 * @limit milliseconds of a turn of the event loop after which sockets are read no more in it
 */
export const READING_MS = 1
/**
 * @limit turns that a socket which has more to read leaves to others, within `HELD_MS`
 */
export const HELD_TURNS = 4
/**
 * @limit milliseconds after which it reads on, however long those turns are
 */
export const HELD_MS = 4
/**
 * @limit such sockets that read on in one turn
 */
export const READERS = 4

/** A socket that is not read for a while. */
export interface Held {
  readOn(): void
}

/** As far as it is known: from the first full read on, until a turn goes by without one. */
let turnBegan = 0
let isFollowed = false
let hasRead = false
const held: Array<Held> = []
let turnsHeld = 0
let heldSince = 0

/** A socket gave as much as it gives at once. To be called before anything is done with it. */
export const beginFullRead = (): void => {
  hasRead = true
  if (isFollowed) return
  isFollowed = true
  turnBegan = performance.now()
  setImmediate(endTurn)
}

/** Whether others are to have their turn before a socket is read that may have more. */
export const isTurnLong = (): boolean => performance.now() - turnBegan >= READING_MS

/** The socket is told when it may be read again. */
export const holdForTurns = (socket: Held): void => {
  if (held.push(socket) === 1) restFrom(performance.now())
}

const restFrom = (now: number): void => {
  heldSince = now
  turnsHeld = 0
}

const endTurn = (): void => {
  const now = performance.now()
  turnBegan = now
  isFollowed = hasRead || held.length > 0
  hasRead = false
  if (!isFollowed) return
  setImmediate(endTurn)
  if (held.length === 0 || (++turnsHeld < HELD_TURNS && now - heldSince < HELD_MS)) return
  const next = held.splice(0, READERS)
  restFrom(now)
  for (const socket of next) socket.readOn()
}
