/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page's entry: everything that is on it is drawn from what the node tells once a second. */
import { h, render } from "preact"
import { App } from "./App.ts"

const root = document.querySelector("#app")
if (root !== null) {
  root.replaceChildren()
  render(h(App, {}), root)
}
