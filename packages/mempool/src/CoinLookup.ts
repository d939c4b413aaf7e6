/** What the pool looks up. The interfaces live here, with their consumer. */

/** An output of the followed chain that is not spent there. */
export interface Coin {
  /** Satoshis, which as money a number holds exactly. */
  readonly amount: number
  /** The height of the block that holds its transaction. */
  readonly height: number
  readonly isCoinbase: boolean
}

/** The coins of the followed chain, as far as somebody knows them. */
export interface CoinLookup {
  /**
   * The coin; "missing" where the lookup is complete and it is not there, as it is spent or was never made; `undefined` where the lookup
   * cannot tell.
   *
   * @param txid a view that is another's after the call
   */
  coin(txid: Uint8Array, index: number): Coin | "missing" | undefined
}

/** The block that comes next. `BlockContext` of `consensus` is one. */
export interface NextBlock {
  readonly height: number
  /** What lock times that are times are held against (BIP-0113): the median time past of the tip, or `undefined` where it is not known. */
  readonly lockTimeCutoff: number | undefined
}
