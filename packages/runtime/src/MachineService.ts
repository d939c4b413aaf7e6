/**
 * The one place where machines run: it reads the clock, takes the turns, keeps the one timer, and turns a machine into a scoped
 * service.
 *
 * ```
 *   submit(input) ─▶ turn: handle ─▶ outputs ─▶ perform, in order ─▶ arm the timer at nextTimeout()
 *        ▲                                          │
 *        └──────────── queued while a turn runs ◀───┘
 * ```
 *
 * A turn is synchronous: nothing asynchronous lies between bytes and the outbox. Effect owns the lifetime, the timer and the streams.
 * Nobody else runs within a turn: a fiber that is told something runs on at once, inside the call that told it (measured), so whoever
 * tells does it `between` turns.
 */
import type { Machine, Now } from "@satwire/machine"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { nowReader } from "./Clock.ts"
import { TurnTimes, type TurnsSnapshot } from "./TurnTimes.ts"

/**
 * How many outputs a stream of them keeps for a slow reader; the oldest make room.
 *
 * @limit outputs kept for a slow reader of a machine's stream
 */
export const OUTPUTS_KEPT = 4096
/**
 * How many inputs a failure report shows.
 *
 * @limit inputs in a failure report
 */
export const INPUTS_REPORTED = 16

interface MachineFailedFields {
  /** What was thrown. */
  readonly thrown: unknown
  /** The last inputs before it, the latest last, by their tags. */
  readonly lastInputs: ReadonlyArray<string>
  /** One sentence. */
  readonly message: string
}

const MachineFailedBase: new (
  fields: MachineFailedFields
) => Cause.YieldableError & { readonly _tag: "MachineFailed" } & MachineFailedFields = Data.TaggedError("MachineFailed")

/** A machine threw: a bug of ours, never a peer's fault. It takes no more turns. */
export class MachineFailed extends MachineFailedBase {}

export interface MachineService<in Input, out Output> {
  /**
   * Gives the machine an input. Its turn is taken before this returns, unless a turn is under way: then it follows that one. After a
   * failure, and after the scope has closed, inputs are dropped.
   */
  readonly submit: (input: Input) => void
  /**
   * Runs an action while no turn is under way: now, or else right after. For what wakes fibers, which may well read the machine's state
   * or submit to it. It runs after a failure and after the scope has closed, too.
   */
  readonly between: (action: () => void) => void
  /** How long turns took so far, what their outputs bring about included. */
  readonly turns: () => TurnsSnapshot
  /** The clock's readings, as the machine is given them. */
  readonly now: () => Now
  /** What the machine puts out from now on. A reader that is more than `OUTPUTS_KEPT` behind loses the oldest. */
  readonly outputs: Stream.Stream<Output, MachineFailed>
  /** Never succeeds; fails when the machine has. */
  readonly failure: Effect.Effect<never, MachineFailed>
}

export interface MachineServiceOptions<Input, Output> {
  readonly machine: Machine<Input, Output>
  /** The input that tells the machine of a timeout; a machine that never wants one needs none. */
  readonly timeout?: Input | undefined
  /** Does what an output asks for, synchronously, in order. What it submits gets turns after this one. */
  readonly perform?: (output: Output) => void
}

/** Runs a machine for as long as the scope is open. */
export const machineService = <Input extends { readonly _tag: string }, Output>(
  options: MachineServiceOptions<Input, Output>
): Effect.Effect<MachineService<Input, Output>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const now = yield* nowReader
    const fork = Effect.runForkWith(yield* Effect.context())
    const failed = yield* Deferred.make<never, MachineFailed>()
    const published = yield* PubSub.sliding<Exit.Exit<Output, MachineFailed>>(OUTPUTS_KEPT)
    const publish = (exit: Exit.Exit<Output, MachineFailed>): void => {
      // The unsafe way is the cheap one, and makes no room: to a full channel it publishes nothing.
      if (!PubSub.publishUnsafe(published, exit)) Effect.runSync(PubSub.publish(published, exit))
    }
    const driver = new Driver(options, now, {
      sleep: (ms, wake) => fork(Effect.andThen(ms > 0 ? Effect.sleep(ms) : Effect.yieldNow, Effect.sync(wake))),
      publish: (outputs) => {
        for (const output of outputs) publish(Exit.succeed(output))
      },
      fail: (failure) => {
        Deferred.doneUnsafe(failed, Exit.fail(failure))
        publish(Exit.fail(failure))
      }
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => driver.stop()))
    return {
      submit: (input) => driver.submit(input),
      between: (action) => driver.between(action),
      turns: () => driver.times.snapshot(),
      now,
      outputs: Stream.fromPubSub(published).pipe(Stream.mapEffect((exit) => exit)),
      failure: Deferred.await(failed)
    }
  })

