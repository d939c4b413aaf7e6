/** The chain: its ends, the blocks that came last and how, what was taken back, what waits. */
import { type ComponentChildren, h } from "preact"
import type { BlockNote, State, TipRow } from "../Told.ts"
import { bytes, clock, count, duration, ms, shortHash } from "./Format.ts"
import { Forks } from "./Forks.ts"
import { type Column, Figure, Figures, Panel, Table } from "./Parts.ts"

const compactText = ({ compact }: BlockNote): string => {
  if (compact === null) return "whole"
  const { fromPool, roundTrips, tookMs, transactions } = compact
  return `in short: ${count(fromPool)} of ${count(transactions)} were here, ${roundTrips} round trips, ${ms(tookMs)}`
}

export const LAST_BLOCKS_COLUMNS: ReadonlyArray<Column<BlockNote>> = [
  { name: "Height", show: ({ height }) => count(height), isNumber: true },
  { name: "Hash", show: ({ hash }) => h("code", { title: hash }, shortHash(hash)) },
  { name: "Came", show: ({ unixMs }) => clock(unixMs) },
  { name: "Age then", show: ({ time, unixMs }) => duration(unixMs / 1000 - time), isNumber: true, isExtra: true },
  { name: "From", show: ({ from }) => (from === null ? "here" : `peer ${from}`), isExtra: true },
  { name: "How", show: compactText, isExtra: true }
]

const REORGANISATION_COLUMNS: ReadonlyArray<Column<BlockNote>> = [
  { name: "Came", show: ({ unixMs }) => clock(unixMs) },
  {
    name: "To",
    show: ({ hash, height }) => h("span", null, count(height), " ", h("code", { title: hash }, shortHash(hash)))
  },
  { name: "Taken back", show: ({ removed }) => count(removed), isNumber: true },
  { name: "Added", show: ({ added }) => count(added), isNumber: true }
]

const TIP_COLUMNS: ReadonlyArray<Column<TipRow>> = [
  { name: "Height", show: ({ height }) => count(height), isNumber: true },
  { name: "Hash", show: ({ hash }) => h("code", { title: hash }, shortHash(hash)) },
  { name: "Off the best", show: ({ branchLength }) => count(branchLength), isNumber: true },
  { name: "Status", show: ({ status }) => status }
]

export const Chain = ({ state }: { readonly state: State }): ComponentChildren =>
  h(
    "div",
    { class: "grid" },
    h(
      Panel,
      {
        title: "Tips and forks",
        wide: true,
        note: `${count(state.tipCount)} ${state.tipCount === 1 ? "end" : "ends"}`
      },
      h(Forks, { tips: state.tips }),
      state.tips.length > 1
        ? h(Table<TipRow>, { label: "Tips", columns: TIP_COLUMNS, rows: state.tips, empty: "" })
        : null
    ),
    h(
      Panel,
      { title: "Last blocks", wide: true },
      h(Table<BlockNote>, {
        label: "Last blocks",
        columns: LAST_BLOCKS_COLUMNS,
        rows: state.lastBlocks,
        empty: "No block has come since the node was started."
      })
    ),
    h(
      Panel,
      { title: "Reorganisations" },
      h(Table<BlockNote>, {
        label: "Reorganisations",
        columns: REORGANISATION_COLUMNS,
        rows: state.reorganisations,
        empty: "None since the node was started."
      })
    ),
    h(Panel, { title: "What waits" }, h(Waiting, { state }))
  )

const Waiting = ({ state: { blocks, compact, headers, pool } }: { readonly state: State }): ComponentChildren =>
  h(
    Figures,
    null,
    headers === null ? null : h(Figure, { name: "Headers held", value: count(headers.count), more: "of all chains" }),
    blocks === null
      ? null
      : [
          h(Figure, { name: "Blocks asked for", value: count(blocks.inFlight) }),
          h(Figure, { name: "Being checked or kept", value: count(blocks.waiting), more: bytes(blocks.waitingBytes) })
        ],
    compact === null
      ? null
      : h(Figure, {
          name: "Blocks in short",
          value: `${count(compact.partial)} incomplete`,
          more: `at once from ${count(compact.to)}, to ${count(compact.from)} peers`
        }),
    pool === null
      ? null
      : [
          h(Figure, { name: "Transactions", value: count(pool.count), more: bytes(pool.memoryBytes) }),
          h(Figure, { name: "Orphans", value: count(pool.orphans) }),
          h(Figure, { name: "Least fee rate", value: count(pool.minFeeRateSatPerKvb), more: "sat/kvB" })
        ]
  )
