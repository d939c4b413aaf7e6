/** What a metric is, and how metrics are written down for Prometheus (text format 0.0.4). */

/** One number of a metric, under the values of its labels. */
export interface Sample {
  readonly labels?: ReadonlyArray<string>
  readonly value: number
}

/** How often something took how long: counts by steps that each hold those before it too, as Prometheus wants them. */
export interface Distribution {
  readonly labels?: ReadonlyArray<string>
  /** The upper ends of the steps. */
  readonly ends: ReadonlyArray<number>
  /** How many fell into each step, and beyond the last: one more than there are ends. */
  readonly counts: ArrayLike<number>
  readonly sum: number
}

export interface MetricFacts {
  /** With its unit at the end, as Prometheus' conventions want it; a counter ends with `_total`. */
  readonly name: string
  readonly kind: "counter" | "gauge" | "histogram"
  readonly labels: ReadonlyArray<string>
  /** One sentence. */
  readonly help: string
  /** Under which heading it is listed and drawn. */
  readonly group: string
}

/** A metric with the way to its values, from whatever they are read from. */
export type Metric<From> = MetricFacts &
  (
    | { readonly kind: "counter" | "gauge"; readonly samples: (from: From) => Iterable<Sample> }
    | { readonly kind: "histogram"; readonly distributions: (from: From) => Iterable<Distribution> }
  )

/** The metrics as text, one after another, each with its help and its kind. What has no sample yet is left out but for these. */
export const exposition = <From>(metrics: Iterable<Metric<From>>, from: From): string => {
  const lines: Array<string> = []
  for (const metric of metrics) {
    lines.push(`# HELP ${metric.name} ${escapeHelp(metric.help)}`, `# TYPE ${metric.name} ${metric.kind}`)
    if (metric.kind === "histogram") {
      for (const each of metric.distributions(from)) writeDistribution(metric, each, lines)
    } else {
      for (const { labels = [], value } of metric.samples(from)) {
        lines.push(`${metric.name}${labelText(metric.labels, labels)} ${numberText(value)}`)
      }
    }
  }
  return `${lines.join("\n")}\n`
}

const writeDistribution = (
  { labels: names, name }: MetricFacts,
  { counts, ends, labels = [], sum }: Distribution,
  lines: Array<string>
): void => {
  let count = 0
  const step = (end: string): string => `${name}_bucket${labelText([...names, "le"], [...labels, end])} ${count}`
  ends.forEach((end, i) => {
    count += counts[i] ?? 0
    lines.push(step(numberText(end)))
  })
  count += counts[ends.length] ?? 0
  const text = labelText(names, labels)
  lines.push(step("+Inf"), `${name}_sum${text} ${numberText(sum)}`, `${name}_count${text} ${count}`)
}

const labelText = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  names.length === 0 ? "" : `{${names.map((name, i) => `${name}="${escapeLabel(values[i] ?? "")}"`).join(",")}}`

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
