/** `satwire crawl`: who is there on a network, as far as nodes tell of each other. */
import { SeedResolver } from "@satwire/discovery/effect"
import { nowReader } from "@satwire/runtime"
import type { Dialer, Endpoint } from "@satwire/transport"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import { ConfigError } from "../config/ConfigError.ts"
import { type Identity, identityOf } from "../config/Identity.ts"
import { type Loaded, loadSettings } from "../config/LoadSettings.ts"
import { layerWays } from "../network/Ways.ts"
import { endpointOf } from "../network/TargetEndpoint.ts"
import { Crawler } from "./Crawler.ts"
import { CrawlFailed, lineWriter } from "./LineWriter.ts"

export type RunCrawlError = ConfigError | CrawlFailed

export const runCrawl = (
  start: ReadonlyArray<string>,
  flags: FlagTexts
): Effect.Effect<void, RunCrawlError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("crawl", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    const identity = yield* Effect.fromResult(identityOf(loaded))
    const starts = yield* Effect.forEach(start, (target) => endpointOf(target, identity.params.defaultPort))
    if (starts.length === 0 && identity.params.dnsSeeds.length === 0) {
      const message = `${identity.params.name} has no DNS seeds: name a node to begin with`
      return yield* new ConfigError({ message })
    }
    yield* Effect.scoped(follow(starts, loaded, identity)).pipe(
      Effect.provide([layerWays(loaded.settings), SeedResolver.layer()])
    )
  })

const follow = (
  starts: ReadonlyArray<Endpoint>,
  { settings }: Loaded,
  identity: Identity
): Effect.Effect<void, CrawlFailed, Dialer | SeedResolver | FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const write = yield* lineWriter(settings.out)
    const over = yield* Deferred.make<void>()
    const ending = Effect.andThen(Effect.sleep(settings.seconds), Deferred.succeed(over, undefined))
    yield* Effect.forkScoped(ending, { startImmediately: true })
    const crawler = new Crawler(identity, settings, yield* nowReader, write, Deferred.await(over))
    yield* Effect.addFinalizer(() => Console.error(crawler.summary()))
    yield* crawler.follow(starts)
    if (crawler.answered === 0) return yield* new CrawlFailed({ message: "nobody answered" })
  })
