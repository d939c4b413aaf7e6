/**
 * The Effect door: names of DNS seeds to addresses, and seeds files from the disk. The machines themselves run in whoever composes them.
 *
 * ```ts
 * const { resolve } = yield* SeedResolver
 * const addresses = yield* resolve("x9.seed.example")
 * ```
 */
export { MAX_SEEDS_FILE_BYTES, SeedsFileError, readSeedsFile } from "./effect/ReadSeedsFile.ts"
export {
  MAX_RESOLVED_ADDRESSES,
  RESOLVE_TIMEOUT_MS,
  ResolveError,
  SeedResolver,
  type SeedResolverOptions,
  type SeedResolverShape
} from "./effect/SeedResolver.ts"
