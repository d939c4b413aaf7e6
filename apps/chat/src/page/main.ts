/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page of the chat. All that anybody wrote becomes a text node, and nothing here makes HTML of a string. Arrow keys go from room to room,
 * `/` goes to the line that is written in; what its commands are is the same as in the terminal.
 */
import type { FromPage, RoomState, ToPage } from "../web/PageMessages.ts"
import { parseCommand } from "../terminal/Command.ts"

const MOST_LINES = 500
const AGAIN_MS = 1500

const part = <E extends HTMLElement>(id: string): E => document.querySelector<E>(`#${id}`) as E
const [rooms, texts, members, trouble] = [part("rooms"), part("texts"), part("members"), part("trouble")]
const input = part<HTMLInputElement>("text")
const dialog = part<HTMLDialogElement>("ask")
const answer = part<HTMLInputElement>("answer")

const made = (tag: string, text: string, className = ""): HTMLElement => {
  const element = document.createElement(tag)
  element.textContent = text
  element.className = className
  return element
}

interface OpenRoom {
  readonly lines: Array<HTMLElement>
  readonly ids: Set<string>
  members: RoomState["members"]
  isUnread: boolean
}

const open = new Map<string, OpenRoom>()
let current = ""
let self = ""
let socket: WebSocket | undefined

const send = (message: FromPage): void => socket?.send(JSON.stringify(message))

const isAtEnd = (): boolean => texts.scrollHeight - texts.scrollTop - texts.clientHeight < 40

const add = (name: string, line: HTMLElement): void => {
  const room = open.get(name)
  if (room === undefined) return
  room.lines.push(line)
  if (room.lines.length > MOST_LINES) room.lines.shift()?.remove()
  if (name !== current) {
    room.isUnread = true
    return drawRooms()
  }
  const follows = isAtEnd()
  texts.append(line)
  if (follows) texts.scrollTop = texts.scrollHeight
}

const textLine = ({ at, from, key, text }: RoomState["texts"][number]): HTMLElement => {
  const line = made("li", "", key === self ? "own" : "")
  const time = made("time", new Date(at).toTimeString().slice(0, 5)) as HTMLTimeElement
  time.dateTime = new Date(at).toISOString()
  line.append(time, made("bdi", from, "from"), made("bdi", text, "said"))
  line.dataset["at"] = String(at)
  return line
}

/** A history comes late: what it has goes where it belongs. */
const say = (text: RoomState["texts"][number]): void => {
  const room = open.get(text.room)
  if (room === undefined || room.ids.has(text.id)) return
  room.ids.add(text.id)
  const line = textLine(text)
  const before = room.lines.findIndex((other) => Number(other.dataset["at"] ?? 0) > text.at)
  if (before < 0) return add(text.room, line)
  if (text.room === current) room.lines[before]?.before(line)
  room.lines.splice(before, 0, line)
}

const drawMembers = (): void =>
  members.replaceChildren(
    ...(open.get(current)?.members ?? []).map(({ key, label, state }) => {
      const name = key === self ? `${label} (you)` : label
      const item = made("li", "", state)
      item.append(made("bdi", state === "away" ? `${name}, away` : name))
      item.title = key
      return item
    })
  )

const go = (name: string): void => {
  current = name
  const room = open.get(name)
  if (room !== undefined) room.isUnread = false
  texts.replaceChildren(...(room?.lines ?? []))
  texts.scrollTop = texts.scrollHeight
  drawRooms()
  drawMembers()
}

const drawRooms = (): void => {
  const hadFocus = rooms.contains(document.activeElement)
  rooms.replaceChildren(
    ...[...open].map(([name, { isUnread }]) => {
      const tab = made("button", `#${name}`, isUnread ? "unread" : "")
      tab.setAttribute("role", "tab")
      tab.setAttribute("aria-selected", String(name === current))
      tab.tabIndex = name === current ? 0 : -1
      tab.addEventListener("click", () => go(name))
      return tab
    })
  )
  if (hadFocus) rooms.querySelector<HTMLElement>("[aria-selected=true]")?.focus()
}

const openRoom = ({ members: who, room, texts: said }: RoomState): void => {
  open.set(room, { lines: [], ids: new Set(), members: who, isUnread: false })
  for (const text of said) say(text)
}

const heard = (message: ToPage): void => {
  trouble.textContent = ""
  switch (message._tag) {
    case "Welcome":
      self = message.self
      part("name").textContent = message.name
      open.clear()
      for (const state of message.rooms) openRoom(state)
      return go(open.has(current) ? current : (message.rooms[0]?.room ?? ""))
    case "Room":
      openRoom(message.state)
      return go(message.state.room)
    case "Gone":
      open.delete(message.room)
      return go(message.room === current ? ([...open.keys()].at(-1) ?? "") : current)
    case "Said":
      return say(message.text)
    case "Members": {
      const room = open.get(message.room)
      if (room === undefined) return
      room.members = message.members
      if (message.line !== "") add(message.room, made("li", message.line, "note"))
      return drawMembers()
    }
    case "Named":
      part("name").textContent = message.name
      return
    case "Failed":
      trouble.textContent = message.message
  }
}

const status = (text: string): void => void (part("status").textContent = text)

const connect = (): void => {
  const token = location.hash.slice(1)
  if (token === "") return status("open the address that the terminal shows, all of it")
  socket = new WebSocket(`ws://${location.host}/chat`)
  socket.addEventListener("open", () => {
    send({ _tag: "Hello", token })
    status("connected")
  })
  socket.addEventListener("message", ({ data }) => heard(JSON.parse(String(data)) as ToPage))
  socket.addEventListener("close", ({ code }) => {
    if (code === 1008) return status("not let in: open the address that the terminal shows")
    status("the node is not there")
    return void setTimeout(connect, AGAIN_MS)
  })
}

/** Asks a question; nothing happens where it is not answered. */
const ask = (question: string, then: (text: string) => void): void => {
  part("question").textContent = question
  answer.value = ""
  dialog.returnValue = ""
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue === "ok" && answer.value.trim() !== "") then(answer.value)
      input.focus()
    },
    { once: true }
  )
  dialog.showModal()
  answer.focus()
}

const follow = (line: string): void => {
  const command = parseCommand(line)
  switch (command._tag) {
    case "Say":
      return send({ _tag: "Say", room: current, text: command.text })
    case "Join": {
      const name = command.what.replace(/^#/, "").toLowerCase()
      return open.has(name) ? go(name) : send({ _tag: "Join", room: command.what })
    }
    case "Leave":
      return send({ _tag: "Leave", room: command.what === "" ? current : command.what })
    case "Name":
      return send({ _tag: "Rename", name: command.what })
    case "Nothing":
      return
    default:
      trouble.textContent = "here there are /join, /leave and /name; rooms and people are to be seen"
  }
}

part("say").addEventListener("submit", (event) => {
  event.preventDefault()
  trouble.textContent = ""
  follow(input.value)
  input.value = ""
})
part("join").addEventListener("click", () => ask("Which room?", (room) => follow(`/join ${room}`)))
part("name").addEventListener("click", () => ask("Which name?", (name) => follow(`/name ${name}`)))

rooms.addEventListener("keydown", ({ key }) => {
  const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0
  const names = [...open.keys()]
  const next = names[(names.indexOf(current) + step + names.length) % names.length]
  if (step !== 0 && next !== undefined) go(next)
})
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === input || dialog.open) return
  event.preventDefault()
  input.focus()
})

addEventListener("hashchange", () => (socket === undefined ? connect() : socket.close()))
connect()
input.focus()
