/** What is sent as it is given: a command and the bytes of its payload, whether or not any peer would understand them. For tests. */
import type { Writer } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import {
  COMMAND_SIZE,
  type Codec,
  type Command,
  MAX_PROTOCOL_MESSAGE_LENGTH,
  type Message,
  codecOf,
  commandBytes
} from "@satwire/wire"
import { commandFields } from "./V1Header.ts"

/** A message that is no row of the table, or is and may be wrong. */
export interface RawMessage {
  readonly _tag: "*raw*"
  /** At most {@link COMMAND_SIZE} characters of ASCII. */
  readonly command: string
  readonly payload: Uint8Array
}

export type Sendable = Message | RawMessage

/** What an output has to know of a message. */
export interface Sending {
  readonly command: string
  readonly shortId: number | undefined
  readonly sizeBytes: number
  encode(w: Writer): void
}

/** A message with its row. */
class FromTable implements Sending {
  readonly #message: Message
  readonly #codec: Codec<Message>
  readonly sizeBytes: number

  constructor(message: Message) {
    this.#message = message
    this.#codec = codecOf(message._tag) as Codec<Message>
    this.sizeBytes = this.#codec.size(message)
    const isTaken = this.sizeBytes <= MAX_PROTOCOL_MESSAGE_LENGTH
    assert(isTaken, `a ${message._tag} of ${this.sizeBytes} bytes is more than any peer takes`)
  }

  get command(): string {
    return this.#codec.command
  }

  get shortId(): number | undefined {
    return this.#codec.shortId
  }

  encode(w: Writer): void {
    this.#codec.encode(w, this.#message)
  }
}

export const sendingOf = (message: Sendable): Sending => {
  if (message._tag !== "*raw*") return new FromTable(message)
  const { command, payload } = message
  assert(command.length <= COMMAND_SIZE, `"${command}" is longer than a command can be`)
  const shortId = codecOf(command)?.shortId
  return { command, shortId, sizeBytes: payload.length, encode: (w) => w.raw(payload) }
}

/** The command as frames carry it. */
export const commandField = (command: string): Uint8Array =>
  commandFields.get(command as Command) ?? commandBytes(command)
