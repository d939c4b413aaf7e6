/** The network analyser: what passes, by command and over time; how long it takes; who is known, and who is kept out. */
import { type ComponentChildren, h } from "preact"
import type { Sample, State } from "../Told.ts"
import { Bandwidth } from "./Bandwidth.ts"
import { Chart, type Series } from "./Chart.ts"
import { bytes, count, date, duration, ms, rate } from "./Format.ts"
import { Figure, Figures, Panel, Table } from "./Parts.ts"
import { Commands } from "./PeerPanel.ts"

/** As many commands have a colour of their own; the rest are one. */
const OWN_COLOURS = 7

/** Bytes in a second by command, those with most of all first. */
const byCommand = (samples: ReadonlyArray<Sample>): ReadonlyArray<Series> => {
  const sums = new Map<string, number>()
  for (const { bytes: each } of samples) {
    for (const [command, size] of Object.entries(each)) sums.set(command, (sums.get(command) ?? 0) + size)
  }
  const commands = [...sums].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([command]) => command)
  const perSecond = (sample: Sample, command: string): number => (1000 * (sample.bytes[command] ?? 0)) / sample.overMs
  const own = commands.slice(0, OWN_COLOURS)
  const rest = commands.slice(OWN_COLOURS)
  const series = own.map((label) => ({ label, values: samples.map((sample) => perSecond(sample, label)) }))
  if (rest.length === 0) return series
  const others = samples.map((sample) => rest.reduce((sum, command) => sum + perSecond(sample, command), 0))
  return [...series, { label: "others", values: others }]
}

export const Network = ({
  samples,
  state
}: {
  readonly state: State
  readonly samples: ReadonlyArray<Sample>
}): ComponentChildren =>
  h(
    "div",
    { class: "grid" },
    h(
      Panel,
      { title: "Traffic by command", note: "both ways", wide: true },
      h(Chart, { title: "Traffic by command", samples, format: rate, isStacked: true, series: byCommand(samples) })
    ),
    h(Bandwidth, { samples }),
    h(
      Panel,
      { title: "Latency", note: "the last ping of each peer" },
      h(Chart, {
        title: "Latency",
        samples,
        format: ms,
        series: [
          { label: "median", values: samples.map(({ pingMedianMs }) => pingMedianMs) },
          { label: "99 %", values: samples.map(({ pingP99Ms }) => pingP99Ms) }
        ]
      })
    ),
    h(
      Panel,
      { title: "Peers" },
      h(Chart, {
        title: "Peers",
        samples,
        format: (value) => value.toFixed(0),
        isWhole: true,
        series: [{ label: "peers", values: samples.map(({ peers }) => peers) }]
      })
    ),
    h(Spread, { state }),
    h(Addresses, { state }),
    h(Dials, { state }),
    h(Bans, { state }),
    h(
      Panel,
      { title: "Received", note: bytes(state.bytesReceived) },
      h(Commands, { label: "Received by command", rows: state.received })
    ),
    h(
      Panel,
      { title: "Sent", note: bytes(state.bytesSent) },
      h(Commands, { label: "Sent by command", rows: state.sent })
    )
  )

/** When half of the peers had a block, and when nearly all. */
const reachedAfter = ({ spread }: State["lastBlocks"][number], share: number): string => {
  const step = spread.find(({ of, peers }) => of > 0 && peers >= share * of)
  return step === undefined ? "–" : `within ${Math.ceil(step.afterMs / 1000)} s`
}

const Spread = ({ state }: { readonly state: State }): ComponentChildren =>
  h(
    Panel,
    { title: "Propagation", note: "when peers let us know that they have a block, after we had it" },
    h(Table<State["lastBlocks"][number]>, {
      label: "Propagation",
      rows: state.lastBlocks.slice(0, 10),
      empty: "No block has come since the node was started.",
      columns: [
        { name: "Height", show: ({ height }) => count(height), isNumber: true },
        { name: "Age when it came", show: (note) => duration(note.unixMs / 1000 - note.time), isNumber: true },
        { name: "Half", show: (note) => reachedAfter(note, 0.5), isNumber: true },
        { name: "90 %", show: (note) => reachedAfter(note, 0.9), isNumber: true },
        {
          name: "Have it",
          show: ({ spread }) => {
            const last = spread.at(-1)
            return last === undefined ? "–" : `${count(last.peers)} of ${count(last.of)}`
          },
          isNumber: true
        }
      ]
    })
  )

const Addresses = ({ state: { addresses } }: { readonly state: State }): ComponentChildren =>
  h(
    Panel,
    {
      title: "Addresses",
      note: addresses === null ? undefined : `${count(addresses.new)} new, ${count(addresses.tried)} tried`
    },
    h(Table<NonNullable<State["addresses"]>["networks"][number]>, {
      label: "Addresses by network",
      rows: addresses?.networks ?? [],
      empty: addresses === null ? "This node knows none: it dials whom it is told to." : "None is known yet.",
      columns: [
        { name: "Network", show: ({ network }) => network },
        { name: "New", show: (each) => count(each.new), isNumber: true },
        { name: "Tried", show: (each) => count(each.tried), isNumber: true }
      ]
    })
  )

const Dials = ({ state }: { readonly state: State }): ComponentChildren =>
  h(
    Panel,
    { title: "Dialling, and upload" },
    h(
      Figures,
      null,
      h(Figure, {
        name: "Upload target",
        value: state.upload.leftBytes === null ? "none" : `${bytes(state.upload.leftBytes)} left`,
        ...(state.upload.leftBytes === null
          ? {}
          : { more: `of ${bytes(state.upload.targetBytes)}, for ${duration(state.upload.leftMs / 1000)}` })
      })
    ),
    h(Table<State["dialling"][number]>, {
      label: "Dialling",
      rows: state.dialling,
      empty: "Nobody is being dialled.",
      columns: [
        { name: "Address", show: ({ endpoint }) => endpoint },
        { name: "Kind", show: ({ kind }) => kind }
      ]
    })
  )

const Bans = ({ state }: { readonly state: State }): ComponentChildren =>
  h(
    Panel,
    {
      title: "Bans",
      note: state.banCount > state.bans.length ? `${count(state.bans.length)} of ${count(state.banCount)}` : undefined
    },
    h(Table<State["bans"][number]>, {
      label: "Bans",
      rows: state.bans,
      empty: "Nobody is banned.",
      columns: [
        { name: "Subnet", show: ({ subnet }) => subnet },
        { name: "Until", show: ({ until }) => date(1000 * until) },
        { name: "Refused", show: ({ refused }) => count(refused), isNumber: true }
      ]
    })
  )
