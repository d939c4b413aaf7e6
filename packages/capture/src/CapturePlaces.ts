/** Where a capture lies: a folder for each address, with a file for either side. */
import { basename, dirname, join } from "node:path"

/** The folder of all, in the data directory of a network. */
export const CAPTURE_FOLDER = "message_capture"
export const RECEIVED_FILE = "msgs_recv.dat"
export const SENT_FILE = "msgs_sent.dat"

export type Side = "received" | "sent"

const FILE_OF: { readonly [S in Side]: string } = { received: RECEIVED_FILE, sent: SENT_FILE }

/**
 * The folder of an address: as Core names it, with `_` for `:`. Whatever else is no letter, digit, dot, hyphen, bracket or percent sign
 * becomes one too, as no name that somebody gave us leads out of the folder.
 */
export const folderOf = (address: string): string => address.replaceAll(/[^A-Za-z0-9.\-[\]%]/g, "_")

/** The file of one side of an address. */
export const fileOf = (root: string, address: string, side: Side): string =>
  join(root, folderOf(address), FILE_OF[side])

/** The address that a folder is of. Of an IPv6 address all, of another the last `_` was a `:`. */
export const addressOf = (folder: string): string =>
  folder.startsWith("[") ? folder.replaceAll("_", ":") : folder.replace(/_(\d{1,5})$/, ":$1")

/** One peer's files. */
export interface PeerFiles {
  readonly address: string
  readonly received: string | undefined
  readonly sent: string | undefined
}

/** The peer that a single file belongs to, by its folder. */
export const peerOfFile = (path: string): PeerFiles => {
  const address = addressOf(basename(dirname(path)))
  const isSent = basename(path) === SENT_FILE
  return { address, received: isSent ? undefined : path, sent: isSent ? path : undefined }
}

/** The peer of a folder with these files; `undefined` where it is no peer's. */
export const peerOfFolder = (path: string, names: ReadonlyArray<string>): PeerFiles | undefined => {
  const there = (name: string): string | undefined => (names.includes(name) ? join(path, name) : undefined)
  const received = there(RECEIVED_FILE)
  const sent = there(SENT_FILE)
  return received === undefined && sent === undefined
    ? undefined
    : { address: addressOf(basename(path)), received, sent }
}
