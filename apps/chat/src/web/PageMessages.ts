/** What the page and its node say to one another, as JSON over a WebSocket. */
import type { LabelledMember } from "../chat/Chat.ts"
import type { ShownText } from "../chat/ChatRooms.ts"

/** From the page. The first one is `Hello`, with what stands behind `#` in the address that the node has printed. */
export type FromPage =
  | { readonly _tag: "Hello"; readonly token: string }
  | { readonly _tag: "Say"; readonly room: string; readonly text: string }
  | { readonly _tag: "Join" | "Leave"; readonly room: string }
  | { readonly _tag: "Rename"; readonly name: string }

/** A room as the page is told of it at first. */
export interface RoomState {
  readonly room: string
  readonly texts: ReadonlyArray<ShownText>
  readonly members: ReadonlyArray<LabelledMember>
}

/** To the page. */
export type ToPage =
  | { readonly _tag: "Welcome"; readonly self: string; readonly name: string; readonly rooms: ReadonlyArray<RoomState> }
  | { readonly _tag: "Room"; readonly state: RoomState }
  | { readonly _tag: "Gone"; readonly room: string }
  | { readonly _tag: "Said"; readonly text: ShownText }
  | {
      readonly _tag: "Members"
      readonly room: string
      readonly members: ReadonlyArray<LabelledMember>
      readonly line: string
    }
  | { readonly _tag: "Named"; readonly name: string }
  | { readonly _tag: "Failed"; readonly message: string }
