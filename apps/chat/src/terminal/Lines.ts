/** What happens, as lines of a terminal. All that peers wrote has been made plain before it comes here. */
import type { LabelledMember } from "../chat/Chat.ts"
import type { ChatEvent } from "../chat/ChatRooms.ts"
import type { PersonChanged } from "../chat/Room.ts"

const SHOWN_KEY = 16

/** `21:40`, by this machine's clock and zone. */
const timeOf = (atMs: number): string => new Date(atMs).toTimeString().slice(0, "hh:mm".length)

/** The line of an event; `nowMs` is when it happened where it does not say so itself. */
export const lineOf = (event: ChatEvent, nowMs: number): string => {
  switch (event._tag) {
    case "Said": {
      const { at, from, room, text } = event.text
      return `${timeOf(at)} #${room} ${from}: ${text}`
    }
    case "Person":
      return `${timeOf(nowMs)} #${event.room} * ${event.label} ${whatOf(event.changed)}`
    case "Joined":
      return `${timeOf(nowMs)} #${event.room} * you are here`
    case "Left":
      return `${timeOf(nowMs)} #${event.room} * you have left`
  }
}

/** What has become of somebody, for behind his name. */
export const whatOf = ({ before, change }: PersonChanged): string => {
  switch (change) {
    case "came":
      return "is here"
    case "back":
      return "is back"
    case "away":
      return "is away"
    case "left":
      return "has left"
    case "renamed":
      return `was ${before ?? "nobody"}`
  }
}

export const memberLine = ({ key, label, state }: LabelledMember, self: string): string =>
  `  ${label}${key === self ? " (you)" : ""}${state === "away" ? ", away" : ""}  ${key.slice(0, SHOWN_KEY)}…`
