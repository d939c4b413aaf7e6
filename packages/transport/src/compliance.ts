/**
 * What every transport must do, as a suite that each of them runs. It takes the test runner's functions as arguments, so it depends
 * on none:
 *
 * ```ts
 * transportCompliance({ describe, it }, { name: "memory", layer: layerMemory(), host: "127.0.0.1" })
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Dialer } from "./Dialer.ts"
import type { Listener } from "./Listener.ts"
import { bytesCases } from "./compliance/BytesCases.ts"
import type { Case, Lacks } from "./compliance/Case.ts"
import { destroyingCases, endingCases } from "./compliance/ClosingCases.ts"
import { endpointCases } from "./compliance/EndpointCases.ts"
import { flowCases } from "./compliance/FlowCases.ts"
import { crowdCases, scopeCases } from "./compliance/ScopeCases.ts"

/** What the suite needs of a test runner; vitest's functions fit. */
export interface SuiteApi {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

export interface TransportUnderTest<E> {
  readonly name: string
  readonly layer: Layer.Layer<Dialer | Listener, E>
  /** Where the suite listens, on free ports. */
  readonly host: string
  /** What it cannot do. The suite then asks for what is left, and says so in the names of the cases. */
  readonly lacks?: Lacks | undefined
  /** An address that no listener of this transport can have; 192.0.2.1 (RFC 5737) where not given. */
  readonly foreignHost?: string | undefined
  /** How many MiB are more than can lie between a writer and a reader that does not read; 40 where not given. */
  readonly bulkMiB?: number | undefined
}

/** Registers the suite. */
export const transportCompliance = <E>(api: SuiteApi, transport: TransportUnderTest<E>): void => {
  const { host, lacks = {} } = transport
  const it: Case = (name, body) =>
    api.it(name, () => Effect.runPromise(body.pipe(Effect.provide(transport.layer, { local: true }), Effect.scoped)))
  api.describe(`${transport.name} is a transport`, () => {
    bytesCases(it, host, lacks)
    flowCases(it, host, transport.bulkMiB ?? 40, lacks)
    endingCases(it, host)
    destroyingCases(it, host)
    endpointCases(it, host, transport.foreignHost ?? "192.0.2.1", lacks)
    crowdCases(it, host)
    scopeCases(it, host, transport.layer)
  })
}

export { type Hosted, type Lacks, MiB, type Pair, hosted, pair, pattern } from "./compliance/Case.ts"
export { Observed, Signal } from "./compliance/Observed.ts"
