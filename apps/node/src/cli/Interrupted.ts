/**
 * The exit code of a command that was asked to stop (SIGINT, SIGTERM), whenever that was: what goes on until then has done what it should, a
 * question has not. It stands alone, as `main.ts` needs it before anything else is loaded.
 */
const QUESTIONS = ["peer", "headers", "rpc", "doctor", "replay"]

export const interruptedCode = (argv: ReadonlyArray<string>): number =>
  argv.some((word) => QUESTIONS.includes(word)) ? 130 : 0
