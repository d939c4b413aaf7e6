/** How the node is, on one screen. */
import { type ComponentChildren, h } from "preact"
import type { Sample, State } from "../Told.ts"
import { Bandwidth } from "./Bandwidth.ts"
import { bytes, count, duration, ms, percent } from "./Format.ts"
import { Figure, Figures, Panel, Table } from "./Parts.ts"
import { LAST_BLOCKS_COLUMNS } from "./Chain.ts"

const FEW_BLOCKS = 6

export const Overview = (props: {
  readonly state: State
  readonly samples: ReadonlyArray<Sample>
}): ComponentChildren => {
  const { samples, state } = props
  return h(
    "div",
    { class: "grid" },
    h(Now, props),
    h(Bandwidth, { samples }),
    h(
      Panel,
      { title: "Last blocks", wide: true },
      h(Table<State["lastBlocks"][number]>, {
        label: "Last blocks",
        columns: LAST_BLOCKS_COLUMNS,
        rows: state.lastBlocks.slice(0, FEW_BLOCKS),
        empty: "No block has come since the node was started."
      })
    ),
    h(OwnNode, { state })
  )
}

const Now = ({
  samples,
  state
}: {
  readonly state: State
  readonly samples: ReadonlyArray<Sample>
}): ComponentChildren => {
  const last = samples.at(-1)
  const { blocks, headers, peers, pool } = state
  const inbound = peers.filter(({ direction }) => direction === "inbound").length
  return h(
    Panel,
    { title: "Now" },
    h(
      Figures,
      null,
      h(Figure, {
        name: "Peers",
        value: count(state.peerCount),
        more: `${count(inbound)} in, ${count(peers.length - inbound)} out`
      }),
      h(Figure, { name: "Headers", value: headers === null ? "–" : count(headers.height) }),
      h(Figure, {
        name: "Blocks",
        value: blocks === null ? "–" : count(blocks.height),
        ...(blocks === null ? {} : { more: `${count(blocks.kept)} kept` })
      }),
      h(Figure, {
        name: "Pool",
        value: pool === null ? "–" : count(pool.count),
        ...(pool === null ? {} : { more: bytes(pool.memoryBytes) })
      }),
      h(Figure, {
        name: "Ping",
        value: ms(last?.pingMedianMs ?? null),
        more: `99 %: ${ms(last?.pingP99Ms ?? null)}`
      }),
      h(Figure, { name: "Received", value: bytes(state.bytesReceived) }),
      h(Figure, { name: "Sent", value: bytes(state.bytesSent) }),
      h(Figure, {
        name: "Processor",
        value: last === undefined ? "–" : percent(last.cpuMs / last.overMs),
        more: "of a core"
      }),
      h(Figure, { name: "Memory", value: last === undefined ? "–" : bytes(last.residentBytes) })
    )
  )
}

const OwnNode = ({ state }: { readonly state: State }): ComponentChildren => {
  const { own } = state
  return h(
    Panel,
    { title: "This node", wide: true },
    h(
      Figures,
      null,
      h(Figure, { name: "Program", value: `Satwire ${state.version}`, more: own.userAgent }),
      h(Figure, {
        name: "Protocol",
        value: String(own.protocolVersion),
        more: own.services.join(", ") || "offers nothing"
      }),
      h(Figure, { name: "Running for", value: duration(state.uptimeSeconds) }),
      h(Figure, { name: "Found at", value: own.local.join(", ") || "nowhere that it knows of" }),
      h(Figure, { name: "Clock", value: `${own.timeOffsetSeconds} s`, more: "behind the median of peers" }),
      h(Figure, { name: "Network", value: own.isNetworkActive ? "on" : "switched off" })
    )
  )
}
