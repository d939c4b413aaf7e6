/** What a line that somebody has typed asks for. */

export type Command =
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Join" | "Name"; readonly what: string }
  /** Of the room that is on where `what` is empty. */
  | { readonly _tag: "Leave" | "Who"; readonly what: string }
  | { readonly _tag: "Rooms" | "Help" | "Nothing" }
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Unknown"; readonly what: string }

export const HELP: ReadonlyArray<string> = [
  "/join ROOM     join a room, or go to one that you are in",
  "/leave [ROOM]  leave a room",
  "/rooms         the rooms that you are in",
  "/who [ROOM]    who is there, with the key of each",
  "/name NAME     take another name",
  "/help          this",
  "/quit          leave",
  "anything else is said in the room that you are in; // says a text that begins with /"
]

/** `/JOIN Lobby` and `/join lobby` are the same. */
export const parseCommand = (line: string): Command => {
  const text = line.trim()
  if (text === "") return { _tag: "Nothing" }
  if (!text.startsWith("/")) return { _tag: "Say", text }
  if (text.startsWith("//")) return { _tag: "Say", text: text.slice(1) }
  const [, word = "", what = ""] = /^\/(\S*)\s*(.*)$/su.exec(text) ?? []
  switch (word.toLowerCase()) {
    case "join":
    case "j":
      return { _tag: "Join", what }
    case "leave":
    case "part":
      return { _tag: "Leave", what }
    case "rooms":
      return { _tag: "Rooms" }
    case "who":
      return { _tag: "Who", what }
    case "name":
    case "nick":
      return { _tag: "Name", what }
    case "help":
    case "?":
      return { _tag: "Help" }
    case "quit":
    case "exit":
    case "q":
      return { _tag: "Quit" }
    default:
      return { _tag: "Unknown", what: word }
  }
}
