/**
 * A manager behind the routes: one input after another, since what it puts out may bring about inputs to itself, and a machine is never
 * entered while it is at work.
 */
import type { Instant, Machine, Now, Outbox } from "@satwire/machine"

export class Manager<Input, Output> {
  readonly #machine: Machine<Input, Output>
  readonly #outbox: Outbox<Output>
  #waiting: Array<Input> = []
  #isAtWork = false

  constructor(machine: Machine<Input, Output>, perform: (output: Output) => void) {
    this.#machine = machine
    this.#outbox = { push: perform }
  }

  handle(input: Input, now: Now): void {
    if (this.#isAtWork) {
      this.#waiting.push(input)
      return
    }
    this.#isAtWork = true
    for (let next: Input | undefined = input; next !== undefined; next = this.#waiting.shift()) {
      this.#machine.handle(next, now, this.#outbox)
    }
    this.#isAtWork = false
  }

  /** Whether an input would be handled at once. */
  get isIdle(): boolean {
    return !this.#isAtWork
  }

  nextTimeout(): Instant | undefined {
    return this.#machine.nextTimeout()
  }

  isDue(instant: Instant): boolean {
    return (this.#machine.nextTimeout() ?? Infinity) <= instant
  }
}
