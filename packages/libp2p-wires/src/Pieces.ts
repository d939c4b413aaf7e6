/**
 * Lists of pieces of bytes, which is what js-libp2p reads into, in bounded time whatever the pieces are. A peer may send each byte as a piece of its
 * own, and `consume` of `uint8arraylist` moves all that are left for each that it drops: 400,000 of them stopped a node for a minute (measured).
 *
 * Specification: what is dropped is dropped together, and a list of many small pieces is joined into larger ones. Each byte is copied once for that,
 * since as many pieces again must come before it is done again. Bytes and lengths are as they were; where pieces end was never said.
 */
import { Uint8ArrayList } from "uint8arraylist"

/**
 * @limit pieces of a list of bytes of js-libp2p that are small on average; of more larger ones are made
 */
export const MAX_SMALL_PIECES = 512

/** On average. */
const SMALL_BYTES = 256
/** Larger ones are never copied. */
const LARGE_BYTES = 4096
const JOINED_BYTES = 16_384

/**
 * The same bytes in fewer pieces: neighbours are joined up to a size; from a size on a piece stays as it is, and so does one that is alone.
 *
 * @param mostBytes of a piece that is joined
 * @param largeBytes from which on nothing is copied; where not given only what has no neighbour that fits is left as it is
 */
export const inFewerPieces = (
  pieces: ReadonlyArray<Uint8Array>,
  mostBytes: number,
  largeBytes: number = Infinity
): Array<Uint8Array> => {
  const fewer: Array<Uint8Array> = []
  let from = 0
  let length = 0
  const close = (to: number): void => {
    if (to === from + 1) fewer.push(pieces[from] as Uint8Array)
    else if (length > 0) fewer.push(joined(pieces, from, to, length))
    from = to
    length = 0
  }
  for (let at = 0; at < pieces.length; at++) {
    const size = (pieces[at] as Uint8Array).byteLength
    if (size >= largeBytes || length + size > mostBytes) close(at)
    length += size
    if (size >= largeBytes) close(at + 1)
  }
  close(pieces.length)
  return fewer
}

/** Those of what js-libp2p reads into. */
export const inLargerPieces = (pieces: ReadonlyArray<Uint8Array>): Array<Uint8Array> =>
  inFewerPieces(pieces, JOINED_BYTES, LARGE_BYTES)

/** What a stream has brought, in large pieces where it was in small ones. */
export const piecesOf = (data: Uint8Array | Uint8ArrayList): Array<Uint8Array> =>
  data instanceof Uint8Array ? [data] : inLargerPieces([...data])

const joined = (pieces: ReadonlyArray<Uint8Array>, from: number, to: number, length: number): Uint8Array => {
  const all = new Uint8Array(length)
  let at = 0
  for (let i = from; i < to; i++) {
    const piece = pieces[i] as Uint8Array
    if (piece.byteLength === 1) all[at] = piece[0] as number
    else all.set(piece, at)
    at += piece.byteLength
  }
  return all
}

/** What is known of a list: this much of it is nobody's secret, and asked for before anything is changed. */
interface Pieces {
  bufs: Array<Uint8Array>
  length: number
}

interface Kind {
  consume: (this: Pieces, bytes: number) => void
  appendAll: (this: Pieces, pieces: ReadonlyArray<Uint8Array | Uint8ArrayList>) => void
}

const joinSmall = (list: Pieces): void => {
  const { bufs, length } = list
  if (bufs.length > MAX_SMALL_PIECES && length < bufs.length * SMALL_BYTES) list.bufs = inLargerPieces(bufs)
}

const consume: Kind["consume"] = function (bytes) {
  let left = Math.trunc(bytes)
  if (Number.isNaN(left) || left <= 0) return
  if (left >= this.length) {
    this.bufs = []
    this.length = 0
    return
  }
  this.length -= left
  const { bufs } = this
  let gone = 0
  for (let size = bufs[0]?.byteLength; size !== undefined && left >= size; size = bufs[gone]?.byteLength) {
    left -= size
    gone++
  }
  if (gone === 1 && bufs.length <= MAX_SMALL_PIECES) bufs.shift()
  else if (gone > 0) this.bufs = bufs.slice(gone)
  const first = this.bufs[0]
  if (left > 0 && first !== undefined) this.bufs[0] = first.subarray(left)
  joinSmall(this)
}

const mended: WeakSet<object> = new WeakSet()

/**
 * Makes all lists of js-libp2p such, once, whoever asks and how often.
 *
 * @throws TypeError where lists are not what this was written for
 */
export const boundPieces = (
  kind: { readonly prototype: object; new (...pieces: Array<Uint8Array>): object } = Uint8ArrayList
): void => {
  const prototype = kind.prototype as Kind
  if (mended.has(prototype)) return
  const { appendAll } = prototype
  const probe = new kind(Uint8Array.of(1), Uint8Array.of(2)) as Partial<Pieces>
  const isKnown = Array.isArray(probe.bufs) && probe.bufs.length === 2 && probe.length === 2
  if (!isKnown || typeof appendAll !== "function" || typeof prototype.consume !== "function") {
    throw new TypeError(
      "lists of the package uint8arraylist are not as they were in 3.0: see Pieces.ts of @satwire/libp2p-wires"
    )
  }
  prototype.consume = consume
  prototype.appendAll = function (pieces) {
    appendAll.call(this, pieces)
    joinSmall(this)
  }
  mended.add(prototype)
}
