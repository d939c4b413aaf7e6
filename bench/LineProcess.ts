/** A process of ours that answers each line on its standard input with one on its standard output. */
import { type ChildProcess, spawn } from "node:child_process"
import { constants, setPriority } from "node:os"
import process from "node:process"
import * as Readline from "node:readline"

const { PRIORITY_LOW } = constants.priority

export class LineProcess {
  /** What it says first. */
  readonly first: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, first: string) {
    this.#child = child
    this.#lines = lines
    this.first = first
  }

  /** Starts a source file with these arguments, and waits for its first line. */
  static async start(file: string, ...args: ReadonlyArray<string>): Promise<LineProcess> {
    const line = ["--conditions=@satwire/source", file, ...args]
    const child = spawn(process.execPath, line, { stdio: ["pipe", "pipe", "inherit"] })
    const lines = Readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return new LineProcess(child, lines, await next(lines))
  }

  /** Gives a command and waits for its answer. */
  ask(command: string): Promise<string> {
    this.#child.stdin?.write(`${command}\n`)
    return next(this.#lines)
  }

  /** It stands for another machine: it has of this one what others leave. */
  giveWay(): void {
    const { pid } = this.#child
    if (pid !== undefined) setPriority(pid, PRIORITY_LOW)
  }

  stop(): void {
    this.#child.kill()
  }
}

const next = async (lines: AsyncIterator<string>): Promise<string> => {
  const { value, done } = await lines.next()
  if (done === true) throw new Error("the other process is gone")
  return value
}
