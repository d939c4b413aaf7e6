/** What can be wrong with a file of headers that somebody brings or takes away. Each is one sentence that names it and says what to do. */
import type { RunFault } from "@satwire/header-sync"
import type { FileError } from "@satwire/store"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/** Why a file could not be read, or not to its end. */
export type ImportFault = HeaderFileUnreadable | HeaderFileEmpty | HeaderFileForeign | HeaderFileBroken | HeaderFileTorn

/** Why a file could not be written. Then there is nothing of it under its name. */
export type ExportFault = HeaderFileExists | HeaderFileUnwritable

/** The class that such an error extends: its fields and its sentence in, the tagged error out. */
type Base<Tag, Fields> = new (fields: Fields & { readonly message: string }) => Cause.YieldableError & Tag & Fields

/** How far an import came. */
interface Reached {
  readonly path: string
  /** The height at which it stopped: so many headers from genesis on were valid, and all of them are kept. */
  readonly height: number
}

interface UnreadableFields extends Reached {
  /** The system's code, such as `ENOENT`. */
  readonly code: string
}
const HeaderFileUnreadableBase: Base<{ readonly _tag: "HeaderFileUnreadable" }, UnreadableFields> =
  Data.TaggedError("HeaderFileUnreadable")

/** The file is not there, may not be read, or the disk under it failed. */
export class HeaderFileUnreadable extends HeaderFileUnreadableBase {
  constructor(fields: UnreadableFields) {
    const why =
      fields.code === "ENOENT"
        ? "does not exist: look at the name"
        : fields.height === 0
          ? `cannot be read (${fields.code}): ${READING[fields.code] ?? "look at the disk that it is on"}`
          : `cannot be read from height ${fields.height} on (${fields.code}): ${keptBefore(fields.height)}; look at the disk that it is on`
    super({ ...fields, message: `${fields.path} ${why}.` })
  }
}

const READING: Readonly<Record<string, string>> = {
  EACCES: "give this user the right to",
  EISDIR: "it is a directory, name the file",
  ESPIPE: "it must be a file, and no pipe"
}

interface EmptyFields {
  readonly path: string
}
const HeaderFileEmptyBase: Base<{ readonly _tag: "HeaderFileEmpty" }, EmptyFields> = Data.TaggedError("HeaderFileEmpty")

/** There is nothing in the file. */
export class HeaderFileEmpty extends HeaderFileEmptyBase {
  constructor(fields: EmptyFields) {
    super({ ...fields, message: `${fields.path} is empty: take a file that begins with the header of genesis.` })
  }
}

interface ForeignFields {
  readonly path: string
  /** The network whose headers were to be read. */
  readonly expected: string
  /** The network whose genesis it begins with, where that is one that we know. */
  readonly found: string | undefined
}
const HeaderFileForeignBase: Base<{ readonly _tag: "HeaderFileForeign" }, ForeignFields> =
  Data.TaggedError("HeaderFileForeign")

/** The file does not begin with the network's genesis: it is of another network, of no network, or begins further up. */
export class HeaderFileForeign extends HeaderFileForeignBase {
  constructor(fields: ForeignFields) {
    const { expected, found, path } = fields
    const what =
      found === undefined
        ? `does not begin with the genesis header of ${expected} (height 0): take a file of raw headers of 80 bytes, one after another, from genesis on`
        : `begins with the genesis header of ${found}, not of ${expected} (height 0): choose that network, or take another file`
    super({ ...fields, message: `${path} ${what}.` })
  }
}

interface BrokenFields extends Reached {
  /** The rule that the header at this height breaks, as Bitcoin Core names it. */
  readonly rule: RunFault
  /** The header is eighty zeros. */
  readonly isHole: boolean
}
const HeaderFileBrokenBase: Base<{ readonly _tag: "HeaderFileBroken" }, BrokenFields> =
  Data.TaggedError("HeaderFileBroken")

/** A header of the file breaks a rule, or is no child of the one before it. */
export class HeaderFileBroken extends HeaderFileBrokenBase {
  constructor(fields: BrokenFields) {
    const { height, isHole, path, rule } = fields
    const what = isHole
      ? `has a hole at height ${height}, where nothing but zeros stands (${rule})`
      : `breaks the rule ${rule} at height ${height}`
    const advice = isHole ? "take a file without holes" : (ADVICE[rule] ?? "take another file")
    super({ ...fields, message: `${path} ${what}: ${keptBefore(height)}; ${advice}.` })
  }
}

const ADVICE: { readonly [Rule in RunFault]?: string } = {
  "non-continuous": "take a file of one chain, in order and without forks",
  "time-too-new": "look whether the clock of this machine is right"
}

interface TornFields extends Reached {
  /** How many bytes of that height's header are there, of 80. */
  readonly bytes: number
}
const HeaderFileTornBase: Base<{ readonly _tag: "HeaderFileTorn" }, TornFields> = Data.TaggedError("HeaderFileTorn")

/** The file ends in the middle of a header. */
export class HeaderFileTorn extends HeaderFileTornBase {
  constructor(fields: TornFields) {
    const { bytes, height, path } = fields
    const what = `ends in the middle of the header at height ${height} (${bytes} of 80 bytes)`
    super({ ...fields, message: `${path} ${what}: ${keptBefore(height)}; take the whole file, or go on without.` })
  }
}

const keptBefore = (height: number): string =>
  height === 1 ? "the header before it is kept" : `the ${height} headers before it are kept`

interface ExistsFields {
  readonly path: string
}
const HeaderFileExistsBase: Base<{ readonly _tag: "HeaderFileExists" }, ExistsFields> =
  Data.TaggedError("HeaderFileExists")

/** There is something under the name, which was not to be overwritten. */
export class HeaderFileExists extends HeaderFileExistsBase {
  constructor(fields: ExistsFields) {
    super({ ...fields, message: `${fields.path} is there already: take another name, or have it overwritten.` })
  }
}

interface UnwritableFields {
  readonly path: string
  /** The system's code, such as `ENOSPC`. */
  readonly code: string
}
const HeaderFileUnwritableBase: Base<{ readonly _tag: "HeaderFileUnwritable" }, UnwritableFields> =
  Data.TaggedError("HeaderFileUnwritable")

/** The file could not be written, or not take its name. */
export class HeaderFileUnwritable extends HeaderFileUnwritableBase {
  constructor(fields: UnwritableFields) {
    const advice = WRITING[fields.code] ?? "look at the disk that it is on"
    super({ ...fields, message: `${fields.path} cannot be written (${fields.code}): ${advice}.` })
  }
}

const WRITING: Readonly<Record<string, string>> = {
  EACCES: "give this user the right to, or take another place",
  EPERM: "give this user the right to, or take another place",
  EROFS: "take a place that can be written",
  ENOENT: "make the directory first",
  ENOTDIR: "make the directory first",
  EISDIR: "it is a directory, name a file",
  ENOSPC: "the disk is full, make room",
  EDQUOT: "the disk is full, make room",
  EFBIG: "files may not grow so long here, take another place"
}

/** What a failed operation means for who exports into `path`. */
export const unwritable =
  (path: string) =>
  ({ code }: FileError): HeaderFileUnwritable =>
    new HeaderFileUnwritable({ path, code })
