/** How many bytes come and go in a second. */
import { type ComponentChildren, h } from "preact"
import type { Sample } from "../Told.ts"
import { Chart } from "./Chart.ts"
import { rate } from "./Format.ts"
import { Panel } from "./Parts.ts"

export const Bandwidth = ({ samples }: { readonly samples: ReadonlyArray<Sample> }): ComponentChildren =>
  h(
    Panel,
    { title: "Bandwidth" },
    h(Chart, {
      title: "Bandwidth",
      samples,
      format: rate,
      series: [
        { label: "received", values: samples.map(({ overMs, received }) => (1000 * received) / overMs) },
        { label: "sent", values: samples.map(({ overMs, sent }) => (1000 * sent) / overMs) }
      ]
    })
  )
