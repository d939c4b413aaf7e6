/**
 * To whom an address is passed on: one or two peers, the same ones for a day, then others. So an address that is told to us again and again
 * reaches no more nodes than others do, and nobody can tell whom we are connected to by telling us of addresses.
 *
 * Specification: of all peers those two whose ids have the highest hashes, under a key of the address and the day. Rationale: when a peer comes
 * or goes, the choice changes only where it is one of the two.
 *
 * Ids lie in one array and are hashed in one call: with 10,000 peers that is four times as fast as one by one (measured).
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`RelayAddress`).
 */
import { ID_BYTES, type SipKey, sipHash24, sipHashMany, sipKey } from "@satwire/crypto"
import type { PeerId, UnixSeconds } from "@satwire/machine"
import { type NodeAddress, nodeKey } from "@satwire/netaddress"

/** Core's `ROTATE_ADDR_RELAY_DEST_INTERVAL`. */
export const ROTATE_ADDR_RELAY_DEST_INTERVAL_S: number = 24 * 60 * 60
/** To how many peers an address is passed on. */
export const RELAY_PEERS = 2

/** Mixes an address into 64 bits; secret is only what comes after it. */
const NO_KEY: SipKey = sipKey(new Uint8Array(16))
const TWO_32 = 0x1_0000_0000
/** The address and the day, 8 bytes each, and what the hash is for. */
const INPUT_LENGTH = 17

export class RelayTargets<Peer extends { readonly id: PeerId }> {
  readonly #key: SipKey
  readonly #peers: Array<Peer> = []
  readonly #places: Map<Peer, number> = new Map()
  /** The peers' ids, {@link ID_BYTES} each. */
  #ids = new Uint8Array(16 * ID_BYTES)
  #hashes = new Uint32Array(32)
  readonly #input = new Uint8Array(INPUT_LENGTH)
  readonly #half = new Uint32Array(2)

  /** @param key 16 secret bytes */
  constructor(key: Uint8Array) {
    this.#key = sipKey(key)
  }

  /** Those to whom addresses may be passed on. */
  get peers(): ReadonlyArray<Peer> {
    return this.#peers
  }

  add(peer: Peer): void {
    if (this.#places.has(peer)) return
    const place = this.#peers.length
    if ((place + 1) * ID_BYTES > this.#ids.length) this.#grow()
    this.#peers.push(peer)
    this.#places.set(peer, place)
    setNumber(this.#ids, place * ID_BYTES, peer.id)
  }

  delete(peer: Peer): void {
    const place = this.#places.get(peer)
    if (place === undefined) return
    const last = this.#peers.pop() as Peer
    this.#places.delete(peer)
    if (last === peer) return
    this.#peers[place] = last
    this.#places.set(last, place)
    setNumber(this.#ids, place * ID_BYTES, last.id)
  }

  /** The peers to which `address` goes now: two where we can reach it ourselves, and else one or two. */
  choose(
    address: NodeAddress,
    isReachable: boolean,
    isEligible: (peer: Peer) => boolean,
    now: UnixSeconds
  ): ReadonlyArray<Peer> {
    this.#begin(address, now)
    const count = isReachable || (this.#hash(0)[0] as number) % 2 === 1 ? RELAY_PEERS : 1
    const [k0Low = 0, k0High = 0] = this.#hash(1)
    const [k1Low = 0, k1High = 0] = this.#hash(2)
    const hashes = this.#hashes
    sipHashMany({ k0Low, k0High, k1Low, k1High }, this.#ids, 0, this.#peers.length, hashes)
    let [first, second]: ReadonlyArray<Peer | undefined> = []
    let [most, next] = [-1, -1]
    for (let i = 0; i < this.#peers.length; i++) {
      // 53 bits of it.
      const weight = (hashes[2 * i + 1] as number) * 0x20_0000 + ((hashes[2 * i] as number) >>> 11)
      if (weight <= next) continue
      const peer = this.#peers[i] as Peer
      if (!isEligible(peer)) continue
      if (weight > most) {
        ;[second, next] = [first, most]
        ;[first, most] = [peer, weight]
      } else [second, next] = [peer, weight]
    }
    return [first, count === RELAY_PEERS ? second : undefined].filter((peer) => peer !== undefined)
  }

  /** The address and the day. Days of different addresses begin at different times. */
  #begin(address: NodeAddress, now: UnixSeconds): void {
    const key = nodeKey(address)
    sipHash24(NO_KEY, key, 0, key.length, this.#half)
    const [low = 0, high = 0] = this.#half
    const view = new DataView(this.#input.buffer)
    view.setUint32(0, low, true)
    view.setUint32(4, high, true)
    const phase = low % ROTATE_ADDR_RELAY_DEST_INTERVAL_S
    setNumber(this.#input, 8, Math.floor((now + phase) / ROTATE_ADDR_RELAY_DEST_INTERVAL_S))
  }

  /** A secret of address, day and purpose. */
  #hash(purpose: number): Uint32Array {
    this.#input[INPUT_LENGTH - 1] = purpose
    sipHash24(this.#key, this.#input, 0, INPUT_LENGTH, this.#half)
    return this.#half
  }

  #grow(): void {
    const ids = new Uint8Array(2 * this.#ids.length)
    ids.set(this.#ids)
    this.#ids = ids
    this.#hashes = new Uint32Array(2 * this.#hashes.length)
  }
}

/** A whole number below 2^53 as 64 bits. */
const setNumber = (bytes: Uint8Array, at: number, value: number): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(at, value % TWO_32, true)
  view.setUint32(at + 4, Math.floor(value / TWO_32), true)
}
