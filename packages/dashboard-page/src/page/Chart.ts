/** A chart over the last ten minutes, drawn by uPlot in the page's colours, light or dark. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import uPlot from "uplot"
import type { Sample } from "../Told.ts"
import { axisTimes, clock } from "./Format.ts"

export interface Series {
  readonly label: string
  readonly values: ReadonlyArray<number | null>
}

export interface ChartProps {
  readonly title: string
  readonly samples: ReadonlyArray<Sample>
  readonly series: ReadonlyArray<Series>
  readonly format: (value: number) => string
  /** Each on top of those before. */
  readonly isStacked?: boolean
  /** There are no halves of what is counted. */
  readonly isWhole?: boolean
}

const HEIGHT = 180
const AXIS_WIDTH = 66
const COLOURS = 8
/** 1, 2, 5, 10, … between two lines. */
const WHOLE_STEPS = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((step) => step * 10 ** i)).flat()

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** Counts up whenever it turns light or dark. */
const useScheme = (): number => {
  const [changes, setChanges] = useState(0)
  useEffect(() => {
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    const onChange = (): void => setChanges((n) => n + 1)
    scheme.addEventListener("change", onChange)
    return () => scheme.removeEventListener("change", onChange)
  }, [])
  return changes
}

/** What is drawn: times, and each series' own values or the sums up to it. */
const dataOf = ({ isStacked, samples, series }: ChartProps): uPlot.AlignedData => {
  const times = samples.map(({ unixMs }) => unixMs / 1000)
  if (isStacked !== true) return [times, ...series.map(({ values }) => [...values])]
  const sums = times.map(() => 0)
  const rows = series.map(({ values }) => values.map((value, i) => (sums[i] = (sums[i] ?? 0) + (value ?? 0))))
  return [times, ...rows]
}

const optionsOf = (props: ChartProps, width: number, own: () => ChartProps): uPlot.Options => {
  const { format, isStacked, isWhole, series } = props
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } }
  return {
    width,
    height: HEIGHT,
    padding: [8, 28, 0, 0],
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? 1.05 * (high ?? 0) : 1] } },
    axes: [
      {
        ...axis,
        size: 28,
        values: (_, times) => [...axisTimes(times)],
        space: 72
      },
      {
        ...axis,
        size: AXIS_WIDTH,
        values: (_, values) => values.map(format),
        ...(isWhole === true ? { incrs: WHOLE_STEPS } : {})
      }
    ],
    series: [
      { label: "at", value: (_, time) => clock(time === null ? (own().samples.at(-1)?.unixMs ?? 0) : 1000 * time) },
      ...series.map(({ label }, i) => {
        const stroke = colour(`--series-${i % COLOURS}`)
        return {
          label,
          stroke,
          width: 1.5,
          points: { show: false },
          ...(isStacked === true ? { fill: `${stroke}40` } : {}),
          value: (_: uPlot, __: number, at: number, index: number | null) => {
            const values = own().series[at - 1]?.values
            const value = index === null ? values?.at(-1) : values?.[index]
            return value === undefined || value === null ? "–" : format(value)
          }
        }
      })
    ],
    // The largest sums are drawn first, so that the others stand before them.
    ...(isStacked === true
      ? { bands: series.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })) }
      : {})
  }
}

const spoken = ({ format, series, title }: ChartProps): string =>
  `${title}: ${series
    .map(({ label, values }) => {
      const last = values.at(-1)
      return `${label} ${last === undefined || last === null ? "none" : format(last)}`
    })
    .join(", ")}`

export const Chart = (props: ChartProps): ComponentChildren => {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(null)
  const latest = useRef(props)
  latest.current = props
  const scheme = useScheme()
  const names = props.series.map(({ label }) => label).join("\n")
  useEffect(() => {
    const node = place.current
    if (node === null) return
    const drawn = new uPlot(
      optionsOf(latest.current, node.clientWidth, () => latest.current),
      dataOf(latest.current),
      node
    )
    chart.current = drawn
    const resized = new ResizeObserver(() => drawn.setSize({ width: node.clientWidth, height: HEIGHT }))
    resized.observe(node)
    return () => {
      resized.disconnect()
      drawn.destroy()
    }
  }, [names, scheme])
  useEffect(() => chart.current?.setData(dataOf(latest.current)), [props.samples, names, scheme])
  return h("div", { class: "chart", ref: place, role: "img", "aria-label": spoken(props) })
}
