/** A connection whose other end reads nothing. Writes of whole nodes are counted in `transport-libp2p`. */
import { assert, it } from "@effect/vitest"
import type { MessageStream, StreamMuxer } from "@libp2p/interface"
import { MAX_UNWRITTEN_BYTES, joiningMuxer } from "../src/index.ts"

const FRAME = new Uint8Array(60_000)

it("a connection is aborted when more waits in it than may, and nothing waits then", () => {
  const errors: Array<Error> = []
  const full = {
    status: "open",
    writeBufferLength: 0,
    writableNeedsDrain: true,
    send: ({ byteLength }: { readonly byteLength: number }) => {
      full.writeBufferLength += byteLength
      return false
    },
    abort: (error: Error) => void errors.push(error)
  }
  let below: MessageStream | undefined
  const factory = joiningMuxer({
    protocol: "/test/1",
    createStreamMuxer: (connection) => {
      below = connection
      return { status: "open" } as StreamMuxer
    }
  })
  factory.createStreamMuxer(full as unknown as MessageStream)
  for (let sent = 0; errors.length === 0 && sent < 2 * MAX_UNWRITTEN_BYTES; sent += FRAME.length) {
    assert.isAtMost(below?.writeBufferLength ?? 0, MAX_UNWRITTEN_BYTES)
    below?.send(FRAME)
  }
  assert.deepStrictEqual(
    errors.map(({ name }) => name),
    ["StreamBufferError"]
  )
  assert.strictEqual(below?.writeBufferLength, full.writeBufferLength)
})
