/**
 * NAT-PMP: a datagram to the gateway, and one back of 12 or 16 bytes.
 *
 * Specification: an answer counts only when the gateway sent it from its port, when it is exactly as long as it has to be, and when it is to what
 * was asked; everything else is passed over, and four tries are all. The library that js-libp2p would use reads past the end of a short answer.
 *
 * Source: RFC 6886. Not kept to: its nine tries over two minutes, of which four over four seconds are made.
 */
import { createSocket } from "node:dgram"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { addressBeside } from "./Gateway.ts"
import type { Lease, MappingRequest } from "./PortMapping.ts"
import { type PortMappingError, failure } from "./PortMappingError.ts"

export const NAT_PMP_PORT = 5351

/** The first of RFC 6886 §3.1; each is as long as is waited after it. */
const TRIES_MS = [250, 500, 1000, 2000]

const ANSWER = 128
const EXTERNAL_ADDRESS = 0
const OPCODES = { udp: 1, tcp: 2 } as const
const BYTES = { address: 12, mapping: 16 } as const

/** RFC 6886 §3.5. */
const RESULTS = [
  "success",
  "unsupported version",
  "not authorised",
  "network failure",
  "out of resources",
  "unsupported opcode"
]

export interface PmpServer {
  readonly host: string
  readonly port: number
}

/** The answer of exactly that kind and length; `undefined` where it is none. */
export const answerTo = (opcode: number, length: number, bytes: Uint8Array): DataView | undefined => {
  if (bytes.length !== length || bytes[0] !== 0 || bytes[1] !== ANSWER + opcode) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const ask = (server: PmpServer, request: Uint8Array, length: number): Effect.Effect<DataView, PortMappingError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const answered = yield* Deferred.make<DataView, PortMappingError>()
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => createSocket("udp4")),
        (open) => Effect.sync(() => open.close())
      )
      socket.on("error", (error) => Deferred.doneUnsafe(answered, Effect.fail(failure("NoGateway", error.message))))
      socket.on("message", (bytes, from) => {
        const answer = answerTo(request[1] ?? 0, length, bytes)
        if (answer === undefined || from.address !== server.host || from.port !== server.port) return
        Deferred.doneUnsafe(answered, Effect.succeed(answer))
      })
      const trying = Effect.gen(function* () {
        for (const waitMs of TRIES_MS) {
          // What goes wrong with it is told by the error above, or by nothing coming back.
          socket.send(request, server.port, server.host, () => undefined)
          yield* Effect.sleep(waitMs)
        }
        return yield* Effect.fail(failure("TimedOut", `${server.host} does not answer NAT-PMP.`))
      })
      const answer = yield* Effect.raceFirst(Deferred.await(answered), trying)
      const result = answer.getUint16(2)
      if (result === 0) return answer
      const words = RESULTS[result] ?? "unknown result"
      return yield* Effect.fail(failure("Refused", `${server.host} refuses by NAT-PMP: ${words} (${result}).`))
    })
  )

const requestOf = (opcode: number, internal: number, external: number, seconds: number): Uint8Array => {
  const request = new DataView(new ArrayBuffer(12))
  request.setUint8(1, opcode)
  request.setUint16(4, internal)
  request.setUint16(6, external)
  request.setUint32(8, seconds)
  return new Uint8Array(request.buffer)
}

/** Asks the gateway for a port. */
export const mapByPmp = (
  server: PmpServer,
  { port, protocol, seconds }: MappingRequest
): Effect.Effect<Lease, PortMappingError> =>
  Effect.gen(function* () {
    const internalHost = addressBeside(server.host)
    if (internalHost === undefined) {
      return yield* Effect.fail(failure("NoGateway", `${server.host} is on none of this machine's networks.`))
    }
    const told = yield* ask(server, Uint8Array.of(0, EXTERNAL_ADDRESS), BYTES.address)
    const externalHost = [8, 9, 10, 11].map((at) => told.getUint8(at)).join(".")
    const opcode = OPCODES[protocol]
    const mapping = yield* ask(server, requestOf(opcode, port, port, seconds), BYTES.mapping)
    if (mapping.getUint16(8) !== port) {
      return yield* Effect.fail(failure("Malformed", `${server.host} mapped another port than it was asked for.`))
    }
    return {
      by: "NAT-PMP",
      internalHost,
      externalHost,
      externalPort: mapping.getUint16(10),
      seconds: mapping.getUint32(12),
      release: Effect.ignore(ask(server, requestOf(opcode, port, 0, 0), BYTES.mapping))
    }
  })
