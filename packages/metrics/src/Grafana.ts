/** A dashboard for Grafana, made from the metrics: a row a group, a panel a metric, counters as rates, histograms as quantiles. */
import type { MetricFacts } from "./Metric.ts"

const COLUMNS = 3
const PANEL_WIDTH = 8
const PANEL_HEIGHT = 7

/** Units by Grafana's names, by how a metric's name ends. */
const UNITS: ReadonlyArray<readonly [ending: string, unit: string]> = [
  ["_bytes_per_second", "Bps"],
  ["_seconds", "s"],
  ["_bytes", "bytes"],
  ["_ratio", "percentunit"]
]

/** As Grafana imports it. */
export interface GrafanaDashboard {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly refresh: string
  readonly time: { readonly from: string; readonly to: string }
  readonly templating: { readonly list: ReadonlyArray<Readonly<Record<string, unknown>>> }
  readonly panels: ReadonlyArray<Readonly<Record<string, unknown>>>
}

export const grafanaDashboard = (metrics: ReadonlyArray<MetricFacts>): GrafanaDashboard => {
  const panels: Array<Readonly<Record<string, unknown>>> = []
  let y = 0
  for (const [group, rows] of Map.groupBy(metrics, (metric) => metric.group)) {
    panels.push({ type: "row", title: group, collapsed: false, gridPos: { x: 0, y: y++, w: 24, h: 1 }, panels: [] })
    rows.forEach((metric, i) => {
      const place = { x: (i % COLUMNS) * PANEL_WIDTH, y: y + Math.floor(i / COLUMNS) * PANEL_HEIGHT }
      panels.push(panelOf(metric, { ...place, w: PANEL_WIDTH, h: PANEL_HEIGHT }))
    })
    y += Math.ceil(rows.length / COLUMNS) * PANEL_HEIGHT
  }
  const source = { name: "source", type: "datasource", query: "prometheus", label: "Prometheus" }
  const instance = {
    name: "instance",
    type: "query",
    datasource: SOURCE,
    query: "label_values(satwire_info, instance)",
    includeAll: true,
    multi: true,
    refresh: 2
  }
  return {
    title: "Satwire",
    uid: "satwire",
    schemaVersion: 39,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [source, instance] },
    panels: panels.map((panel, id) => ({ id: id + 1, ...panel }))
  }
}

const SOURCE = { type: "prometheus", uid: "${source}" } as const
const CHOSEN = '{instance=~"$instance"}'

const panelOf = (metric: MetricFacts, gridPos: object): Readonly<Record<string, unknown>> => ({
  type: "timeseries",
  title: metric.name.replace(/^satwire_/, "").replace(/_total$/, ""),
  description: metric.help,
  datasource: SOURCE,
  gridPos,
  fieldConfig: { defaults: { unit: unitOf(metric), min: 0 }, overrides: [] },
  targets: queriesOf(metric).map(({ expr, legend }, i) => ({
    refId: String.fromCodePoint(65 + i),
    datasource: SOURCE,
    expr,
    legendFormat: legend
  }))
})

const unitOf = ({ kind, name }: MetricFacts): string => {
  const measured = name.replace(/_total$/, "")
  const unit = UNITS.find(([ending]) => measured.endsWith(ending))?.[1]
  if (kind !== "counter") return unit ?? "short"
  return unit === "bytes" ? "Bps" : unit === "s" ? "percentunit" : "ops"
}

const queriesOf = ({
  kind,
  labels,
  name
}: MetricFacts): ReadonlyArray<{ readonly expr: string; readonly legend: string }> => {
  const legend = labels.map((label) => `{{${label}}}`).join(" ")
  if (kind === "gauge") return [{ expr: `${name}${CHOSEN}`, legend: legend === "" ? "{{instance}}" : legend }]
  if (kind === "counter") {
    const by = labels.length === 0 ? "instance" : labels.join(", ")
    return [{ expr: `sum by (${by}) (rate(${name}${CHOSEN}[5m]))`, legend: legend === "" ? "{{instance}}" : legend }]
  }
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(${name}_bucket${CHOSEN}[5m])))`,
    legend: `p${100 * quantile}`
  }))
}
