/**
 * To whom an address is passed on: one or two peers, the same ones for a day, then others. So an address that is told to us again and again
 * reaches no more nodes than others do, and nobody can tell whom we are connected to by telling us of addresses.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`RelayAddress`).
 */
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import type { PeerId, UnixSeconds } from "@satwire/machine"
import { type NodeAddress, nodeKey } from "@satwire/netaddress"

/** Core's `ROTATE_ADDR_RELAY_DEST_INTERVAL`. */
export const ROTATE_ADDR_RELAY_DEST_INTERVAL_S: number = 24 * 60 * 60
/** To how many peers an address is passed on. */
export const RELAY_PEERS = 2

/** Mixes an address into 64 bits; secret is only what comes after it. */
const NO_KEY: SipKey = sipKey(new Uint8Array(16))
const TWO_32 = 0x1_0000_0000

export class RelayTargets {
  readonly #key: SipKey
  readonly #input = new Uint8Array(24)
  readonly #view = new DataView(this.#input.buffer)
  readonly #halves = new Uint32Array(2)

  /** @param key 16 secret bytes */
  constructor(key: Uint8Array) {
    this.#key = sipKey(key)
  }

  /**
   * The peers, of `candidates`, to which `address` goes now: two of them where we can reach it ourselves, and else one or two.
   */
  choose<Peer extends { readonly id: PeerId }>(
    address: NodeAddress,
    isReachable: boolean,
    candidates: Iterable<Peer>,
    now: UnixSeconds
  ): ReadonlyArray<Peer> {
    this.#begin(address, now)
    sipHash24(this.#key, this.#input, 0, 16, this.#halves)
    const count = isReachable || ((this.#halves[0] as number) & 1) === 1 ? RELAY_PEERS : 1
    let first: Peer | undefined
    let second: Peer | undefined
    let [most, next] = [-1, -1]
    for (const peer of candidates) {
      const weight = this.#weight(peer.id)
      if (weight > most) {
        ;[second, next] = [first, most]
        ;[first, most] = [peer, weight]
      } else if (weight > next) [second, next] = [peer, weight]
    }
    return [first, count === RELAY_PEERS ? second : undefined].filter((peer) => peer !== undefined)
  }

  /** The address and the day. Days of different addresses begin at different times. */
  #begin(address: NodeAddress, now: UnixSeconds): void {
    const key = nodeKey(address)
    sipHash24(NO_KEY, key, 0, key.length, this.#halves)
    const [low = 0, high = 0] = this.#halves
    const phase = low % ROTATE_ADDR_RELAY_DEST_INTERVAL_S
    this.#view.setUint32(0, low, true)
    this.#view.setUint32(4, high, true)
    this.#setNumber(8, Math.floor((now + phase) / ROTATE_ADDR_RELAY_DEST_INTERVAL_S))
  }

  /** 53 bits of the hash of address, day and peer. */
  #weight(id: PeerId): number {
    this.#setNumber(16, id)
    sipHash24(this.#key, this.#input, 0, 24, this.#halves)
    return (this.#halves[1] as number) * 0x20_0000 + ((this.#halves[0] as number) >>> 11)
  }

  /** A whole number below 2^53 as 64 bits. */
  #setNumber(at: number, value: number): void {
    this.#view.setUint32(at, value % TWO_32, true)
    this.#view.setUint32(at + 4, Math.floor(value / TWO_32), true)
  }
}
