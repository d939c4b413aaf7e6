/**
 * The one way from Effect to promises. A service is turned as a whole: what it does under Effect it does behind the promise door, member
 * for member, and there is no second implementation that could do it differently.
 *
 * ```
 *   Effect<A, E>                  ─▶  (options?) => Promise<A>           rejects with the typed error itself
 *   (…args) => Effect<A, E>       ─▶  (…args, options?) => Promise<A>
 *   Stream<A, E>                  ─▶  AsyncIterable<A>
 *   (…args) => Stream<A, E>       ─▶  (…args) => AsyncIterable<A>
 *   anything else                 ─▶  as it is
 *   acquired in a scope           ─▶  close(), await using
 * ```
 *
 * An `AbortSignal` interrupts; the promise is rejected with the signal's reason when everything is put away.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined
}

/** What acquired something closes it, by hand or by `await using`. */
export interface Owned extends AsyncDisposable {
  /** Puts everything away; a second call waits for the first. */
  readonly close: () => Promise<void>
}

/** A service of effects as one of promises. */
export type Promised<Service> = { readonly [Name in keyof Service]: PromisedMember<Service[Name]> }

export type PromisedMember<Member> =
  Member extends Effect.Effect<infer A, infer _E>
    ? (options?: CallOptions) => Promise<A>
    : Member extends Stream.Stream<infer A, infer _E>
      ? AsyncIterable<A>
      : Member extends (...args: infer Args) => Effect.Effect<infer A, infer _E>
        ? (...args: [...args: Args, options?: CallOptions]) => Promise<A>
        : Member extends (...args: infer Args) => Stream.Stream<infer A, infer _E>
          ? (...args: Args) => AsyncIterable<A>
          : Member

/** Runs an effect. Rejects with its error, with the reason of the signal that interrupted it, or with what it died of. */
export const runPromise = async <A, E>(effect: Effect.Effect<A, E>, options?: CallOptions): Promise<A> => {
  const signal = options?.signal
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  // What could not be interrupted may have failed by then.
  if (signal?.aborted === true && Cause.hasInterrupts(exit.cause) && !Cause.hasDies(exit.cause)) throw signal.reason
  throw Cause.squash(exit.cause)
}

/** Turns a service. Functions must say their arguments by position, without optional ones, since the options of a call follow them. */
export const promised = <Service extends object>(service: Service): Promised<Service> => {
  const turned: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(service)) turned[name] = promisedMember(member)
  // One member for each of the service's, by the rules of `PromisedMember`.
  return turned as Promised<Service>
}

const promisedMember = (member: unknown): unknown => {
  // A stream or effect of a service has what it needs: a service whose members ask for more does not type as one of these.
  if (Effect.isEffect(member)) {
    return (options?: CallOptions) => runPromise(member as Effect.Effect<unknown, unknown>, options)
  }
  if (Stream.isStream(member)) return Stream.toAsyncIterable(member as Stream.Stream<unknown, unknown>)
  if (typeof member !== "function") return member
  return (...args: ReadonlyArray<unknown>) => {
    const made: unknown = member(...args.slice(0, member.length))
    const options = args[member.length] as CallOptions | undefined
    if (Stream.isStream(made)) return Stream.toAsyncIterable(made as Stream.Stream<unknown, unknown>)
    return Effect.isEffect(made) ? runPromise(made as Effect.Effect<unknown, unknown>, options) : made
  }
}

/** Acquires a service and turns it. What it acquired lives until `close`; where acquiring fails or is given up, nothing is left. */
export const acquire = async <Service extends object, E>(
  service: Effect.Effect<Service, E, Scope.Scope>,
  options?: CallOptions
): Promise<Promised<Service> & Owned> => {
  const scope = Scope.makeUnsafe()
  const made = service.pipe(
    Scope.provide(scope),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
  const turned = promised(await runPromise(made, options))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= Effect.runPromise(Scope.close(scope, Exit.void)))
  return { ...turned, close, [Symbol.asyncDispose]: close }
}

/**
 * What an effect gives again and again, as an iterable that may be left and entered anew: nothing is taken that was not asked for.
 * `isEnd` says which error is the orderly end of it.
 */
export const repeated = <A, E>(next: Effect.Effect<A, E>, isEnd: (error: E) => boolean): AsyncIterable<A> => {
  const step = next.pipe(
    Effect.map((value): IteratorResult<A, undefined> => ({ done: false, value })),
    Effect.catchIf(isEnd, () => Effect.succeed(END))
  )
  return { [Symbol.asyncIterator]: () => new Steps(step) }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined }

class Steps<A, E> implements AsyncIterator<A, undefined> {
  readonly #step: Effect.Effect<IteratorResult<A, undefined>, E>
  readonly #underWay: Set<Fiber.Fiber<IteratorResult<A, undefined>, E>> = new Set()
  #left = false

  constructor(step: Effect.Effect<IteratorResult<A, undefined>, E>) {
    this.#step = step
  }

  next(): Promise<IteratorResult<A, undefined>> {
    if (this.#left) return Promise.resolve(END)
    const fiber = Effect.runFork(this.#step)
    this.#underWay.add(fiber)
    return new Promise((resolve, reject) => {
      fiber.addObserver((exit) => {
        this.#underWay.delete(fiber)
        if (Exit.isSuccess(exit)) resolve(exit.value)
        else if (this.#left && Cause.hasInterruptsOnly(exit.cause)) resolve(END)
        else reject(Cause.squash(exit.cause))
      })
    })
  }

  /** Leaves: whoever still waits for a next one is told that there is none. */
  return(): Promise<IteratorResult<A, undefined>> {
    this.#left = true
    for (const fiber of this.#underWay) fiber.interruptUnsafe()
    return Promise.resolve(END)
  }
}
