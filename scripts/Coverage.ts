/**
 * Which blocks of the packages' code have run, as V8 counts them: guides the fuzzer without any engine to load. Slow to ask, a few
 * milliseconds, so it is asked after a batch.
 */
import { type Profiler, Session } from "node:inspector"

export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post("Profiler.enable")
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })
  }

  /** How many blocks have run so far. */
  get blocks(): number {
    return this.#seen.size
  }

  /** The blocks that ran since the last call and never before; they count as seen from now on. */
  fresh(): ReadonlySet<string> {
    const found = new Set<string>()
    for (const block of this.#ran()) if (!this.#seen.has(block)) found.add(block)
    for (const block of found) this.#seen.add(block)
    return found
  }

  /** Whether `run` runs one of these blocks. */
  reaches(blocks: ReadonlySet<string>, run: () => void): boolean {
    this.#ran()
    run()
    return this.#ran().some((block) => blocks.has(block))
  }

  end(): void {
    this.#session.disconnect()
  }

  #ran(): ReadonlyArray<string> {
    let result: ReadonlyArray<Profiler.ScriptCoverage> = []
    // In the same thread the answer comes before `post` is back.
    this.#session.post("Profiler.takePreciseCoverage", (_, taken) => {
      result = taken.result
    })
    return result
      .filter(({ url }) => /\/packages\/(?:wire|primitives|bytes)\/src\//u.test(url))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges.flatMap(({ count, startOffset, endOffset }) =>
            count > 0 ? [`${url}:${startOffset}:${endOffset}`] : []
          )
        )
      )
  }
}
