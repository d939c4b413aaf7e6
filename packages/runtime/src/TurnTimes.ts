/** How long turns take: counted in steps that grow threefold, so that it costs nothing to remember all of them. */

/** The upper ends of the steps, in milliseconds; longer ones are in the last. */
export const TURN_STEPS_MS: ReadonlyArray<number> = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]

export interface TurnsSnapshot {
  readonly turns: number
  readonly totalMs: number
  readonly longestMs: number
  /** Turns in each step of {@link TURN_STEPS_MS}, and those that took longer at the end. */
  readonly steps: ReadonlyArray<number>
  /** Inputs that waited for a turn at most, while another was under way. */
  readonly mostWaiting: number
}

export class TurnTimes {
  #totalMs = 0
  #longestMs = 0
  #mostWaiting = 0
  readonly #steps: Float64Array = new Float64Array(TURN_STEPS_MS.length + 1)

  took(ms: number): void {
    let step = 0
    while (step < TURN_STEPS_MS.length && ms > (TURN_STEPS_MS[step] as number)) step++
    this.#steps[step] = (this.#steps[step] as number) + 1
    this.#totalMs += ms
    if (ms > this.#longestMs) this.#longestMs = ms
  }

  waited(inputs: number): void {
    if (inputs > this.#mostWaiting) this.#mostWaiting = inputs
  }

  snapshot(): TurnsSnapshot {
    const steps = [...this.#steps]
    return {
      turns: steps.reduce((sum, each) => sum + each, 0),
      totalMs: this.#totalMs,
      longestMs: this.#longestMs,
      steps,
      mostWaiting: this.#mostWaiting
    }
  }
}
