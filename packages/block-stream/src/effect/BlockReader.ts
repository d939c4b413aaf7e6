/**
 * One reader of a chain whose blocks lie in memory for him alone: he goes on where he stopped, whoever asks for the next step. What he took is not kept
 * for another.
 */
import type { HeaderTree } from "@satwire/header-sync"
import type { BlockView } from "@satwire/primitives"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { BlockStep } from "../BlockStep.ts"
import { type BlockStreamSource, Changes, nextStep } from "./BlockStream.ts"

export interface BlockReaderSource {
  readonly tree: HeaderTree
  /** Where he begins; -1 while that is not known. */
  readonly start: () => number
  /** The end of the chain that he is told of. */
  readonly tip: () => number
  /** A block that is in memory. */
  readonly block: (header: number) => BlockView | undefined
  /** He has taken a step that leads to this header. */
  readonly moved: (header: number) => void
  /** A block is wanted that is in memory no more. */
  readonly lost: (header: number) => void
}

export class BlockReader<E> {
  readonly #source: BlockReaderSource
  readonly #steps: BlockStreamSource
  readonly #changes: Changes = new Changes()
  /** Steps are taken one after another. */
  readonly #turn: Semaphore.Semaphore = Semaphore.makeUnsafe(1)
  #at = -1
  #over: Exit.Exit<void, E> | undefined = undefined

  constructor(source: BlockReaderSource) {
    const { block, lost, tip, tree } = source
    this.#source = source
    this.#steps = {
      tree,
      changes: this.#changes,
      // Who closed it wants no more.
      tip: () => (this.#over !== undefined && Exit.isSuccess(this.#over) ? this.#at : tip()),
      read: (hash) =>
        Effect.sync(() => {
          const header = tree.find(hash)
          const found = block(header)
          // What is taken back is taken back without its bytes where they are gone.
          if (found !== undefined || header === this.#at) return found
          lost(header)
          return "awaited"
        })
    }
  }

  /** Where he stands: the header that he has taken in last, or -1. */
  get at(): number {
    return this.#at < 0 ? this.#source.start() : this.#at
  }

  /** The steps, from where the last of them led. Each goes to one of those who read; who stops takes none along that he did not see. */
  get steps(): Stream.Stream<BlockStep, E> {
    return Stream.fromPull(Effect.succeed(this.#turn.withPermit(this.#next)))
  }

  /** There may be more to tell. Not within a turn: it wakes fibers. */
  tell(): void {
    this.#changes.tell()
  }

  /** Nothing more comes: what there is to tell is told before a failure. */
  end(exit: Exit.Exit<void, E>): void {
    this.#over ??= exit
    this.#changes.end()
  }

  readonly #next: Pull.Pull<readonly [BlockStep], E> = Effect.suspend((): Pull.Pull<readonly [BlockStep], E> => {
    const { next } = this.#changes
    this.#at = this.at
    if (this.#at < 0) return this.#over === undefined ? Effect.andThen(next, this.#next) : this.#ended
    // In memory nothing fails, and what is missing there is waited for.
    return Effect.flatMap(
      Effect.orDie(nextStep(this.#steps, this.#at)),
      (taken): Pull.Pull<readonly [BlockStep], E> => {
        if (taken === undefined) return this.#ended
        const [step, header] = taken
        this.#at = header
        this.#source.moved(header)
        return Effect.succeed([step])
      }
    )
  })

  get #ended(): Pull.Pull<never, E> {
    return this.#over !== undefined && Exit.isFailure(this.#over) ? Effect.failCause(this.#over.cause) : Cause.done()
  }
}
