/**
 * A line that a SAM bridge says: two words and pairs. `NAMING REPLY RESULT=OK NAME=x.i2p VALUE=…`, where a value with spaces stands in quotes.
 *
 * Source: I2P "SAM V3".
 */

export interface SamReply {
  /** The two words. */
  readonly what: string
  readonly pairs: ReadonlyMap<string, string>
  /** What stands for `RESULT`; empty where the line has none. */
  readonly result: string
}

const PAIR = /([A-Za-z0-9_]+)(?:=(?:"((?:[^"\\]|\\.)*)"|(\S*)))?/y

/** The reply on a line; `undefined` where it is none. */
export const parseReply = (line: string): SamReply | undefined => {
  const words = /^([A-Z]+) ([A-Z]+)(?: |$)/.exec(line)
  if (words === null) return undefined
  const pairs = new Map<string, string>()
  let at = words[0].length
  while (at < line.length) {
    if (line[at] === " ") {
      at += 1
      continue
    }
    PAIR.lastIndex = at
    const pair = PAIR.exec(line)
    if (pair === null) return undefined
    pairs.set(pair[1] as string, pair[2]?.replaceAll(/\\(.)/g, "$1") ?? pair[3] ?? "")
    at = PAIR.lastIndex
  }
  return { what: `${words[1]} ${words[2]}`, pairs, result: pairs.get("RESULT") ?? "" }
}
