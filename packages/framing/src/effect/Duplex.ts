/** A connection made of any two-way stream of bytes, so that whoever takes connections can stand on what somebody else opened. */
import type { Connection, ConnectionHandlers, Direction, Endpoint } from "@satwire/transport"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type ByteDuplex, type Port, streamPort } from "./Port.ts"

/** What is not known of a duplex and has to be said. */
export interface DuplexOptions {
  /** Who opened it: who did speaks first. */
  readonly direction: Direction
  /** What the other end is called in errors and reports; `duplex:0` where not given. */
  readonly remote?: Endpoint | undefined
}

const SOMEWHERE: Endpoint = { host: "duplex", port: 0 }

/** The connection over a duplex, whose two fibers end with the scope. It may be used as any other. */
export const connectionOver = <E>(
  duplex: ByteDuplex<E>,
  options: DuplexOptions
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.map(streamPort(duplex), (port) => new DuplexConnection(port, options))

class DuplexConnection<E> implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint = SOMEWHERE
  readonly direction: Direction
  readonly #port: Port<E>

  constructor(port: Port<E>, { direction, remote = SOMEWHERE }: DuplexOptions) {
    this.#port = port
    this.direction = direction
    this.remote = remote
  }

  get bufferedBytes(): number {
    return this.#port.bufferedBytes
  }

  start(handlers: ConnectionHandlers): void {
    this.#port.start({
      onBytes: (bytes) => handlers.onBytes(bytes),
      onDrain: () => handlers.onDrain(),
      onClose: (reason) => handlers.onClose(reason),
      onFailure: (cause) => handlers.onClose({ _tag: "Failed", code: "DUPLEX", message: wordsOf(Cause.squash(cause)) })
    })
  }

  pause(): void {
    this.#port.pause()
  }

  resume(): void {
    this.#port.resume()
  }

  write(bytes: Uint8Array): void {
    this.#port.write(bytes)
  }

  end(): void {
    this.#port.end()
  }

  destroy(): void {
    this.#port.destroy()
  }
}

/** A pair of streams of the web platform; `Duplex.toWeb` of Node makes one of a socket. */
export interface WebStreams {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

const StreamFailedBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "StreamFailed"; readonly message: string } =
  Data.TaggedError("StreamFailed")

/** A stream of the pair failed. */
export class StreamFailed extends StreamFailedBase {}

/** A pair of web streams as a duplex. Both are locked until the scope closes, which cancels and closes them. */
export const duplexOf = ({
  readable,
  writable
}: WebStreams): Effect.Effect<ByteDuplex<StreamFailed>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (thrown: unknown): StreamFailed => new StreamFailed({ message: wordsOf(thrown) })
    const writer = writable.getWriter()
    // Who is not there any more need not be told.
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.tryPromise(() => writer.abort())))
    return {
      readable: Stream.fromReadableStream({ evaluate: () => readable, onError: failed }),
      write: (bytes) =>
        Effect.tryPromise({
          try: async () => {
            await writer.ready
            await writer.write(bytes)
          },
          catch: failed
        })
    }
  })

const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
