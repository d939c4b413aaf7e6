/** Why a capture cannot be read: one sentence that says which file, where, and what to do. */
import type { FileError } from "@satwire/store"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

type Base<Tag, Fields> = new (
  fields: Fields & { readonly message: string }
) => Cause.YieldableError & Tag & Fields & { readonly message: string }

interface DamagedFields {
  readonly path: string
  /** The byte at which the record begins that is not one. */
  readonly at: number
  readonly what: string
}
const DamagedBase: Base<{ readonly _tag: "CaptureDamaged" }, DamagedFields> = Data.TaggedError("CaptureDamaged")

/** A file is no capture from some byte on. */
export class CaptureDamaged extends DamagedBase {
  constructor(fields: DamagedFields) {
    const { at, path, what } = fields
    const cut =
      at === 0
        ? "it is no capture"
        : `what stands before it is whole: cut it off there (truncate -s ${at}), and try again`
    super({ ...fields, message: `${path} is damaged at byte ${at}: ${what}; ${cut}.` })
  }
}

interface UnreadableFields {
  readonly path: string
  readonly code: string
}
const UnreadableBase: Base<{ readonly _tag: "CaptureUnreadable" }, UnreadableFields> =
  Data.TaggedError("CaptureUnreadable")

/** A file or folder cannot be read. */
export class CaptureUnreadable extends UnreadableBase {
  constructor(fields: UnreadableFields) {
    const { code, path } = fields
    const what = code === "ENOENT" ? "is not there" : `cannot be read (${code})`
    super({ ...fields, message: `${path} ${what}.` })
  }
}

const EmptyBase: Base<{ readonly _tag: "CaptureEmpty" }, { readonly path: string }> = Data.TaggedError("CaptureEmpty")

/** Nothing of a capture is there. */
export class CaptureEmpty extends EmptyBase {
  constructor(path: string) {
    super({
      path,
      message: `No file of a capture lies in ${path}: msgs_recv.dat is looked for, there and one folder below.`
    })
  }
}

export type CaptureFault = CaptureDamaged | CaptureUnreadable | CaptureEmpty

export const unreadable = ({ code, path }: FileError): CaptureUnreadable => new CaptureUnreadable({ path, code })
