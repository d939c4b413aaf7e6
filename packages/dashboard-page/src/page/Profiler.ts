/** Where the node's time and memory go: its turns, what waits for one, the process. */
import { type ComponentChildren, h } from "preact"
import type { Sample, State } from "../Told.ts"
import { Chart } from "./Chart.ts"
import { bytes, count, ms, percent } from "./Format.ts"
import { Figure, Figures, Panel } from "./Parts.ts"

const MINUTE = 60

export const Profiler = ({
  samples,
  state
}: {
  readonly state: State
  readonly samples: ReadonlyArray<Sample>
}): ComponentChildren => {
  const { turns } = state
  const last = samples.at(-1)
  return h(
    "div",
    { class: "grid" },
    h(
      Panel,
      { title: "Turns", note: "one input, fully handled", wide: true },
      h(
        Figures,
        null,
        h(Figure, { name: "So far", value: count(turns.turns) }),
        h(Figure, { name: "Mean", value: ms(turns.turns === 0 ? null : turns.totalMs / turns.turns) }),
        h(Figure, { name: "Longest", value: ms(turns.longestMs) }),
        h(Figure, { name: "Most inputs that waited", value: count(turns.mostWaiting) }),
        h(Figure, { name: "In the last second", value: count(last?.turns ?? 0), more: ms(last?.turnMs ?? 0) })
      )
    ),
    h(
      Panel,
      { title: "How long turns take", note: "all, and the last minute" },
      h(Histogram, { ends: turns.ends, all: turns.steps, recent: recentSteps(samples) })
    ),
    h(
      Panel,
      { title: "Busy", note: "share of a core" },
      h(Chart, {
        title: "Busy",
        samples,
        format: percent,
        series: [
          { label: "process", values: samples.map(({ cpuMs, overMs }) => cpuMs / overMs) },
          { label: "turns", values: samples.map(({ overMs, turnMs }) => turnMs / overMs) }
        ]
      })
    ),
    h(
      Panel,
      { title: "Memory" },
      h(Chart, {
        title: "Memory",
        samples,
        format: bytes,
        series: [
          { label: "process", values: samples.map(({ residentBytes }) => residentBytes) },
          { label: "heap", values: samples.map(({ heapBytes }) => heapBytes) }
        ]
      })
    ),
    h(WaitingBytes, { samples }),
    h(WaitingBlocks, { samples })
  )
}

const recentSteps = (samples: ReadonlyArray<Sample>): ReadonlyArray<number> => {
  const sums: Array<number> = []
  for (const { steps } of samples.slice(-MINUTE)) steps.forEach((step, i) => (sums[i] = (sums[i] ?? 0) + step))
  return sums
}

const share = (steps: ReadonlyArray<number>, i: number): number => {
  const all = steps.reduce((sum, step) => sum + step, 0)
  return all === 0 ? 0 : (steps[i] ?? 0) / all
}

const Histogram = (props: {
  readonly ends: ReadonlyArray<number>
  readonly all: ReadonlyArray<number>
  readonly recent: ReadonlyArray<number>
}): ComponentChildren => {
  const { all, ends, recent } = props
  return h(
    "table",
    { class: "histogram", "aria-label": "How long turns take" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, "Up to"),
        h("th", { scope: "col", class: "number" }, "Turns"),
        h("th", { scope: "col" }, "Share")
      )
    ),
    h(
      "tbody",
      null,
      all.map((step, i) =>
        h(
          "tr",
          { key: i },
          h("th", { scope: "row" }, ends[i] === undefined ? "longer" : ms(ends[i])),
          h("td", { class: "number" }, count(step)),
          h(
            "td",
            {
              class: "bars",
              title: `${percent(share(all, i))} of all, ${percent(share(recent, i))} of the last minute`
            },
            h("div", { class: "all", style: { width: `${100 * share(all, i)}%` } }),
            h("div", { class: "recent", style: { width: `${100 * share(recent, i)}%` } })
          )
        )
      )
    )
  )
}

const WaitingBytes = ({ samples }: { readonly samples: ReadonlyArray<Sample> }): ComponentChildren =>
  h(
    Panel,
    { title: "Received bytes that wait" },
    h(Chart, {
      title: "Received bytes that wait",
      samples,
      format: bytes,
      isWhole: true,
      series: [{ label: "bytes", values: samples.map(({ receivedBytesWaiting }) => receivedBytesWaiting) }]
    })
  )

const WaitingBlocks = ({ samples }: { readonly samples: ReadonlyArray<Sample> }): ComponentChildren =>
  h(
    Panel,
    { title: "Blocks that wait" },
    h(Chart, {
      title: "Blocks that wait",
      samples,
      format: (value) => value.toFixed(0),
      isWhole: true,
      series: [
        { label: "asked for", values: samples.map(({ blocksInFlight }) => blocksInFlight) },
        { label: "to check or keep", values: samples.map(({ blocksWaiting }) => blocksWaiting) }
      ]
    })
  )
