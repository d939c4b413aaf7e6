/**
 * From names to addresses, for `QuerySeed`: by DNS alone, in bounded time and memory. The hosts file and what else a system asks are not
 * looked at; a seed is no host of this machine's.
 *
 * Where a proxy resolves names, this must not be used: `Seeding` then asks for none.
 */
import { type NetAddr, isValid, parseHost } from "@satwire/netaddress"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { Resolver } from "node:dns"

/** How long a name may take, with all servers and repetitions. */
export const RESOLVE_TIMEOUT_MS: number = 10 * 1000
/**
 * An answer over TCP may have thousands.
 *
 * @limit addresses that are taken of one name
 */
export const MAX_RESOLVED_ADDRESSES = 64
/** How long one server has for one question, and how many times it is asked. */
const QUERY_TIMEOUT_MS = 2500
const QUERY_TRIES = 2

interface ResolveErrorFields {
  readonly host: string
  /** The reason, as half a sentence: `SeedFailed`'s `why`. */
  readonly why: string
  /** One sentence. */
  readonly message: string
}

const ResolveErrorBase: new (
  fields: ResolveErrorFields
) => Cause.YieldableError & { readonly _tag: "ResolveError" } & ResolveErrorFields = Data.TaggedError("ResolveError")

/** A name has no address that we could learn. */
export class ResolveError extends ResolveErrorBase {
  constructor(host: string, why: string) {
    super({ host, why, message: `the name ${host} has no address: ${why}` })
  }
}

export interface SeedResolverOptions {
  /** DNS servers as `address` or `address:port`; the system's where not given. */
  readonly servers?: ReadonlyArray<string> | undefined
  /** {@link RESOLVE_TIMEOUT_MS} where not given. */
  readonly timeoutMs?: number | undefined
}

export interface SeedResolverShape {
  /** The addresses of a name, at least one. */
  readonly resolve: (host: string) => Effect.Effect<ReadonlyArray<NetAddr>, ResolveError>
}

const SeedResolverBase: Context.ServiceClass<SeedResolver, "@satwire/discovery/SeedResolver", SeedResolverShape> =
  Context.Service<SeedResolver, SeedResolverShape>()("@satwire/discovery/SeedResolver")

export class SeedResolver extends SeedResolverBase {
  static readonly layer = (options: SeedResolverOptions = {}): Layer.Layer<SeedResolver> =>
    Layer.succeed(SeedResolver, SeedResolver.of({ resolve: (host) => resolve(host, options) }))
}

const resolve = (
  host: string,
  { servers, timeoutMs = RESOLVE_TIMEOUT_MS }: SeedResolverOptions
): Effect.Effect<ReadonlyArray<NetAddr>, ResolveError> =>
  Effect.all([ask(host, "A", servers), ask(host, "AAAA", servers)], { concurrency: 2 }).pipe(
    Effect.flatMap(([ipv4, ipv6]) => Effect.fromResult(together(host, ipv4, ipv6))),
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () => Effect.fail(new ResolveError(host, `no server answered within ${timeoutMs / 1000} s`))
    })
  )

/** What one question brought: addresses, or why there are none. */
type Answer = Result.Result<ReadonlyArray<NetAddr>, string>

/** One question, with a resolver of its own: to stop one stops all of its questions. */
const ask = (host: string, kind: "A" | "AAAA", servers: ReadonlyArray<string> | undefined): Effect.Effect<Answer> =>
  Effect.callback<Answer>((resume) => {
    const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES })
    const done = (error: NodeJS.ErrnoException | null, texts: ReadonlyArray<string> | undefined): void =>
      resume(Effect.succeed(error === null ? Result.succeed(parsed(texts ?? [])) : Result.fail(whyNot(error))))
    try {
      if (servers !== undefined) resolver.setServers(servers)
      if (kind === "A") resolver.resolve4(host, done)
      else resolver.resolve6(host, done)
    } catch (thrown) {
      // A name that is none, or a server.
      resume(Effect.succeed(Result.fail(thrown instanceof Error ? thrown.message : String(thrown))))
    }
    return Effect.sync(() => resolver.cancel())
  })

const parsed = (texts: ReadonlyArray<string>): ReadonlyArray<NetAddr> =>
  texts
    .slice(0, MAX_RESOLVED_ADDRESSES)
    .map(parseHost)
    .filter((host) => host !== undefined)
    .filter(isValid)

/** Both answers in turn, so that neither crowds out the other. */
const together = (host: string, ipv4: Answer, ipv6: Answer): Result.Result<ReadonlyArray<NetAddr>, ResolveError> => {
  const [some, others] = [Result.getOrElse(ipv4, () => []), Result.getOrElse(ipv6, () => [])]
  const all: Array<NetAddr> = []
  for (let i = 0; i < Math.max(some.length, others.length); i++) {
    all.push(...[some[i], others[i]].filter((address) => address !== undefined))
  }
  if (all.length > 0) return Result.succeed(all.slice(0, MAX_RESOLVED_ADDRESSES))
  const whys = [ipv4, ipv6].flatMap((answer) => (Result.isFailure(answer) ? [answer.failure] : []))
  // That there is none of one kind says less than what happened to the other.
  return Result.fail(new ResolveError(host, whys.find((why) => why !== NONE) ?? NONE))
}

const NONE = "it has none"

const WORDS: Readonly<Record<string, string>> = {
  ENODATA: NONE,
  ENOTFOUND: NONE,
  ETIMEOUT: "no server answered",
  EREFUSED: "the server refused to answer",
  ESERVFAIL: "the server failed",
  EBADRESP: "the server's answer makes no sense",
  EFORMERR: "the server does not understand the question",
  ENOTIMP: "the server does not understand the question",
  ECONNREFUSED: "no server is there",
  EBADNAME: "it is no name"
}

const whyNot = ({ code, message }: NodeJS.ErrnoException): string => WORDS[code ?? ""] ?? code ?? message
