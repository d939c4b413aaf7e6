/**
 * What people write and call themselves, as it is safe to show: in a terminal, in a page, in a log.
 *
 * Specification: a text is one line. Control characters, escapes of terminals with them, marks that turn the direction of writing or have no
 * width, line breaks and halves of characters become a space or are shown as U+FFFD; of marks that pile up on one letter four are left. A name
 * has in addition none of the signs by which names are told apart here.
 * Rationale: a peer writes them. `ESC ] 52` would write the clipboard, `ESC [ 2 J` the screen, U+202E would turn what stands beside it, and
 * a line break would be a line that nobody has said.
 */
import * as Result from "effect/Result"

/**
 * @limit bytes of a text of the chat, in UTF-8
 */
export const MAX_TEXT_BYTES = 4096
/**
 * @limit characters of a name in the chat
 */
export const MAX_NAME_LENGTH = 24
/**
 * @limit characters of the name of a room
 */
export const MAX_ROOM_LENGTH = 32

/** Line breaks and tabs, which are spaces between words. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu
/** Controls, and what is seen only in what it does to its neighbours. U+200D joins signs to one, and is kept. */
const UNSEEN =
  /[\p{Cc}\u00ad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
const PILES = /(\p{M}{4})\p{M}+/gu
const NOT_OF_NAMES = /[#@:/*<>[\]()"'`\\|]|\u200d|\ufffd/gu

/** The same text, fit to be shown as one line. */
export const plainText = (text: string): string =>
  text.toWellFormed().replace(BREAKS, " ").replace(UNSEEN, "\ufffd").replace(PILES, "$1")

/** A name as it is shown, or `undefined` where nothing is left of it. */
export const plainName = (name: string): string | undefined => {
  const plain = plainText(name)
    .normalize("NFKC")
    .replace(UNSEEN, "")
    .replace(NOT_OF_NAMES, "")
    .replace(/\s+/gu, " ")
    .trim()
  const short = Array.from(plain).slice(0, MAX_NAME_LENGTH).join("").trim()
  return short === "" ? undefined : short
}

/** What two names must differ in to be two. */
export const foldedName = (name: string): string =>
  name
    .normalize("NFKD")
    .replace(/[\p{M}\s]/gu, "")
    .toLowerCase()

/** What somebody may say, or in words why not. */
export const parseText = (text: string): Result.Result<string, string> => {
  const plain = plainText(text).trim()
  if (plain === "") return Result.fail("there is nothing to say")
  const bytes = utf8Length(plain)
  return bytes > MAX_TEXT_BYTES
    ? Result.fail(`the text has ${bytes} bytes, and may have ${MAX_TEXT_BYTES}`)
    : Result.succeed(plain)
}

/** The name of a room, with or without `#` before it, or in words why it is none. */
export const parseRoom = (text: string): Result.Result<string, string> => {
  const name = text.trim().replace(/^#/, "").toLowerCase()
  return isRoom(name)
    ? Result.succeed(name)
    : Result.fail(`a room is called by 1 to ${MAX_ROOM_LENGTH} of a to z, 0 to 9 and -`)
}

/** Whether a peer may call a room so. */
export const isRoom = (name: string): boolean => name.length <= MAX_ROOM_LENGTH && /^[a-z0-9][a-z0-9-]*$/.test(name)

export const utf8Length = (text: string): number => new TextEncoder().encode(text).length
