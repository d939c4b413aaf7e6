/** Everybody who is connected, in an order that one chooses; one of them in detail. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { PeerRow, State } from "../Told.ts"
import { bytes, count, duration, ms } from "./Format.ts"
import { Panel } from "./Parts.ts"
import { PeerPanel } from "./PeerPanel.ts"

interface PeerColumn {
  readonly name: string
  readonly show: (peer: PeerRow) => string
  readonly order: (peer: PeerRow) => number | string
  readonly isNumber?: boolean
  readonly isExtra?: boolean
}

const COLUMNS: ReadonlyArray<PeerColumn> = [
  { name: "Id", show: ({ id }) => String(id), order: ({ id }) => id, isNumber: true },
  { name: "Address", show: ({ address }) => address, order: ({ address }) => address },
  { name: "Kind", show: ({ kind }) => kind, order: ({ kind }) => kind, isExtra: true },
  { name: "Transport", show: ({ transport }) => transport, order: ({ transport }) => transport, isExtra: true },
  { name: "State", show: ({ state }) => state, order: ({ state }) => state, isExtra: true },
  { name: "Says it is", show: ({ userAgent }) => userAgent, order: ({ userAgent }) => userAgent, isExtra: true },
  {
    name: "Height",
    show: ({ height }) => (height < 0 ? "–" : count(height)),
    order: ({ height }) => height,
    isNumber: true
  },
  { name: "Ping", show: ({ pingMs }) => ms(pingMs), order: ({ pingMs }) => pingMs ?? Infinity, isNumber: true },
  {
    name: "Received",
    show: (peer) => bytes(peer.bytesReceived),
    order: (peer) => peer.bytesReceived,
    isNumber: true,
    isExtra: true
  },
  {
    name: "Sent",
    show: (peer) => bytes(peer.bytesSent),
    order: (peer) => peer.bytesSent,
    isNumber: true,
    isExtra: true
  },
  { name: "For", show: ({ forMs }) => duration(forMs / 1000), order: ({ forMs }) => forMs, isNumber: true }
]

const inOrder = (peers: ReadonlyArray<PeerRow>, column: PeerColumn, isDown: boolean): ReadonlyArray<PeerRow> =>
  peers.toSorted((a, b) => {
    const [x, y] = [column.order(a), column.order(b)]
    const order = x < y ? -1 : x > y ? 1 : a.id - b.id
    return isDown ? -order : order
  })

const matches = (peer: PeerRow, text: string): boolean =>
  COLUMNS.some(({ show }) => show(peer).toLowerCase().includes(text)) || peer.network.includes(text)

const cell = ({ isExtra, isNumber }: PeerColumn): string =>
  `${isNumber === true ? "number" : ""} ${isExtra === true ? "extra" : ""}`.trim()

const focusOn = (id: number): void => document.querySelector<HTMLElement>(`#peer-${id}`)?.focus()

export const Peers = ({ state }: { readonly state: State }): ComponentChildren => {
  const [sorted, setSorted] = useState({ column: 0, isDown: false })
  const [text, setText] = useState("")
  const [open, setOpen] = useState<number | undefined>(undefined)
  const column = COLUMNS[sorted.column] as PeerColumn
  const peers = inOrder(
    state.peers.filter((peer) => matches(peer, text.trim().toLowerCase())),
    column,
    sorted.isDown
  )
  const close = (): void => {
    setOpen(undefined)
    if (open !== undefined) focusOn(open)
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && open !== undefined) close()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [open])
  const hidden = state.peerCount - state.peers.length
  return h(
    "div",
    { class: open === undefined ? "beside" : "beside open" },
    h(
      Panel,
      {
        title: "Peers",
        note: `${count(peers.length)} of ${count(state.peerCount)}${hidden > 0 ? `; ${count(hidden)} more are not listed` : ""}`
      },
      h("input", {
        "data-filter": "",
        type: "search",
        placeholder: "Filter: address, kind, program…",
        "aria-label": "Filter peers",
        value: text,
        onInput: (event: Event) => setText((event.target as HTMLInputElement).value)
      }),
      h(PeerTable, { peers, sorted, open, onSort: setSorted, onOpen: setOpen }),
      peers.length === 0 ? h("p", { class: "quiet" }, "Nobody.") : null
    ),
    open === undefined ? null : h(PeerPanel, { key: open, id: open, onClose: close })
  )
}

interface Sorted {
  readonly column: number
  readonly isDown: boolean
}

const PeerTable = (props: {
  readonly peers: ReadonlyArray<PeerRow>
  readonly sorted: Sorted
  readonly open: number | undefined
  readonly onSort: (sorted: Sorted) => void
  readonly onOpen: (id: number) => void
}): ComponentChildren => {
  const { onOpen, onSort, open, peers, sorted } = props
  const onRowKey = (event: KeyboardEvent, i: number): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    const peer = peers[i + step]
    if (peer === undefined) return
    if (event.key === "Enter") onOpen(peer.id)
    else if (step !== 0) {
      event.preventDefault()
      focusOn(peer.id)
    }
  }
  const heading = (each: PeerColumn, i: number): ComponentChildren => {
    const isOwn = sorted.column === i
    const direction = sorted.isDown ? "descending" : "ascending"
    return h(
      "th",
      { scope: "col", class: cell(each), "aria-sort": isOwn ? direction : "none" },
      h(
        "button",
        { type: "button", onClick: () => onSort({ column: i, isDown: isOwn && !sorted.isDown }) },
        each.name,
        h("span", { "aria-hidden": true }, isOwn ? (sorted.isDown ? " ↓" : " ↑") : "")
      )
    )
  }
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      { class: "peers", "aria-label": "Peers" },
      h("thead", null, h("tr", null, COLUMNS.map(heading))),
      h(
        "tbody",
        null,
        peers.map((peer, i) =>
          h(
            "tr",
            {
              key: peer.id,
              id: `peer-${peer.id}`,
              tabIndex: 0,
              "aria-selected": peer.id === open,
              onClick: () => onOpen(peer.id),
              onKeyDown: (event: KeyboardEvent) => onRowKey(event, i)
            },
            COLUMNS.map((each) => h("td", { class: cell(each) }, each.show(peer)))
          )
        )
      )
    )
  )
}
