/**
 * Who reads the changes of the best chain, and how far each has come. Nothing waits for a reader: what it is told is made of the tree
 * when it asks, as the way from where it is to the best chain that is stored.
 */
import type { HeaderTree } from "@satwire/header-sync"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type TipChange, nextChange } from "../TipChange.ts"

/**
 * How many headers that came since the start a reader may have before it before no more is read from any peer, until it has read half of
 * them. A turn that is under way is finished first.
 *
 * @limit headers that a reader of a header stream was not told, before reading from peers stops
 */
export const HEADERS_UNTOLD = 10_000

interface Reader {
  /** The header up to which it was told. */
  at: number
}

export class ChangeReaders<E> {
  readonly #tree: HeaderTree
  /** The height up to which headers were there at the start: they came from no peer. */
  readonly #startHeight: number
  readonly #moved: () => void
  readonly #readers: Set<Reader> = new Set()
  #tip: number
  #over: Exit.Exit<void, E> | undefined = undefined
  #isBehind = false
  /** Done when there may be something to tell. */
  #news: Deferred.Deferred<void> = Deferred.makeUnsafe()

  /** @param moved told when a reader came, went or was told something */
  constructor(tree: HeaderTree, moved: () => void) {
    this.#tree = tree
    this.#tip = tree.best
    this.#startHeight = tree.height(tree.best)
    this.#moved = moved
  }

  /** The end of the best chain that is stored. */
  get tip(): number {
    return this.#tip
  }

  /** Whether a reader has so much before it that no more is to come. */
  get isBehind(): boolean {
    const most = this.#isBehind ? HEADERS_UNTOLD / 2 : HEADERS_UNTOLD
    const height = this.#tree.height(this.#tree.best)
    this.#isBehind = [...this.#readers].some(
      ({ at }) => height - Math.max(this.#startHeight, this.#tree.height(at)) > most
    )
    return this.#isBehind
  }

  /** The best chain that is stored ends with another header now. */
  stored(tip: number): void {
    this.#tip = tip
    this.#tell()
  }

  /** Nothing more comes: readers end, or fail, once they were told what there is. */
  end(exit: Exit.Exit<void, E>): void {
    this.#over ??= exit
    this.#tell()
  }

  /** The changes from this header on, for one reader. */
  from(header: number): Stream.Stream<TipChange, E> {
    return Stream.fromPull(
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => {
            const reader = { at: header }
            this.#readers.add(reader)
            this.#moved()
            return reader
          }),
          (reader) =>
            Effect.sync(() => {
              this.#readers.delete(reader)
              this.#moved()
            })
        ),
        (reader) => this.#next(reader)
      )
    ).pipe(Stream.scoped)
  }

  #next(reader: Reader): Pull.Pull<readonly [TipChange], E> {
    return Effect.suspend((): Pull.Pull<readonly [TipChange], E> => {
      if (reader.at !== this.#tip) {
        const { at, change } = nextChange(this.#tree, reader.at, this.#tip)
        reader.at = at
        this.#moved()
        return Effect.succeed([change])
      }
      const over = this.#over
      if (over === undefined) return Effect.andThen(Deferred.await(this.#news), this.#next(reader))
      return Exit.isFailure(over) ? Effect.failCause(over.cause) : Cause.done()
    })
  }

  #tell(): void {
    const news = this.#news
    this.#news = Deferred.makeUnsafe()
    Deferred.doneUnsafe(news, Exit.void)
  }
}
