/** Bytes of the v1 transport to messages, checksums verified. */
import { platformSha256 } from "@satwire/crypto/node"
import { V1Framing } from "@satwire/framing"
import { mainnet } from "@satwire/primitives"
import type { Contender } from "@satwire/testkit"
import { Inventory, MSG_WTX, type Message, headersMessage } from "@satwire/wire"
import { type FramePeer, bcoinFrames } from "./peers/npmPeers.ts"
import type { Suite } from "./Suite.ts"

const CHUNK_BYTES = 65_536

const satwire: FramePeer = {
  name: "satwire",
  parse(stream) {
    const framing = new V1Framing({ magic: mainnet.magic, sha256: platformSha256 })
    let count = 0
    for (let at = 0; at < stream.length; at += CHUNK_BYTES) {
      framing.receive(stream.subarray(at, Math.min(at + CHUNK_BYTES, stream.length)))
      for (let event = framing.next(); event !== undefined; event = framing.next())
        if (event._tag === "Message") count += 1
      framing.release()
    }
    return count
  }
}

const contender = (peer: FramePeer, stream: Uint8Array, count: number): Contender => ({
  name: peer.name,
  run() {
    const parsed = peer.parse(stream)
    if (parsed !== count) throw new Error(`${peer.name} parsed ${parsed} of ${count}`)
    return count
  }
})

const hash = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (seed * 31 + i * 7) & 0xff)

/** One suite for each kind of message. */
export const frameSuite = async (): Promise<ReadonlyArray<Suite>> => {
  const bcoin = bcoinFrames()
  const inventory = Inventory.ofType(
    MSG_WTX,
    Array.from({ length: 35 }, (_, i) => hash(i))
  )
  const kinds: ReadonlyArray<readonly [string, Message, number]> = [
    ["ping", { _tag: "ping", nonce: 0x0123456789abcdefn }, 10_000],
    ["inv of 35", { _tag: "inv", inventory }, 2000],
    ["headers of 2,000", headersMessage(new Uint8Array(80 * 2000).fill(3)), 20]
  ]
  return kinds.map(([name, message, count]) => {
    const framing = new V1Framing({ magic: mainnet.magic, sha256: platformSha256 })
    for (let i = 0; i < count; i++) framing.send(message)
    const stream = framing.takeOutput() ?? new Uint8Array(0)
    return {
      title: `frames to messages: ${name}`,
      unit: "messages",
      contenders: [satwire, bcoin].map((peer) => contender(peer, stream, count))
    }
  })
}
