/** A scripted peer that is listened to: it shakes hands as it should, and answers `getheaders` with the bytes that it is given. */
import { type PeerSession, overConnection } from "@satwire/client"
import { portableSha256 } from "@satwire/crypto"
import { type ChainParams, HEADER_PREVIOUS, HEADER_SIZE, headerHash, toHex } from "@satwire/primitives"
import { type Endpoint, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import { type GetHeaders, MAX_HEADERS_RESULTS, headersMessage } from "@satwire/wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LOOPBACK } from "./TestNode.ts"

/** Raw headers, one after another, and what is sent instead of them. */
export class ServedHeaders {
  /** Behind which of the headers stands who has the block of this hash. */
  readonly #places: ReadonlyMap<string, number>
  /** What is sent: as long as the headers that it stands for. */
  readonly #sent: Uint8Array

  private constructor(places: ReadonlyMap<string, number>, sent: Uint8Array) {
    this.#places = places
    this.#sent = sent
  }

  static of(headers: Uint8Array): ServedHeaders {
    const places = new Map([[toHex(headers.slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)), 0]])
    for (let at = 0; at < headers.length; at += HEADER_SIZE) {
      const raw = headers.subarray(at, at + HEADER_SIZE)
      places.set(toHex(headerHash(portableSha256, raw)), at / HEADER_SIZE + 1)
    }
    return new ServedHeaders(places, headers)
  }

  /** The same headers with one bit turned. */
  turned(bit: number): ServedHeaders {
    const sent = Uint8Array.from(this.#sent)
    const byte = bit >>> 3
    sent[byte] = (sent[byte] ?? 0) ^ (1 << (bit & 7))
    return new ServedHeaders(this.#places, sent)
  }

  /** What an honest peer would send from the place that the locator names, but for what was changed. */
  after(locator: GetHeaders["locator"]): Uint8Array {
    for (const hash of locator) {
      const place = this.#places.get(toHex(hash))
      if (place === undefined) continue
      return this.#sent.slice(place * HEADER_SIZE, (place + MAX_HEADERS_RESULTS) * HEADER_SIZE)
    }
    return new Uint8Array(0)
  }
}

/** Listens, and lets every session with who connects be spoken by `speak`. */
export const scriptedPeer = (
  params: ChainParams,
  speak: (session: PeerSession) => Effect.Effect<void, unknown>,
  services: bigint = 0n
): Effect.Effect<Endpoint, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime()
    const listener = Context.get(yield* Layer.build(Layer.fresh(layerTcp)), Listener)
    const { endpoint } = yield* listener.listen({ host: LOOPBACK, port: 0 }, (connection) => {
      const session = Effect.flatMap(overConnection(connection, { params, userAgent: "/scripted:0/", services }), speak)
      run(Effect.ignore(Effect.scoped(session)))
    })
    return endpoint
  })

/** A peer that serves these headers and nothing else. */
export const headerServer = (
  params: ChainParams,
  served: ServedHeaders
): Effect.Effect<Endpoint, unknown, Scope.Scope> =>
  scriptedPeer(params, (session) =>
    Stream.runForEach(session.messages, (message) =>
      message._tag === "getheaders" ? session.send(headersMessage(served.after(message.locator))) : Effect.void
    )
  )
