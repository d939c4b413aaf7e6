/** The tracer: messages as they come and go, those that one wants to see, and what is in them. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { MessageDetail, MessageRow, MessagesAnswer, Shown, State } from "../Told.ts"
import { bytes, clock, count } from "./Format.ts"
import { ask, whileSeen } from "./Live.ts"
import { Panel } from "./Parts.ts"

/** Rows on the page; older ones go. */
const ROWS_SHOWN = 500
const EVERY_MS = 500

interface Filter {
  readonly peer: string
  readonly command: string
  readonly side: string
}

interface Trace {
  readonly rows: ReadonlyArray<MessageRow>
  readonly lost: number
}

const EMPTY: Trace = { rows: [], lost: 0 }
const ALL: Filter = { peer: "", command: "", side: "" }

const addressOf = ({ command, peer, side }: Filter, after: number): string => {
  const asked = new URLSearchParams({ after: String(after) })
  if (/^\d+$/.test(peer.trim())) asked.set("peer", peer.trim())
  const commands = command.split(/[\s,]+/).filter((each) => each !== "")
  if (commands.length > 0) asked.set("command", commands.join(","))
  if (side !== "") asked.set("side", side)
  return `messages?${asked.toString()}`
}

/** What comes while it is not paused. */
const useTrace = (filter: Filter, isPaused: boolean): readonly [Trace, () => void] => {
  const [trace, setTrace] = useState(EMPTY)
  const last = useRef(0)
  useEffect(() => {
    // What is kept of before is asked for by the new filter.
    last.current = 0
    setTrace(EMPTY)
  }, [filter.peer, filter.command, filter.side])
  useEffect(() => {
    if (isPaused) return undefined
    return whileSeen(EVERY_MS, async (signal) => {
      const answer = await ask<MessagesAnswer>(addressOf(filter, last.current), signal).catch(() => undefined)
      if (answer === undefined || signal.aborted) return
      last.current = answer.last
      setTrace(({ lost, rows }) => ({
        rows: answer.rows.length === 0 ? rows : [...answer.rows, ...rows].slice(0, ROWS_SHOWN),
        lost: lost + answer.lost
      }))
    })
  }, [filter.peer, filter.command, filter.side, isPaused])
  return [trace, () => setTrace(EMPTY)]
}

export const Messages = ({ state }: { readonly state: State }): ComponentChildren => {
  const [filter, setFilter] = useState(ALL)
  const [isPaused, setPaused] = useState(false)
  const [trace, clear] = useTrace(filter, isPaused)
  const [open, setOpen] = useState<MessageRow | undefined>(undefined)
  const close = (): void => {
    setOpen(undefined)
    if (open !== undefined) document.querySelector<HTMLElement>(`#message-${open.n}`)?.focus()
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") close()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [open])
  const lost = trace.lost === 0 ? "" : `; ${count(trace.lost)} more came too fast to be told`
  return h(
    "div",
    { class: open === undefined ? "beside" : "beside open" },
    h(
      Panel,
      { title: "Messages", note: `${count(trace.rows.length)} shown${lost}${isPaused ? "; paused" : ""}` },
      h(Controls, { state, filter, isPaused, onFilter: setFilter, onPause: setPaused, onClear: clear }),
      h(Rows, { rows: trace.rows, open: open?.n, onOpen: setOpen }),
      trace.rows.length === 0
        ? h("p", { class: "quiet" }, "None yet. Messages are looked on at while this section is open.")
        : null
    ),
    open === undefined ? null : h(MessagePanel, { key: open.n, row: open, onClose: close })
  )
}

const Controls = (props: {
  readonly state: State
  readonly filter: Filter
  readonly isPaused: boolean
  readonly onFilter: (filter: Filter) => void
  readonly onPause: (isPaused: boolean) => void
  readonly onClear: () => void
}): ComponentChildren => {
  const { filter, isPaused, onClear, onFilter, onPause, state } = props
  const commands = [...new Set([...state.received, ...state.sent].map(([command]) => command))].toSorted()
  const field = (name: keyof Filter, label: string, more: object): ComponentChildren =>
    h("input", {
      type: "search",
      placeholder: label,
      "aria-label": label,
      value: filter[name],
      onInput: (event: Event) => onFilter({ ...filter, [name]: (event.target as HTMLInputElement).value }),
      ...more
    })
  return h(
    "div",
    { class: "controls" },
    field("command", "Commands: inv, tx…", { "data-filter": "", list: "commands" }),
    h(
      "datalist",
      { id: "commands" },
      commands.map((command) => h("option", { key: command, value: command }))
    ),
    field("peer", "Peer's id", { inputMode: "numeric" }),
    h(
      "select",
      {
        "aria-label": "Direction",
        value: filter.side,
        onChange: (event: Event) => onFilter({ ...filter, side: (event.target as HTMLSelectElement).value })
      },
      h("option", { value: "" }, "both ways"),
      h("option", { value: "received" }, "received"),
      h("option", { value: "sent" }, "sent")
    ),
    h(
      "button",
      { type: "button", "aria-pressed": isPaused, onClick: () => onPause(!isPaused) },
      isPaused ? "Go on" : "Pause"
    ),
    h("button", { type: "button", onClick: onClear }, "Clear")
  )
}

const Rows = (props: {
  readonly rows: ReadonlyArray<MessageRow>
  readonly open: number | undefined
  readonly onOpen: (row: MessageRow) => void
}): ComponentChildren => {
  const { onOpen, open, rows } = props
  const onRowKey = (event: KeyboardEvent, row: MessageRow): void => {
    if (event.key === "Enter") return onOpen(row)
    const here = event.currentTarget as HTMLElement
    const next =
      event.key === "ArrowDown" ? here.nextElementSibling : event.key === "ArrowUp" ? here.previousElementSibling : null
    if (!(next instanceof HTMLElement)) return
    event.preventDefault()
    next.focus()
  }
  const show = (row: MessageRow): ComponentChildren =>
    h(
      "tr",
      {
        key: row.n,
        id: `message-${row.n}`,
        class: row.side,
        tabIndex: 0,
        "aria-selected": row.n === open,
        onClick: () => onOpen(row),
        onKeyDown: (event: KeyboardEvent) => onRowKey(event, row)
      },
      h("td", null, clock(row.unixMs, true)),
      h("td", null, row.side === "received" ? "↓ received" : "↑ sent"),
      h("td", { class: "command" }, row.command),
      h("td", { class: "number" }, bytes(row.sizeBytes)),
      h("td", { class: "number" }, row.peer),
      h("td", { class: "extra" }, row.address)
    )
  return h(
    "div",
    { class: "scroll tall" },
    h(
      "table",
      { class: "messages", "aria-label": "Messages, the newest first" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Time", "Way", "Command"].map((name) => h("th", { scope: "col" }, name)),
          ["Size", "Peer"].map((name) => h("th", { scope: "col", class: "number" }, name)),
          h("th", { scope: "col", class: "extra" }, "Address")
        )
      ),
      h("tbody", null, rows.map(show))
    )
  )
}

