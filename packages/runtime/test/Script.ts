/** A machine that a test writes: what it does with an input is a function, and it remembers each turn. */
import { type Instant, type Machine, type Now, type Outbox, after } from "@satwire/machine"

export type Input =
  | { readonly _tag: "Say"; readonly word: string }
  | { readonly _tag: "Timeout" }
  /** Asks for a timeout so many milliseconds after this input; `undefined` for none. */
  | { readonly _tag: "Wake"; readonly inMs: number | undefined }
  | { readonly _tag: "Break" }

export type Output = { readonly _tag: "Said"; readonly word: string } | { readonly _tag: "Woke"; readonly at: number }

export interface Turn {
  readonly input: Input["_tag"]
  readonly at: number
  readonly unix: number
}

export const say = (word: string): Input => ({ _tag: "Say", word })
export const wake = (inMs: number | undefined): Input => ({ _tag: "Wake", inMs })

export class Script implements Machine<Input, Output> {
  readonly turns: Array<Turn> = []
  /** How often it was asked for its deadline. */
  asked = 0
  #deadline: Instant | undefined = undefined

  handle(input: Input, now: Now, out: Outbox<Output>): void {
    this.turns.push({ input: input._tag, at: now.instant, unix: now.unix })
    switch (input._tag) {
      case "Say":
        out.push({ _tag: "Said", word: `${input.word} (1)` })
        out.push({ _tag: "Said", word: `${input.word} (2)` })
        return
      case "Timeout":
        if (this.#deadline !== undefined && this.#deadline <= now.instant) this.#deadline = undefined
        out.push({ _tag: "Woke", at: now.instant })
        return
      case "Wake":
        this.#deadline = input.inMs === undefined ? undefined : after(now.instant, input.inMs)
        return
      case "Break":
        out.push({ _tag: "Said", word: "never heard" })
        throw new Error("the sky has fallen")
    }
  }

  nextTimeout(): Instant | undefined {
    this.asked += 1
    return this.#deadline
  }

  /** When it was woken. */
  wakings(): ReadonlyArray<number> {
    return this.turns.filter(({ input }) => input === "Timeout").map(({ at }) => at)
  }
}
