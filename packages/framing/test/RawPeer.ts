/** The other end of a v2 connection, in the hands of a test: it seals whatever it is told to. */
import { concat } from "@satwire/bytes"
import {
  type Bip324Secrets,
  ChaChaRandom,
  type EllSwiftKey,
  bip324Secrets,
  bip324SharedSecret,
  ellSwiftCreate,
  portableCurve
} from "@satwire/crypto"
import { platformAead } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import { type Framing, type FramingEvent, V2Framing, type V2Options } from "../src/index.ts"
import { EXPANSION, PacketSealer } from "../src/PacketCipher.ts"
import { drain } from "./streams.ts"

export const NOTHING: Uint8Array = new Uint8Array(0)

export const v2 = (initiating: boolean, seed: number, options: Partial<V2Options> = {}): V2Framing =>
  new V2Framing({
    magic: mainnet.magic,
    initiating,
    aead: platformAead,
    curve: portableCurve,
    random: ChaChaRandom.fromNumber(seed),
    ...options
  })

/** Takes what there is to write, or nothing. */
export const output = (framing: Framing): Uint8Array => framing.takeOutput() ?? NOTHING

/**
 * Carries what two ends write to each other, in chunks of these sizes over and over, until both are silent. Each chunk is overwritten
 * after its turn.
 */
export const converse = (
  a: Framing,
  b: Framing,
  sizes: ReadonlyArray<number> = [65_536]
): { readonly a: ReadonlyArray<FramingEvent>; readonly b: ReadonlyArray<FramingEvent> } => {
  const events = { a: [] as Array<FramingEvent>, b: [] as Array<FramingEvent> }
  let turn = 0
  const carry = (from: Framing, to: Framing, heard: Array<FramingEvent>): boolean => {
    const bytes = from.takeOutput()
    for (let at = 0; bytes !== undefined && at < bytes.length;) {
      const size = Math.min(sizes[turn++ % sizes.length] as number, bytes.length - at)
      const chunk = bytes.slice(at, at + size)
      to.receive(chunk)
      heard.push(...drain(to))
      to.release()
      chunk.fill(0xee)
      at += size
    }
    return bytes !== undefined
  }
  for (;;) {
    const spoke = [carry(a, b, events.b), carry(b, a, events.a)]
    if (!spoke.includes(true)) return events
  }
}

export class RawPeer {
  readonly key: EllSwiftKey
  readonly secrets: Bip324Secrets
  readonly #sealer: PacketSealer

  /** Meets a framing that dialled and whose key is at hand. */
  constructor(theirs: Uint8Array, seed: number, initiating = false) {
    this.key = ellSwiftCreate(portableCurve, ChaChaRandom.fromNumber(seed))
    const ours = { privateKey: new Uint8Array(this.key.privateKey), publicKey: this.key.publicKey }
    const secret = bip324SharedSecret(portableCurve, ours, theirs, initiating)
    this.secrets = bip324Secrets(secret, mainnet.magic, initiating)
    this.#sealer = new PacketSealer(platformAead, this.secrets.sendLengthKey, this.secrets.sendPacketKey)
  }

  packet(contents: Uint8Array, isDecoy = false, associated: Uint8Array = NOTHING): Uint8Array {
    const bytes = new Uint8Array(EXPANSION + contents.length)
    bytes.set(contents, 4)
    this.#sealer.seal(bytes, 0, contents.length, isDecoy, associated)
    return bytes
  }

  /** Key, garbage and terminator. */
  hello(garbage: Uint8Array = NOTHING): Uint8Array {
    return concat([this.key.publicKey, garbage, this.secrets.sendTerminator])
  }

  /** All of its handshake. */
  handshake(garbage: Uint8Array = NOTHING, version: Uint8Array = NOTHING): Uint8Array {
    return concat([this.hello(garbage), this.packet(version, false, garbage)])
  }
}

/** A framing that dialled and the peer that it met. */
export const met = (
  seed = 1,
  options: Partial<V2Options> = {}
): { readonly framing: V2Framing; readonly raw: RawPeer } => {
  const framing = v2(true, seed, options)
  return { framing, raw: new RawPeer(output(framing).subarray(0, 64), seed + 1000) }
}

/** As {@link met}, with the handshake done. */
export const ready = (seed = 1): { readonly framing: V2Framing; readonly raw: RawPeer } => {
  const both = met(seed)
  both.framing.receive(both.raw.handshake())
  drain(both.framing)
  both.framing.release()
  return both
}
