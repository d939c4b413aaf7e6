/** Blocks as Bitcoin Core lays them in its files: `[4-byte magic][u32 length][block]`, over and over. */

/** The raw blocks of a `.blk` file, in its order, as views. */
export function* blockFile(bytes: Uint8Array, magic: number): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length;) {
    if (view.getUint32(at, true) !== magic) throw new RangeError(`byte ${at} of a block file is no magic`)
    const start = at + 8
    const end = start + view.getUint32(at + 4, true)
    if (end > bytes.length) throw new RangeError(`the block at byte ${at} of a block file ends early`)
    yield bytes.subarray(start, end)
    at = end
  }
}
