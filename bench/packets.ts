/** Packets of the encrypted transport (BIP-0324), sealed and opened with everything that a message goes through. */
import { ChaChaRandom, portableAead, portableCurve } from "@satwire/crypto"
import { platformAead } from "@satwire/crypto/node"
import { V2Framing } from "@satwire/framing"
import { mainnet } from "@satwire/primitives"
import { Inventory, MSG_WTX, type Message } from "@satwire/wire"
import type { Suite } from "./Suite.ts"

const CHUNK_BYTES = 65_536
/** Entries of 36 bytes that come to 64 KiB. */
const ENTRIES = 1819
const PACKETS = 16

const carry = (bytes: Uint8Array | undefined, to: V2Framing): number => {
  let events = 0
  for (let at = 0; bytes !== undefined && at < bytes.length; at += CHUNK_BYTES) {
    to.receive(bytes.subarray(at, Math.min(at + CHUNK_BYTES, bytes.length)))
    for (let event = to.next(); event !== undefined; event = to.next()) {
      if (event._tag === "Fault") throw new Error(event.fault._tag)
      events += 1
    }
    to.release()
  }
  return events
}

const pair = (aead: typeof portableAead): readonly [V2Framing, V2Framing] => {
  const end = (initiating: boolean, seed: number): V2Framing =>
    new V2Framing({
      magic: mainnet.magic,
      initiating,
      aead,
      curve: portableCurve,
      random: ChaChaRandom.fromNumber(seed)
    })
  const [a, b] = [end(true, 1), end(false, 2)]
  carry(a.takeOutput(), b)
  carry(b.takeOutput(), a)
  carry(a.takeOutput(), b)
  return [a, b]
}

export const packetSuite = (): Suite => {
  const hash = new Uint8Array(32).fill(7)
  const inventory = Inventory.ofType(
    MSG_WTX,
    Array.from({ length: ENTRIES }, () => hash)
  )
  const message: Message = { _tag: "inv", inventory }
  const sealed = (end: V2Framing) => (): number => {
    for (let i = 0; i < PACKETS; i++) end.send(message)
    if (end.takeOutput() === undefined) throw new Error("nothing was sealed")
    return PACKETS * ENTRIES * 36
  }
  const throughBoth =
    ([a, b]: readonly [V2Framing, V2Framing]) =>
    (): number => {
      for (let i = 0; i < PACKETS; i++) a.send(message)
      if (carry(a.takeOutput(), b) !== PACKETS) throw new Error("a packet is missing")
      return PACKETS * ENTRIES * 36
    }
  return {
    title: "v2 packets of 64 KiB",
    unit: "bytes",
    contenders: [
      { name: "sealed, the platform's cipher", run: sealed(pair(platformAead)[0]) },
      { name: "sealed and opened, the platform's cipher", run: throughBoth(pair(platformAead)) },
      { name: "sealed and opened, plain JavaScript", run: throughBoth(pair(portableAead)) }
    ]
  }
}
