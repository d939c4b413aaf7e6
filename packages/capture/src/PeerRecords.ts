/**
 * What was captured of one address, both sides in the order of time, cut into connections.
 *
 * A capture does not say when a connection began or ended, nor who dialled. Specification: each side says `version` once, so a second one of
 * the same side is another connection; whoever said it first dialled; and it ended with its last message. Rationale: whoever is there says
 * something every two minutes, and what happened after that nobody knows.
 */
import type { FilesShape } from "@satwire/store"
import * as Effect from "effect/Effect"
import type { CaptureFault } from "./CaptureError.ts"
import type { CaptureRecord } from "./CaptureFormat.ts"
import type { PeerFiles, Side } from "./CapturePlaces.ts"
import { CaptureFile } from "./ReadCapture.ts"

export interface SidedRecord extends CaptureRecord {
  readonly side: Side
}

interface Queue {
  readonly side: Side
  readonly file: CaptureFile
  records: ReadonlyArray<CaptureRecord>
  next: number
  hasEnded: boolean
}

export class PeerRecords {
  readonly address: string
  readonly #queues: ReadonlyArray<Queue>

  constructor(files: FilesShape, { address, received, sent }: PeerFiles) {
    this.address = address
    const queue = (side: Side, path: string | undefined): ReadonlyArray<Queue> =>
      path === undefined ? [] : [{ side, file: new CaptureFile(files, path), records: [], next: 0, hasEnded: false }]
    // Of one time, what was received comes first: it is what the other answers.
    this.#queues = [...queue("received", received), ...queue("sent", sent)]
  }

  /** Reads on where that is needed before the next record is known. */
  get ready(): Effect.Effect<void, CaptureFault> | undefined {
    const short = this.#queues.filter(({ hasEnded, next, records }) => !hasEnded && next >= records.length)
    if (short.length === 0) return undefined
    return Effect.forEach(
      short,
      (queue) =>
        Effect.map(queue.file.next, (records) => {
          queue.records = records
          queue.next = 0
          queue.hasEnded = records.length === 0
        }),
      { discard: true }
    )
  }

  /** The next record, once `ready` has nothing to do; `undefined` at the end. */
  get head(): SidedRecord | undefined {
    const queue = this.#first
    const record = queue?.records[queue.next]
    return queue === undefined || record === undefined ? undefined : { ...record, side: queue.side }
  }

  take(): void {
    const queue = this.#first
    if (queue !== undefined) queue.next += 1
  }

  get #first(): Queue | undefined {
    let first: Queue | undefined
    for (const queue of this.#queues) {
      const record = queue.records[queue.next]
      if (record === undefined) continue
      if (first === undefined || record.unixUs < (first.records[first.next] as CaptureRecord).unixUs) first = queue
    }
    return first
  }
}

/** Tells where another connection begins. */
export class ConnectionCut {
  #hasSaid: { readonly [S in Side]: boolean } | undefined = undefined

  /** Whether a connection begins with this record. */
  isBefore({ command, side }: SidedRecord): boolean {
    return this.#hasSaid === undefined || (command === "version" && this.#hasSaid[side])
  }

  /** Goes on behind it. */
  take(record: SidedRecord): void {
    const before = this.isBefore(record) ? { received: false, sent: false } : this.#hasSaid
    this.#hasSaid = {
      received: false,
      sent: false,
      ...before,
      ...(record.command === "version" && { [record.side]: true })
    }
  }
}
