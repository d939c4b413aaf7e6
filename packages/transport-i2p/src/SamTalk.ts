/**
 * One connection to a SAM bridge: a line is said, a line is answered, and in the end the connection may become the stream to somebody
 * else. Nothing that the bridge says is trusted to be short.
 *
 * ```
 *   open ─▶ HELLO ─▶ say, hear ─▶ say, hear ─▶ … ─▶ become(connection)
 * ```
 */
import type { Connection, OpenConnections } from "@satwire/transport"
import { type Becoming, HandshakeSocket, type SocketAddress, type SocketLoss } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SamFailed } from "./SamFailed.ts"
import { type SamReply, parseReply } from "./SamReply.ts"

/**
 * Bitcoin Core's `MAX_MSG_SIZE` (i2p.h).
 *
 * @limit bytes of a line that a SAM bridge says
 */
export const MAX_SAM_LINE_BYTES = 65_536

/**
 * Bitcoin Core's for what takes a router its time, such as a session and its tunnels (i2p.cpp).
 *
 * @limit milliseconds that a SAM bridge may take to answer
 */
export const SAM_ANSWER_MS: number = 3 * 60 * 1000

const LINE_FEED = 10
const latin1 = new TextDecoder("latin1")

type Heard = (line: string | SamFailed) => void

export class SamTalk {
  readonly #socket: HandshakeSocket
  #begun = ""
  /** Who asked for the next line. Nothing is read before somebody does, so that what follows the last one is the other end's. */
  #waiting: Heard | undefined = undefined
  #whenConnected: Heard | undefined = undefined
  #failure: SamFailed | undefined = undefined
  #onLost: (() => void) | undefined = undefined
  /** Its handle is, or somebody else has it. */
  #isGone = false
  #onGone: (() => void) | undefined = undefined

  constructor(bridge: SocketAddress, open: OpenConnections) {
    this.#socket = new HandshakeSocket(bridge, open, {
      onConnect: () => this.#connected(""),
      onBytes: (bytes) => this.#received(bytes),
      onLost: (loss) => this.#lost(loss)
    })
  }

  /** A conversation that has begun, as long as the scope unless it becomes a connection. */
  static readonly open = (
    bridge: SocketAddress,
    open: OpenConnections
  ): Effect.Effect<SamTalk, SamFailed, Scope.Scope> =>
    Effect.gen(function* () {
      const talk = yield* Effect.acquireRelease(
        Effect.sync(() => new SamTalk(bridge, open)),
        (made) => made.closed
      )
      yield* SamTalk.begun(talk)
      return talk
    })

  /** Waits for the connection and says hello. */
  static readonly begun = (talk: SamTalk): Effect.Effect<void, SamFailed> =>
    Effect.gen(function* () {
      yield* talk.#hear((heard) => (talk.#whenConnected = heard))
      const hello = yield* talk.ask("HELLO VERSION MIN=3.1 MAX=3.1", "HELLO REPLY")
      if (hello.result !== "OK") return yield* Effect.fail(new SamFailed("Refused", `HELLO: ${wordsOf(hello)}`))
    })

  /** Says a line and hears the answer, which has to be of that kind. */
  ask(line: string, what: string): Effect.Effect<SamReply, SamFailed> {
    const asked = line.split(" ", 2).join(" ")
    const answered = Effect.suspend(() => {
      this.#socket.write(new TextEncoder().encode(`${line}\n`))
      return this.line
    })
    return answered.pipe(
      Effect.timeoutOrElse({
        duration: SAM_ANSWER_MS,
        orElse: () => Effect.fail(new SamFailed("Lost", `it did not answer ${asked}`))
      }),
      Effect.flatMap((answer) => {
        const reply = parseReply(answer)
        if (reply?.what === what) return Effect.succeed(reply)
        return Effect.fail(new SamFailed("Malformed", `it answered ${asked} with something else`))
      })
    )
  }

  /** The next line. */
  readonly line: Effect.Effect<string, SamFailed> = Effect.suspend(() =>
    this.#hear((heard) => {
      this.#waiting = heard
      this.#socket.resume()
    })
  )

  /** Calls `lost` when the bridge is gone, at once where it is already. What it says meanwhile is not kept. */
  whenLost(lost: () => void): void {
    if (this.#failure !== undefined) return lost()
    this.#onLost = lost
    this.#socket.resume()
  }

  /** From here on it is the other end's, and not ours to close. What came behind the last line comes first. */
  become(as: Becoming): Connection {
    this.#isGone = true
    return this.#socket.become(as)
  }

  /** Closes it and waits until its handle is gone. */
  readonly closed: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#isGone) return resume(Effect.void)
    this.#onGone = () => resume(Effect.void)
    this.#socket.destroy()
  })

  #hear(wait: (heard: Heard) => void): Effect.Effect<string, SamFailed> {
    return Effect.callback((resume) => {
      if (this.#failure !== undefined) return resume(Effect.fail(this.#failure))
      wait((heard) => resume(typeof heard === "string" ? Effect.succeed(heard) : Effect.fail(heard)))
    })
  }

  #connected(heard: string | SamFailed): void {
    const wait = this.#whenConnected
    this.#whenConnected = undefined
    wait?.(heard)
  }

  #received(bytes: Uint8Array): void {
    const wait = this.#waiting
    if (wait === undefined) return
    const end = bytes.indexOf(LINE_FEED)
    const part = end < 0 ? bytes : bytes.subarray(0, end)
    if (this.#begun.length + part.length > MAX_SAM_LINE_BYTES) {
      this.#fail(new SamFailed("Malformed", `it said a line of more than ${MAX_SAM_LINE_BYTES} bytes`))
      return this.#socket.destroy()
    }
    const line = this.#begun + latin1.decode(part)
    this.#begun = end < 0 ? line : ""
    if (end < 0) return
    this.#socket.pause(bytes.subarray(end + 1))
    this.#waiting = undefined
    wait(line)
  }

  #lost({ code, message }: SocketLoss): void {
    this.#isGone = true
    this.#fail(new SamFailed(code === "EOF" || code === "ECANCELED" ? "Lost" : "Unreachable", `${message} (${code})`))
    this.#onGone?.()
  }

  #fail(failure: SamFailed): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#connected(failure)
    const wait = this.#waiting
    this.#waiting = undefined
    wait?.(failure)
    this.#onLost?.()
  }
}

/** A reply's result and words, for people. */
export const wordsOf = ({ result, pairs }: SamReply): string => {
  const message = pairs.get("MESSAGE")
  return message === undefined ? result || "no result" : `${result}: ${message}`
}
