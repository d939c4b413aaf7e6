/** Asks the DNS seeds that the node's machine wants to be asked, and tells it what came. A name that has no address costs the node nothing. */
import { ResolveError, SeedResolver } from "@satwire/discovery/effect"
import type { NodeCoreCommand, NodeCoreInput } from "@satwire/node-core"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

type QuerySeed = Extract<NodeCoreCommand, { readonly _tag: "QuerySeed" }>

/** Asks by the `SeedResolver` that is there, or by the system's DNS servers. What it gives is not to be called within a turn. */
export const seedAsker = (
  submit: (input: NodeCoreInput) => void
): Effect.Effect<(query: QuerySeed) => void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const given = yield* Effect.serviceOption(SeedResolver)
    const { resolve } = Option.isSome(given)
      ? given.value
      : Context.get(yield* Layer.build(SeedResolver.layer()), SeedResolver)
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    let isOver = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))
    return ({ host }) => {
      if (isOver) return
      // A resolver of somebody else's may also die; its seed is one that gave nothing, like any other that failed.
      const answer = Effect.matchCause(resolve(host), {
        onSuccess: (addresses) => submit({ _tag: "SeedAnswered", host, addresses }),
        onFailure: (cause) => {
          if (!Cause.hasInterruptsOnly(cause)) submit({ _tag: "SeedFailed", host, why: whyOf(cause) })
        }
      })
      run(answer)
    }
  })

const whyOf = (cause: Cause.Cause<ResolveError>): string => {
  const error = Cause.squash(cause)
  if (error instanceof ResolveError) return error.why
  return `the resolver died: ${error instanceof Error ? error.message : String(error)}`
}