/** What a driver needs of Effect. */
interface Edge<Output> {
  readonly sleep: (ms: number, wake: () => void) => Fiber.Fiber<void>
  readonly publish: (outputs: ReadonlyArray<Output>) => void
  readonly fail: (failure: MachineFailed) => void
}

class Driver<Input extends { readonly _tag: string }, Output> {
  readonly #options: MachineServiceOptions<Input, Output>
  readonly #now: () => Now
  readonly #edge: Edge<Output>
  readonly #waiting: Array<Input> = []
  /** How many of them have had their turn, or have it. */
  #begun = 0
  /** What is to be done once no turn is under way. */
  readonly #afterwards: Array<() => void> = []
  /** How many of them are done: taking the first out of a long array moves all the others. */
  #done = 0
  readonly #lastInputs: Array<string> = []
  readonly times: TurnTimes = new TurnTimes()
  #inTurn = false
  #stopped = false
  #timer: Fiber.Fiber<void> | undefined = undefined
  /** When the timer will wake us. */
  #armed: number | undefined = undefined

  constructor(options: MachineServiceOptions<Input, Output>, now: () => Now, edge: Edge<Output>) {
    this.#options = options
    this.#now = now
    this.#edge = edge
    this.#arm()
  }

  submit(input: Input): void {
    if (this.#stopped) return
    if (this.#inTurn) {
      this.#waiting.push(input)
      this.times.waited(this.#waiting.length - this.#begun)
      return
    }
    this.#inTurn = true
    this.#turn(input)
    while (this.#begun < this.#waiting.length && !this.#stopped) this.#turn(this.#waiting[this.#begun++] as Input)
    this.#waiting.length = 0
    this.#begun = 0
    this.#inTurn = false
    this.#arm()
    this.#afterTurns()
  }

  /** May be entered again by what it does, and then goes on where it was. */
  #afterTurns(): void {
    while (this.#done < this.#afterwards.length) {
      const action = this.#afterwards[this.#done++]
      action?.()
    }
    this.#afterwards.length = 0
    this.#done = 0
  }

  between(action: () => void): void {
    if (this.#inTurn) this.#afterwards.push(action)
    else action()
  }

  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
    this.#timer?.interruptUnsafe()
    this.#timer = undefined
  }

  #turn(input: Input): void {
    this.#lastInputs.push(input._tag)
    if (this.#lastInputs.length > INPUTS_REPORTED) this.#lastInputs.shift()
    const outputs: Array<Output> = []
    const performed: Array<Output> = []
    this.between(() => this.#edge.publish(performed))
    const now = this.#now()
    try {
      this.#options.machine.handle(input, now, { push: (output) => outputs.push(output) })
      for (const output of outputs) {
        // What was performed may have closed the scope.
        if (this.#stopped) return
        this.#options.perform?.(output)
        performed.push(output)
      }
      this.times.took(this.#now().instant - now.instant)
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  #fail(thrown: unknown): void {
    this.stop()
    const what = thrown instanceof Error ? thrown.message : String(thrown)
    const last = this.#lastInputs.at(-1) ?? "none"
    const message = `a machine broke its own rule: ${what} (last input: ${last}); this is a bug of Satwire`
    const failure = new MachineFailed({ thrown, lastInputs: [...this.#lastInputs], message })
    this.between(() => this.#edge.fail(failure))
  }

  #deadline(): number | undefined {
    if (this.#options.timeout === undefined) return undefined
    try {
      return this.#options.machine.nextTimeout()
    } catch (thrown) {
      this.#fail(thrown)
      return undefined
    }
  }

  /**
   * Sees to it that the timer wakes us at the earliest deadline. One that would wake us earlier is left, since waking for nothing is
   * cheap; where there is no deadline any more there is no timer either.
   */
  #arm(): void {
    if (this.#stopped) return
    const deadline = this.#deadline()
    if (deadline !== undefined && this.#armed !== undefined && this.#armed <= deadline) return
    this.#timer?.interruptUnsafe()
    this.#timer = undefined
    this.#armed = deadline
    if (deadline === undefined) return
    this.#timer = this.#edge.sleep(Math.max(0, Math.ceil(deadline - this.#now().instant)), () => this.#wake())
  }

  #wake(): void {
    this.#armed = undefined
    this.#timer = undefined
    if (this.#stopped) return
    const deadline = this.#deadline()
    const { timeout } = this.#options
    if (timeout !== undefined && deadline !== undefined && deadline <= this.#now().instant) this.submit(timeout)
    else this.#arm()
  }
}
