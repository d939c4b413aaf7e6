/** The ends of all chains, drawn: the best one along the bottom, and each other from where it leaves. */
import { type ComponentChildren, h } from "preact"
import type { TipRow } from "../Told.ts"
import { count } from "./Format.ts"

const STEP = 40
const ROW = 34
const LEFT = 24
/** Room for what is written behind the last block. */
const TEXT = 150
/** Columns between two forks that nothing happens in are drawn as one. */
const MOST_COLUMNS = 60
const MOST_BRANCHES = 8
const TAIL = 6

interface Drawn {
  readonly tip: TipRow
  readonly from: number
}

/** Heights at which something is drawn, each with its column; what lies between is left out. */
const columnsOf = (best: number, branches: ReadonlyArray<Drawn>): ReadonlyMap<number, number> => {
  const heights = new Set<number>()
  for (let i = 0; i < TAIL; i++) heights.add(best - i)
  for (const { from, tip } of branches) {
    for (const height of [from - 1, from, from + 1, tip.height]) heights.add(height)
  }
  const sorted = [...heights].filter(
    (height) => height >= 0 && height <= Math.max(best, ...branches.map(({ tip }) => tip.height))
  )
  return new Map(
    sorted
      .toSorted((a, b) => a - b)
      .slice(-MOST_COLUMNS)
      .map((height, column) => [height, column])
  )
}

const block = (x: number, y: number, kind: string, title: string): ComponentChildren =>
  h("rect", { class: `block ${kind}`, x: x - 9, y: y - 9, width: 18, height: 18, rx: 4 }, h("title", null, title))

const line = (kind: string, points: string): ComponentChildren => h("polyline", { class: `line ${kind}`, points })

export const Forks = ({ tips }: { readonly tips: ReadonlyArray<TipRow> }): ComponentChildren => {
  const best = tips.find(({ status }) => status === "active") ?? tips[0]
  if (best === undefined) return h("p", { class: "quiet" }, "No chain.")
  const branches = tips
    .filter((tip) => tip !== best)
    .toSorted((a, b) => b.height - a.height)
    .slice(0, MOST_BRANCHES)
    .map((tip): Drawn => ({ tip, from: tip.height - tip.branchLength }))
  const columns = columnsOf(best.height, branches)
  const x = (height: number): number => LEFT + STEP * (columns.get(height) ?? 0)
  const bottom = 20 + ROW * branches.length
  const main = [...columns.keys()].filter((height) => height <= best.height)
  const gaps = main.filter((height, i) => i > 0 && height - (main[i - 1] as number) > 1)
  const text = `The best chain ends at ${count(best.height)}${branches.map(({ from, tip }) => `; a branch leaves it at ${count(from)} and ends at ${count(tip.height)}, ${tip.status}`).join("")}`
  return h(
    "div",
    { class: "scroll" },
    h(
      "svg",
      {
        class: "forks",
        role: "img",
        "aria-label": text,
        width: LEFT + STEP * columns.size + TEXT,
        height: bottom + 44
      },
      line("active", `${x(main[0] as number)},${bottom} ${x(best.height)},${bottom}`),
      branches.map(({ from, tip }, i) => {
        const y = 20 + ROW * i
        return h(
          "g",
          { key: tip.hash },
          line(tip.status, `${x(from)},${bottom} ${x(from) + STEP / 2},${y} ${x(tip.height)},${y}`),
          block(
            x(tip.height),
            y,
            tip.status,
            `${tip.status}, height ${tip.height}, ${tip.branchLength} off the best chain\n${tip.hash}`
          ),
          h("text", { x: x(tip.height) + 14, y: y + 4 }, `${count(tip.height)} (${tip.status}, ${tip.branchLength})`)
        )
      }),
      gaps.map((height) => h("text", { key: height, class: "gap", x: x(height) - STEP / 2, y: bottom - 6 }, "…")),
      main.map((height) => block(x(height), bottom, "active", `height ${height}`)),
      main.map((height, i) =>
        i % 3 === (main.length - 1) % 3
          ? h("text", { key: height, class: "axis", x: x(height), y: bottom + 26 }, count(height))
          : null
      )
    )
  )
}
