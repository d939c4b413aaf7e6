/**
 * What a program does while all that it is made of is loaded, which takes a moment and on a busy machine seconds. A door of its own that imports
 * nothing beside, as it is open before anything else is.
 */
import process from "node:process"

const SIGNALS = ["SIGINT", "SIGTERM"] as const

/**
 * Loads a program and starts it; who asks it to stop meanwhile is heard as later on.
 *
 * @param interrupted the exit code where it was asked to stop
 * @param start done once it hears signals by itself
 */
export const startHearing = async (interrupted: number, start: () => Promise<void>): Promise<void> => {
  const endEarly = (): void => process.exit(interrupted)
  for (const signal of SIGNALS) process.on(signal, endEarly)
  await start()
  for (const signal of SIGNALS) process.off(signal, endEarly)
}
