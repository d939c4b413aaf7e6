/** All that is known of one peer. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { CommandCount, PeerDetail } from "../Told.ts"
import { ago, bytes, count, duration, ms } from "./Format.ts"
import { ask, whileSeen } from "./Live.ts"
import { Table } from "./Parts.ts"

const EVERY_MS = 1000

export const PeerPanel = (props: { readonly id: number; readonly onClose: () => void }): ComponentChildren => {
  const [peer, setPeer] = useState<PeerDetail | "gone" | undefined>(undefined)
  const close = useRef<HTMLButtonElement>(null)
  useEffect(() => close.current?.focus(), [])
  useEffect(
    () =>
      whileSeen(EVERY_MS, async (signal) => {
        const answer = await ask<PeerDetail>(`peers/${props.id}`, signal).catch(() => null)
        if (answer !== null && !signal.aborted) setPeer(answer ?? "gone")
      }),
    [props.id]
  )
  return h(
    "aside",
    { class: "detail", "aria-label": `Peer ${props.id}` },
    h("button", { class: "close", type: "button", ref: close, onClick: props.onClose, "aria-label": "Close" }, "×"),
    h("h2", null, `Peer ${props.id}`),
    peer === undefined ? null : peer === "gone" ? h("p", { class: "quiet" }, "It is gone.") : h(Known, { peer })
  )
}

const heightText = (height: number): string => (height < 0 ? "–" : count(height))

/** Names and values, in the order in which one asks for them. */
const facts = (peer: PeerDetail): ReadonlyArray<readonly [string, ComponentChildren]> => {
  const { addresses, transactions } = peer
  return [
    ["Address", peer.address],
    ["Our end", peer.socket || "–"],
    ["Sees us at", peer.seenAs || "–"],
    ["Kind", `${peer.kind}, ${peer.direction}`],
    ["State", peer.state],
    ["Transport", peer.transport],
    ["Session id", h("code", null, peer.sessionId || "–")],
    ["Says it is", peer.userAgent || "–"],
    ["Protocol", peer.protocolVersion === null ? "–" : String(peer.protocolVersion)],
    ["Services", peer.services.join(", ") || "none"],
    ["Agreed on", peer.agreed.join(", ") || "nothing"],
    ["Permissions", peer.permissions.join(", ") || "none"],
    ["AS", peer.mappedAs === 0 ? "–" : `AS${peer.mappedAs}`],
    ["Connected for", duration(peer.forMs / 1000)],
    [
      "Ping",
      `${ms(peer.pingMs)}, least ${ms(peer.minPingMs)}${peer.pingWaitsMs === null ? "" : `, waits ${ms(peer.pingWaitsMs)}`}`
    ],
    ["Clock", peer.timeOffsetSeconds === null ? "–" : `${peer.timeOffsetSeconds} s ahead of ours`],
    ["Last received", ago(peer.lastReceivedMs)],
    ["Last sent", ago(peer.lastSentMs)],
    ["Last block", ago(peer.lastBlockMs)],
    ["Last transaction", ago(peer.lastTransactionMs)],
    [
      "Height",
      `said ${heightText(peer.startHeight ?? -1)}, headers ${heightText(peer.height)}, blocks ${heightText(peer.blocksHeight)}`
    ],
    ["Presynced", heightText(peer.presyncedHeight)],
    ["Asked for blocks", peer.inFlight.map(count).join(", ") || "none"],
    [
      "Blocks in short",
      `${peer.isHighBandwidthTo ? "it sends at once" : "it tells first"}; ${peer.isHighBandwidthFrom ? "we send at once" : "we tell first"}`
    ],
    [
      "Addresses",
      addresses === null ? "–" : `${count(addresses.processed)} taken in, ${count(addresses.rateLimited)} too many`
    ],
    [
      "Transactions",
      transactions === null
        ? "–"
        : `${transactions.isTold ? "told" : "not told"}, from ${count(transactions.minFeeRateSatPerKvb)} sat/kvB; ${count(transactions.toAnnounce)} to announce, ${count(transactions.inFlight)} asked for`
    ],
    ["Waiting", bytes(peer.receivedBytesWaiting)]
  ]
}

const Known = ({ peer }: { readonly peer: PeerDetail }): ComponentChildren =>
  h(
    "div",
    null,
    h(
      "dl",
      { class: "facts" },
      facts(peer).flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)])
    ),
    h("h3", null, `Received ${bytes(peer.bytesReceived)}`),
    h(Commands, { label: "Received by command", rows: peer.received }),
    h("h3", null, `Sent ${bytes(peer.bytesSent)}`),
    h(Commands, { label: "Sent by command", rows: peer.sent })
  )

export const Commands = (props: {
  readonly label: string
  readonly rows: ReadonlyArray<CommandCount>
}): ComponentChildren =>
  h(Table<CommandCount>, {
    label: props.label,
    empty: "Nothing.",
    rows: props.rows,
    columns: [
      { name: "Command", show: ([command]) => command },
      { name: "Messages", show: ([, messages]) => count(messages), isNumber: true },
      { name: "Bytes", show: ([, , size]) => bytes(size), isNumber: true }
    ]
  })
