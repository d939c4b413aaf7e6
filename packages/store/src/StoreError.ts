/**
 * What can be wrong with a data directory. Each is one sentence that names the path and says what to do about it.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type { FileError } from "./Files.ts"

export type StoreError = DirectoryLocked | DirectoryNotWritable | DiskFull | IoFailed

/** The class that such an error extends: its fields and its sentence in, the tagged error out. */
type Base<Tag, Fields> = new (fields: Fields & { readonly message: string }) => Cause.YieldableError & Tag & Fields

interface LockedFields {
  readonly path: string
  /** The process that holds it, where it said so. */
  readonly pid: number | undefined
}
const DirectoryLockedBase: Base<{ readonly _tag: "DirectoryLocked" }, LockedFields> =
  Data.TaggedError("DirectoryLocked")

/** Another process works in the directory. */
export class DirectoryLocked extends DirectoryLockedBase {
  constructor(fields: LockedFields) {
    const who = fields.pid === undefined ? "another process" : `process ${fields.pid}`
    super({
      ...fields,
      message: `${fields.path} is in use by ${who}: stop that one, or choose another data directory.`
    })
  }
}

interface NotWritableFields {
  readonly path: string
  readonly code: string
}
const DirectoryNotWritableBase: Base<{ readonly _tag: "DirectoryNotWritable" }, NotWritableFields> =
  Data.TaggedError("DirectoryNotWritable")

/** This user may not write there, or nobody can. */
export class DirectoryNotWritable extends DirectoryNotWritableBase {
  constructor(fields: NotWritableFields) {
    const advice = "give this user the right to, or choose another data directory"
    super({ ...fields, message: `${fields.path} cannot be written (${fields.code}): ${advice}.` })
  }
}

interface DiskFullFields {
  readonly path: string
  readonly code: string
}
const DiskFullBase: Base<{ readonly _tag: "DiskFull" }, DiskFullFields> = Data.TaggedError("DiskFull")

/** No room: the disk, the quota or the limit on a file's size. Nothing that was stored is lost, and storing may be tried again. */
export class DiskFull extends DiskFullBase {
  constructor(fields: DiskFullFields) {
    super({ ...fields, message: `${fields.path} cannot grow, the disk is full (${fields.code}): make room and go on.` })
  }
}

interface IoFailedFields {
  readonly path: string
  readonly operation: string
  readonly code: string
}
const IoFailedBase: Base<{ readonly _tag: "IoFailed" }, IoFailedFields> = Data.TaggedError("IoFailed")

/** The disk failed. */
export class IoFailed extends IoFailedBase {
  constructor(fields: IoFailedFields) {
    const { path, operation, code } = fields
    super({ ...fields, message: `${path}: ${operation} failed (${code}): look at the disk before going on.` })
  }
}

interface DamagedFields {
  readonly path: string
  /** What does not fit. */
  readonly what: string
  /** The byte at which it begins. */
  readonly at: number
  /** Where the whole damaged file lies now. */
  readonly setAsideAs: string
  /** Whether the file is of use as a whole only, so that nothing before the damage was kept either. */
  readonly isIndivisible?: boolean
}
const DamagedFileBase: Base<{ readonly _tag: "DamagedFile" }, DamagedFields> = Data.TaggedError("DamagedFile")

/** A file of ours that is not as we wrote it. A report, not a failure: what came before the damage was kept, where that is of use. */
export class DamagedFile extends DamagedFileBase {
  constructor(fields: DamagedFields) {
    const kept =
      fields.at === 0 || fields.isIndivisible === true ? "nothing of it could be kept" : "what came before was kept"
    super({
      ...fields,
      message: `${fields.path} is damaged at byte ${fields.at} (${fields.what}): ${kept}, and all of it lies in ${fields.setAsideAs}.`
    })
  }
}

interface ForeignFields {
  readonly path: string
  /** What shows that it is not ours. */
  readonly what: string
  readonly setAsideAs: string
}
const ForeignFileBase: Base<{ readonly _tag: "ForeignFile" }, ForeignFields> = Data.TaggedError("ForeignFile")

/** A file that is not ours to read: another program's, another network's, a newer version's. A report, not a failure. */
export class ForeignFile extends ForeignFileBase {
  constructor(fields: ForeignFields) {
    super({ ...fields, message: `${fields.path} ${fields.what}: it was set aside untouched as ${fields.setAsideAs}.` })
  }
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"])
/** What a directory cannot be made for: a file of its name, or a file system that holds no directories of ours. */
const MISPLACED = new Set(["EEXIST", "ENOENT"])
const FORBIDDEN = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR"])

/** What a failed file operation means to who owns the data directory. */
export const storeErrorOf = ({ code, operation, path }: FileError): DirectoryNotWritable | DiskFull | IoFailed =>
  FULL.has(code)
    ? new DiskFull({ path, code })
    : FORBIDDEN.has(code) || (operation === "makeDirectory" && MISPLACED.has(code))
      ? new DirectoryNotWritable({ path, code })
      : new IoFailed({ path, operation, code })
