/** How a simulation fails: with what is wrong, and the command by which it happens again. */

/** Something that must never be so was so. */
export class Breach extends Error {
  override readonly name = "Breach"
}

/** Where in which run something went wrong. */
export interface Circumstances {
  readonly seed: number
  readonly timeMs: number
  /** The command that runs it again. */
  readonly replay: string
}

/** Runs a part of a simulation. Whatever it throws becomes a {@link Breach} that tells how to see it again. */
export const explained = <A>(circumstances: () => Circumstances, run: () => A): A => {
  try {
    return run()
  } catch (thrown) {
    const { seed, timeMs, replay } = circumstances()
    const what = thrown instanceof Breach ? thrown.message : `the simulation threw: ${String(thrown)}`
    throw new Breach(`seed ${seed} at ${timeMs} ms: ${what}\nreplay: ${replay}`, { cause: thrown })
  }
}
