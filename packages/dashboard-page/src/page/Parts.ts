/** Pieces that every section is made of. */
import { type ComponentChildren, h } from "preact"

export const Panel = (props: {
  readonly title: string
  readonly note?: string | undefined
  readonly wide?: boolean
  readonly children?: ComponentChildren
}): ComponentChildren =>
  h(
    "section",
    { class: props.wide === true ? "panel wide" : "panel", "aria-label": props.title },
    h("h2", null, props.title, props.note === undefined ? null : h("span", { class: "note" }, props.note)),
    props.children
  )

/** One number and what it is. */
export const Figure = (props: {
  readonly name: string
  readonly value: string
  readonly more?: string
}): ComponentChildren =>
  h(
    "div",
    { class: "figure" },
    h("dt", null, props.name),
    h("dd", null, props.value, props.more === undefined ? null : h("small", null, props.more))
  )

export const Figures = (props: { readonly children?: ComponentChildren }): ComponentChildren =>
  h("dl", { class: "figures" }, props.children)

export interface Column<Row> {
  readonly name: string
  readonly show: (row: Row) => ComponentChildren
  readonly isNumber?: boolean
  /** Left out where there is little room. */
  readonly isExtra?: boolean
}

/** A table that is only read. */
export const Table = <Row>(props: {
  readonly label: string
  readonly columns: ReadonlyArray<Column<Row>>
  readonly rows: ReadonlyArray<Row>
  readonly empty: string
}): ComponentChildren => {
  if (props.rows.length === 0) return h("p", { class: "quiet" }, props.empty)
  const cell = (column: Column<Row>): string =>
    [column.isNumber === true ? "number" : "", column.isExtra === true ? "extra" : ""].join(" ").trim()
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      { "aria-label": props.label },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          props.columns.map((column) => h("th", { scope: "col", class: cell(column) }, column.name))
        )
      ),
      h(
        "tbody",
        null,
        props.rows.map((row, i) =>
          h(
            "tr",
            { key: i },
            props.columns.map((column) => h("td", { class: cell(column) }, column.show(row)))
          )
        )
      )
    )
  )
}

/** A share of a whole, as a bar. */
export const Bar = (props: { readonly share: number; readonly label: string }): ComponentChildren =>
  h(
    "div",
    {
      class: "bar",
      role: "progressbar",
      "aria-label": props.label,
      "aria-valuenow": Math.round(100 * props.share),
      "aria-valuemin": 0,
      "aria-valuemax": 100
    },
    h("div", { style: { width: `${Math.min(100, 100 * props.share)}%` } })
  )
