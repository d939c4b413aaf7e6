/**
 * The least fee rate that is taken, as it follows from what had to leave for want of room: it jumps above what left, and halves every 12
 * hours once a block has come, faster while the pool is far from full.
 *
 * Specification: nothing decays before the first block after a jump. Rationale: what left could be sent again at once, at no cost.
 *
 * Source: Bitcoin Core 30.0 `txmempool.cpp` (`GetMinFee`, `trackPackageRemoved`).
 */

/** Bitcoin Core's `ROLLING_FEE_HALFLIFE` (txmempool.h). */
const ROLLING_FEE_HALFLIFE_SECONDS: number = 12 * 3600
/** Time that is less is not looked at. */
const LEAST_SECONDS = 10

export class FeeFloor {
  readonly #incremental: number
  #rate = 0
  #unix = 0
  #sawBlock = false

  /** @param incremental what a transaction pays at least above what left, in sat/kvB */
  constructor(incremental: number) {
    this.#incremental = incremental
  }

  /** In sat/kvB, as of the last {@link decay}; 0 where nothing had to leave for a long time. */
  get rateSatPerKvb(): number {
    if (this.#rate === 0) return 0
    const rate = Math.round(this.#rate)
    return this.#sawBlock ? Math.max(rate, this.#incremental) : rate
  }

  /** What paid this rate had to leave. */
  leftFor(rateSatPerKvb: number): void {
    const rate = rateSatPerKvb + this.#incremental
    if (rate <= this.#rate) return
    this.#rate = rate
    this.#sawBlock = false
  }

  blockCame(unix: number): void {
    this.#unix = unix
    this.#sawBlock = true
  }

  /** @param share how full the pool is, from 0 to 1 */
  decay(unix: number, share: number): void {
    if (!this.#sawBlock || this.#rate === 0 || unix <= this.#unix + LEAST_SECONDS) return
    const halfLife = ROLLING_FEE_HALFLIFE_SECONDS / (share < 1 / 4 ? 4 : share < 1 / 2 ? 2 : 1)
    this.#rate /= 2 ** ((unix - this.#unix) / halfLife)
    this.#unix = unix
    if (this.#rate < this.#incremental / 2) this.#rate = 0
  }
}
