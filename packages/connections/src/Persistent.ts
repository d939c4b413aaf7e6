/**
 * Endpoints that our user named: each is dialled again and again, with growing pauses, until it is released, breaks the rules, or turns out
 * to be this node itself.
 *
 * Specification: the first pause is a second, doubled at each failure up to a minute (Core's pause between tries of `-addnode`); a
 * connection that lasted longer begins anew.
 */
import { type Instant, after } from "@satwire/machine"

export const FIRST_RETRY_MS = 1000
export const LAST_RETRY_MS = 60_000

interface Kept {
  /** v2 is not to be tried. */
  readonly transport: "v1" | undefined
  delayMs: number
  /** When it is to be dialled; `undefined` while it is, or is connected. */
  dueAt: Instant | undefined
}

export class Persistent {
  readonly #kept: Map<string, Kept> = new Map()

  get endpoints(): Iterable<string> {
    return this.#kept.keys()
  }

  has(endpoint: string): boolean {
    return this.#kept.has(endpoint)
  }

  /** Keeps one more; it is due at once. */
  keep(endpoint: string, transport: "v1" | undefined, instant: Instant): void {
    if (!this.#kept.has(endpoint)) this.#kept.set(endpoint, { transport, delayMs: FIRST_RETRY_MS, dueAt: instant })
  }

  release(endpoint: string): boolean {
    return this.#kept.delete(endpoint)
  }

  /** Those whose time has come; they are taken for being dialled. */
  takeDue(instant: Instant): ReadonlyArray<{ readonly endpoint: string; readonly transport: "v1" | undefined }> {
    const due: Array<{ readonly endpoint: string; readonly transport: "v1" | undefined }> = []
    for (const [endpoint, kept] of this.#kept) {
      if (kept.dueAt === undefined || kept.dueAt > instant) continue
      kept.dueAt = undefined
      due.push({ endpoint, transport: kept.transport })
    }
    return due
  }

  /** It failed, or the connection ended after `livedMs`; gives the pause, or nothing where it is kept no more. */
  ended(endpoint: string, livedMs: number, instant: Instant): number | undefined {
    const kept = this.#kept.get(endpoint)
    if (kept === undefined) return undefined
    const pauseMs = livedMs > LAST_RETRY_MS ? FIRST_RETRY_MS : kept.delayMs
    kept.delayMs = Math.min(2 * pauseMs, LAST_RETRY_MS)
    kept.dueAt = after(instant, pauseMs)
    return pauseMs
  }

  nextDue(): Instant | undefined {
    let next: Instant | undefined = undefined
    for (const { dueAt } of this.#kept.values()) {
      if (dueAt !== undefined && (next === undefined || dueAt < next)) next = dueAt
    }
    return next
  }
}
