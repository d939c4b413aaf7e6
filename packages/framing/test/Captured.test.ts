/** Real traffic: one framed example of 21 commands, and one side of a real connection. */
import { fromHex, toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import { codecOf, decodePayload } from "@satwire/wire"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { events, frame, framed } from "./streams.ts"

/** One byte is cut from this frame, its relay flag, and its header announces it still: no stream would go on after it. */
const CUT = "messagenofrelay"

describeWithData(describe, "captured messages", (data) => {
  const file = data.json("vectors/p2p/bitcore_messages.json") as Record<string, Record<string, string>>
  const examples = Object.entries(file).flatMap(([command, forms]) =>
    Object.entries(forms).map(([form, hex]) => ({ command, form, frame: fromHex(hex) ?? new Uint8Array(0) }))
  )

  it.each(examples.filter(({ form }) => form !== CUT))(
    "$command is decoded, and written again to the same bytes",
    ({ command, frame }) => {
      const [event, ...more] = events(frame, [100])
      expect(more).toEqual([])
      if (codecOf(command) === undefined) {
        expect(event).toEqual({ _tag: "Unknown", command, sizeBytes: frame.length })
        return
      }
      if (event?._tag !== "Message") throw new Error(`${command}: ${JSON.stringify(event?._tag)}`)
      expect(event.message._tag).toBe(command)
      expect(toHex(framed(event.message))).toBe(toHex(frame))
    }
  )

  it("a version without its relay flag asks for transactions", () => {
    const cut = fromHex(file["version"]?.[CUT] ?? "") ?? new Uint8Array(0)
    expect(events(cut)).toEqual([])
    const decoded = decodePayload("version", cut.subarray(24))
    expect(Result.isSuccess(decoded) && decoded.success.value.relay).toBe(true)
  })
})

describeWithData(describe, "one side of a captured connection", (data) => {
  const stream = data.bytes("vectors/p2p/bitcore_connection.log")

  it.each([[stream.length], [1460], [65_536], [1]])(
    "is decoded and written again to the same bytes, in chunks of %i",
    (size) => {
      const messages = events(stream, [size]).map((event) => {
        if (event._tag !== "Message") throw new Error(event._tag)
        return event.message
      })
      expect(messages).toHaveLength(24)
      expect(Buffer.compare(framed(...messages), stream)).toBe(0)
    }
  )
})

describeWithData(describe, "real blocks", (data) => {
  const names = data.list("blocks/mainnet").filter((name) => name.endsWith(".bin"))

  it.each(names)("%s comes through a socket's chunks and is written again to the same bytes", (name) => {
    const stream = frame("block", data.bytes(`blocks/mainnet/${name}`))
    const [event] = events(stream, [65_536])
    if (event?._tag !== "Message") throw new Error(event?._tag)
    expect(Buffer.compare(framed(event.message), stream)).toBe(0)
  })
})
