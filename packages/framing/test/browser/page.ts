/** What runs in the page: frames are fetched, decoded in v1, carried once more in v2, and told of. */
import { equals } from "@satwire/bytes"
import { ChaChaRandom, portableAead, portableCurve, wasmSha256 } from "@satwire/crypto"
import { type Framing, InboundFraming, V1Framing, V2Framing } from "@satwire/framing"
import { type BlockView, mainnet } from "@satwire/primitives"
import type { Message } from "@satwire/wire"
import { type BlockFacts, blockFacts } from "./BlockFacts.ts"

export interface PageReport {
  /** Which SHA-256 the page has. */
  readonly backend: string
  /** Events that were no block. */
  readonly others: ReadonlyArray<string>
  readonly blocks: ReadonlyArray<BlockFacts>
  readonly transport: string
  /** Whether the blocks came out of the encrypted transport as they went in. */
  readonly isSameEncrypted: boolean
}

const CHUNK_BYTES = 65_536
const { magic } = mainnet
const sha256 = wasmSha256()

const hear = (framing: Framing, bytes: Uint8Array, heard: Array<Message>, others: Array<string>): void => {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    framing.receive(bytes.slice(at, at + CHUNK_BYTES))
    for (let event = framing.next(); event !== undefined; event = framing.next()) {
      if (event._tag === "Message") heard.push(event.message)
      else others.push(event._tag)
    }
    framing.release()
  }
}

const blocksOf = (messages: ReadonlyArray<Message>): ReadonlyArray<BlockView> =>
  messages.flatMap((message) => (message._tag === "block" ? [message.block] : []))

/** From who dialled to who was dialled; the one learns by itself that it is v2. */
const encrypted = (messages: ReadonlyArray<Message>, others: Array<string>) => {
  const options = { magic, aead: portableAead, curve: portableCurve }
  const near = new V2Framing({ ...options, initiating: true, random: ChaChaRandom.fromNumber(1) })
  const far = new InboundFraming({ ...options, sha256, random: ChaChaRandom.fromNumber(2) })
  for (const message of messages) near.send(message)
  const heard: Array<Message> = []
  for (;;) {
    const [there, back] = [near.takeOutput(), far.takeOutput()]
    if (there === undefined && back === undefined) return { heard, transport: far.transport }
    if (there !== undefined) hear(far, there, heard, others)
    if (back !== undefined) hear(near, back, heard, others)
  }
}

const reported = async (): Promise<PageReport> => {
  const frames = new Uint8Array(await (await fetch("/frames")).arrayBuffer())
  const messages: Array<Message> = []
  const others: Array<string> = []
  hear(new V1Framing({ magic, sha256 }), frames, messages, others)
  const { heard, transport } = encrypted(messages, others)
  const [blocks, again] = [blocksOf(messages), blocksOf(heard)]
  return {
    backend: sha256.name,
    others,
    blocks: blocks.map((block) => blockFacts(block, sha256)),
    transport,
    isSameEncrypted:
      blocks.length === again.length && blocks.every(({ bytes }, i) => equals(bytes, (again[i] as BlockView).bytes))
  }
}

/** Where whoever drives the page finds it. */
Object.assign(globalThis, { report: reported() })
