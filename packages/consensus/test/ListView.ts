/** A tree of headers without thought for speed: a list of plain objects, and every answer found by walking. */
import type { ChainView, PeriodFirst } from "../src/index.ts"

export interface PlainHeader {
  /** The number of the parent, or -1. */
  readonly parent: number
  readonly version: number
  readonly time: number
  readonly bits: number
}

export class ListView implements ChainView {
  readonly headers: Array<PlainHeader>
  readonly #period: number
  readonly #rootHeight: number

  /** @param rootHeight the height of the headers without parent */
  constructor(period: number, headers: ReadonlyArray<PlainHeader> = [], rootHeight = 0) {
    this.headers = [...headers]
    this.#period = period
    this.#rootHeight = rootHeight
  }

  /** Adds a header and gives its number. What is not given is a header that no rule looks at. */
  add(header: Partial<PlainHeader>): number {
    this.headers.push({ parent: this.headers.length - 1, version: 4, time: 0, bits: 0x207fffff, ...header })
    return this.headers.length - 1
  }

  #at(header: number): PlainHeader {
    return this.headers[header] as PlainHeader
  }

  height(header: number): number {
    const { parent } = this.#at(header)
    let height = this.#rootHeight
    for (let at = parent; at >= 0; at = this.#at(at).parent) height += 1
    return height
  }

  version(header: number): number {
    return this.#at(header).version
  }

  time(header: number): number {
    return this.#at(header).time
  }

  bits(header: number): number {
    return this.#at(header).bits
  }

  parent(header: number): number {
    return this.#at(header).parent
  }

  ancestor(header: number, height: number): number {
    let at = header
    while (at >= 0 && this.height(at) > height) at = this.parent(at)
    return at >= 0 && this.height(at) === height ? at : -1
  }

  periodFirst(header: number): PeriodFirst {
    const height = this.height(header)
    return this.#at(this.ancestor(header, height - (height % this.#period)))
  }
}