const MessagePanel = ({
  onClose,
  row
}: {
  readonly row: MessageRow
  readonly onClose: () => void
}): ComponentChildren => {
  const [detail, setDetail] = useState<MessageDetail | "gone" | undefined>(undefined)
  const close = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    close.current?.focus()
    ask<MessageDetail>(`messages/${row.n}`).then(
      (found) => setDetail(found ?? "gone"),
      () => setDetail("gone")
    )
  }, [row.n])
  return h(
    "aside",
    { class: "detail", "aria-label": `Message ${row.n}` },
    h("button", { class: "close", type: "button", ref: close, onClick: onClose, "aria-label": "Close" }, "×"),
    h("h2", null, row.command),
    h(
      "p",
      { class: "quiet" },
      `${row.side} at ${clock(row.unixMs, true)}, ${bytes(row.sizeBytes)}, peer ${row.peer} at ${row.address}`
    ),
    detail === undefined
      ? null
      : detail === "gone"
        ? h("p", { class: "quiet" }, "It has made room for newer ones.")
        : h(Decoded, { detail })
  )
}

const Decoded = ({ detail: { decoded, hex, payloadBytes } }: { readonly detail: MessageDetail }): ComponentChildren =>
  h(
    "div",
    null,
    decoded === null
      ? h(
          "p",
          { class: "quiet" },
          payloadBytes === 0 ? "It says nothing that could be decoded." : "It does not decode."
        )
      : h("div", { class: "tree" }, h(Tree, { value: decoded, depth: 0 })),
    hex === ""
      ? null
      : h(
          "details",
          null,
          h(
            "summary",
            null,
            `${count(payloadBytes)} bytes in hexadecimal${payloadBytes * 2 > hex.length ? ", the first of them" : ""}`
          ),
          h("pre", { class: "hex" }, hex)
        )
  )

const OPEN_DEPTH = 2

/** Values by name or by number. */
const isTree = (value: Shown): value is Exclude<Shown, string | number | boolean | null> =>
  typeof value === "object" && value !== null

/** What is deep is closed. */
const Tree = ({ depth, value }: { readonly value: Shown; readonly depth: number }): ComponentChildren => {
  if (!isTree(value)) return h("span", { class: "value" }, String(value))
  const entries = Object.entries(value)
  if (entries.length === 0) return h("span", { class: "quiet" }, "nothing more")
  return h(
    "ul",
    null,
    entries.map(([name, each]) =>
      !isTree(each)
        ? h("li", { key: name }, h("span", { class: "name" }, name), h("span", { class: "value" }, String(each)))
        : h(
            "li",
            { key: name },
            h(
              "details",
              { open: depth < OPEN_DEPTH },
              h("summary", null, h("span", { class: "name" }, name)),
              h(Tree, { value: each, depth: depth + 1 })
            )
          )
    )
  )
}
