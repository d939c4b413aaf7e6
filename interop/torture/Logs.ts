/** Every line that the nodes print and keep, searched for what should never be there. Lines themselves are not kept. */

/** How many suspicious lines are kept. */
const MOST_KEPT = 50
/** Lines before a suspicious one that are shown with it. */
const LINES_BEFORE = 8

/** What Node, Effect and Satwire say of a defect, a promise that nobody waited for, an engine that gave up; and any stack. */
const SUSPICIOUS =
  /unhandled|uncaught|rejection|this is a bug|defect|assert|out of memory|FATAL|MaxListeners|Segmentation|^\s+at .*:\d+:\d+\)?$|\b(?:Type|Range|Reference|Syntax|Internal)Error\b|\[ERROR\]|(?:^|Z )\[?error\]?:/i

/** What the inspector says of itself. */
const OF_THE_INSPECTOR = /^(Debugger |For help, see: https:\/\/nodejs\.org)/

export class Logs {
  #lines = 0
  readonly #found: Array<string> = []
  readonly #recent: Map<string, Array<string>> = new Map()

  /** How many were read. */
  get lines(): number {
    return this.#lines
  }

  /** What should not be there, with whose it is and the lines before it. */
  get found(): ReadonlyArray<string> {
    return this.#found
  }

  /**
   * Takes one line.
   *
   * @param whose the node that said it, and where
   */
  observe(whose: string, line: string): void {
    if (line === "" || OF_THE_INSPECTOR.test(line)) return
    this.#lines += 1
    const recent = this.#recent.get(whose) ?? []
    this.#recent.set(whose, recent)
    if (SUSPICIOUS.test(line) && this.#found.length < MOST_KEPT) {
      this.#found.push([...recent.map((before) => `  … ${before}`), `${whose}: ${line}`].join("\n"))
      recent.length = 0
      return
    }
    recent.push(line)
    if (recent.length > LINES_BEFORE) recent.shift()
  }

  /** The last lines of a node, for who wants to know what it did. */
  tail(whose: string): ReadonlyArray<string> {
    return this.#recent.get(whose) ?? []
  }
}
