/**
 * Curves of how many nodes have a block after which time, as an SVG that needs nothing else: light and dark as its reader likes it, every curve
 * named where it is drawn, no script and no font of its own.
 */
export interface Curve {
  readonly name: string
  /** When each of them had it, in milliseconds, rising. */
  readonly delaysMs: ReadonlyArray<number>
}

export interface ChartText {
  readonly title: string
  readonly subtitle: string
}

const WIDTH = 860
const HEIGHT = 470
const LEFT = 64
const RIGHT = 24
const TOP = 92
const BOTTOM = 58
const SHARES = [0, 25, 50, 75, 95, 100]
/** At most so many marks along the axis of time. */
const MOST_TICKS = 10
const STEPS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000]
const STYLE = `
  svg { background: #ffffff; color: #24292f; font: 13px system-ui, sans-serif }
  text { fill: currentColor } .soft { fill: #59636e } .title { font-size: 17px; font-weight: 600 }
  .grid { stroke: #d8dee4 } .axis { stroke: #59636e } .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .c0 { stroke: #0a6ebd } .c1 { stroke: #b35900 } .c2 { stroke: #7a3fa0 }
  .n0 { fill: #0a6ebd } .n1 { fill: #b35900 } .n2 { fill: #7a3fa0 }
  .dash1 { stroke-dasharray: 9 4 } .dash2 { stroke-dasharray: 2 4 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; color: #e6edf3 }
    .soft { fill: #9198a1 } .grid { stroke: #30363d } .axis { stroke: #9198a1 }
    .c0 { stroke: #58a6ff } .c1 { stroke: #f0a04b } .c2 { stroke: #c297f0 }
    .n0 { fill: #58a6ff } .n1 { fill: #f0a04b } .n2 { fill: #c297f0 }
  }`

/** Three curves at most: there are no more colours. */
export const chartOf = (curves: ReadonlyArray<Curve>, { subtitle, title }: ChartText): string => {
  const last = Math.max(...curves.map(({ delaysMs }) => delaysMs.at(-1) ?? 0))
  const step = STEPS_MS.find((ms) => last / ms <= MOST_TICKS) ?? last
  const most = Math.ceil(last / step) * step
  const x = (ms: number): number => round(LEFT + ((WIDTH - LEFT - RIGHT) * ms) / most)
  const y = (share: number): number => round(HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * share) / 100)
  const [x1, y0] = [x(most), y(0)]
  const ticks = Array.from({ length: most / step + 1 }, (_, i) => i * step)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<text class="title" x="${LEFT}" y="28">${escaped(title)}</text>
<text class="soft" x="${LEFT}" y="48">${escaped(subtitle)}</text>
${curves.map(({ name }, i) => legend(name, i)).join("\n")}
${SHARES.map((share) => `<path class="grid" d="M${LEFT} ${y(share)}H${x1}"/><text class="soft" x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${share} %</text>`).join("\n")}
${ticks.map((ms) => `<path class="axis" d="M${x(ms)} ${y0}v5"/><text class="soft" x="${x(ms)}" y="${y0 + 20}" text-anchor="middle">${ms / 1000}</text>`).join("\n")}
<path class="axis" d="M${LEFT} ${y0}H${x1}"/>
<text x="${(LEFT + x1) / 2}" y="${HEIGHT - 12}" text-anchor="middle">seconds since the block was made</text>
<text transform="translate(16 ${(TOP + y0) / 2}) rotate(-90)" text-anchor="middle">nodes that have it</text>
${curves.map(({ delaysMs }, i) => `<path class="curve c${i} dash${i}" d="${steps(delaysMs, x, y)}H${x1}"/>`).join("\n")}
</svg>
`
}

const LEGEND_WIDTH = 250

const legend = (name: string, i: number): string => {
  const x = LEFT + LEGEND_WIDTH * i
  const y = 72
  return `<path class="curve c${i} dash${i}" d="M${x} ${y - 4}h30"/><text class="n${i}" x="${x + 38}" y="${y}">${escaped(name)}</text>`
}

/** A curve that rises with each node that has the block. */
const steps = (delaysMs: ReadonlyArray<number>, x: (ms: number) => number, y: (share: number) => number): string =>
  delaysMs.reduce(
    (path, ms, i) => {
      // Those that have it within one point of the drawing are one step.
      const next = delaysMs[i + 1]
      if (next !== undefined && x(next) - x(ms) < 0.5) return path
      return `${path}H${x(ms)}V${y((100 * (i + 1)) / delaysMs.length)}`
    },
    `M${x(0)} ${y(0)}`
  )

const round = (value: number): number => Math.round(10 * value) / 10

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
