/** A DNS server of the tests' own on loopback, over UDP and TCP, after RFC 1035, that answers as it is told. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type RemoteInfo, createSocket } from "node:dgram"
import { type Server, createServer } from "node:net"

export interface DnsQuestion {
  readonly name: string
  readonly kind: "A" | "AAAA"
  /** The whole question, as it came. */
  readonly bytes: Uint8Array
}

/** Addresses, an error code of DNS, bytes in place of any answer, or silence. */
export type DnsReply =
  | { readonly _tag: "Addresses"; readonly addresses: ReadonlyArray<Uint8Array> }
  | { readonly _tag: "Code"; readonly code: number }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Silence" }

export interface DnsServer {
  /** As a resolver takes it. */
  readonly address: string
  readonly questions: ReadonlyArray<DnsQuestion>
}

const HEADER = 12
const [TYPE_A, TYPE_AAAA] = [1, 28]
/** What fits into an answer over UDP; of more the asker is told to come by TCP. */
const MOST_OVER_UDP = 500

/** Lives as long as its scope. */
export const dnsServer = (answer: (question: DnsQuestion) => DnsReply): Effect.Effect<DnsServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const questions: Array<DnsQuestion> = []
    const reply = (bytes: Uint8Array): Uint8Array | undefined => {
      const question = questionOf(bytes)
      questions.push(question)
      return packet(question, answer(question))
    }
    // Another socket may have the number of ours over UDP.
    const both = Effect.tap(overTcp(reply), (port) => overUdp(port, reply))
    const port = yield* Effect.retry(both, { times: 20 }).pipe(Effect.orDie)
    return { address: `127.0.0.1:${port}`, questions }
  })

type Respond = (question: Uint8Array) => Uint8Array | undefined

const overUdp = (port: number, respond: Respond): Effect.Effect<void, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => createSocket("udp4")),
      (socket) => Effect.callback<void>((resume) => void socket.close(() => resume(Effect.void)))
    )
    socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => {
      const whole = respond(bytes)
      if (whole !== undefined)
        socket.send(whole.length > MOST_OVER_UDP ? truncated(whole) : whole, from.port, from.address)
    })
    yield* Effect.callback<void, Error>((resume) => {
      const failed = (error: Error): void => resume(Effect.fail(error))
      socket.once("error", failed)
      socket.bind(port, "127.0.0.1", () => {
        socket.off("error", failed)
        resume(Effect.void)
      })
    })
  })

const overTcp = (respond: Respond): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => serverOf(respond)),
      (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
    )
    yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    const bound = server.address()
    return typeof bound === "object" && bound !== null ? bound.port : 0
  })

const serverOf = (respond: Respond): Server =>
  createServer((socket) => {
    let held = new Uint8Array(0)
    socket.on("error", () => undefined)
    socket.on("data", (chunk: Uint8Array) => {
      held = Uint8Array.from([...held, ...chunk])
      while (held.length >= 2 && held.length >= 2 + u16(held, 0)) {
        const whole = respond(held.slice(2, 2 + u16(held, 0)))
        held = held.slice(2 + u16(held, 0))
        if (whole !== undefined) socket.write(Uint8Array.from([whole.length >> 8, whole.length & 255, ...whole]))
      }
      socket.end()
    })
  })

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] as number) * 256 + (bytes[at + 1] as number)

/** Where the name of the one question ends. */
const nameEnd = (bytes: Uint8Array): number => {
  let at = HEADER
  while (bytes[at] !== 0) at += 1 + (bytes[at] as number)
  return at + 1
}

const questionOf = (bytes: Uint8Array): DnsQuestion => {
  const labels: Array<string> = []
  for (let at = HEADER; bytes[at] !== 0; at += 1 + (bytes[at] as number)) {
    labels.push(new TextDecoder().decode(bytes.subarray(at + 1, at + 1 + (bytes[at] as number))))
  }
  return { name: labels.join("."), kind: u16(bytes, nameEnd(bytes)) === TYPE_A ? "A" : "AAAA", bytes }
}

const packet = ({ bytes, kind }: DnsQuestion, reply: DnsReply): Uint8Array | undefined => {
  if (reply._tag === "Silence") return undefined
  if (reply._tag === "Bytes") return reply.bytes
  const code = reply._tag === "Code" ? reply.code : 0
  const list = reply._tag === "Addresses" ? reply.addresses : []
  const count = [list.length >> 8, list.length & 255]
  // The question's id; a response, with recursion; one question, so many answers.
  const header = [bytes[0] as number, bytes[1] as number, 0x81, 0x80 | code, 0, 1, ...count, 0, 0, 0, 0]
  const question = bytes.subarray(HEADER, nameEnd(bytes) + 4)
  const type = kind === "A" ? TYPE_A : TYPE_AAAA
  const answers = list.flatMap((address) => [0xc0, HEADER, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address])
  return Uint8Array.from([...header, ...question, ...answers])
}

/** The question alone, with the bit that says that there is more. */
const truncated = (whole: Uint8Array): Uint8Array => {
  const cut = whole.slice(0, nameEnd(whole) + 4)
  cut[2] = (cut[2] as number) | 2
  cut.fill(0, 6, 8)
  return cut
}
