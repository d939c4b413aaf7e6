/** The frame of the page: what is always there, six sections, and the keys that lead to them. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { State } from "../Told.ts"
import { Chain } from "./Chain.ts"
import { ago, count, duration, percent, rate } from "./Format.ts"
import { type Live, useLive } from "./Live.ts"
import { Messages } from "./Messages.ts"
import { Network } from "./Network.ts"
import { Overview } from "./Overview.ts"
import { Bar } from "./Parts.ts"
import { Peers } from "./Peers.ts"
import { Profiler } from "./Profiler.ts"
import { syncProgress } from "./Sync.ts"

const SECTIONS = ["Overview", "Peers", "Messages", "Network", "Chain", "Profiler"] as const
type Section = (typeof SECTIONS)[number]

const sectionOfAddress = (): Section =>
  SECTIONS.find((section) => location.hash === `#${section.toLowerCase()}`) ?? "Overview"

const go = (section: Section): void => {
  location.hash = section.toLowerCase()
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement

/** 1 to 6 lead to the sections, `/` to the filter, Escape out of it. */
const onKey = (event: KeyboardEvent): void => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (isTyping(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur()
    return
  }
  const section = SECTIONS[Number(event.key) - 1]
  if (section !== undefined) return go(section)
  if (event.key !== "/") return
  const filter = document.querySelector<HTMLInputElement>("[data-filter]")
  if (filter === null) return
  event.preventDefault()
  filter.focus()
}

const useSection = (): Section => {
  const [section, setSection] = useState(sectionOfAddress)
  useEffect(() => {
    const onAddress = (): void => setSection(sectionOfAddress())
    addEventListener("hashchange", onAddress)
    addEventListener("keydown", onKey)
    return () => {
      removeEventListener("hashchange", onAddress)
      removeEventListener("keydown", onKey)
    }
  }, [])
  return section
}

export const App = (): ComponentChildren => {
  const live = useLive()
  const section = useSection()
  return h(
    "div",
    { class: "page" },
    h(Head, live),
    h(Tabs, { section }),
    h(
      "main",
      { id: "section", role: "tabpanel", "aria-labelledby": `tab-${section}`, tabIndex: -1 },
      live.state === undefined
        ? h("p", { class: "quiet" }, live.trouble === undefined ? "Asking the node…" : "The node does not answer.")
        : shown(section, live.state, live)
    ),
    h("footer", null, "Keys: 1–6 sections · / filter · ↑ ↓ rows · Enter opens · Esc closes")
  )
}

const shown = (section: Section, state: State, { samples }: Live): ComponentChildren => {
  switch (section) {
    case "Overview":
      return h(Overview, { state, samples })
    case "Peers":
      return h(Peers, { state })
    case "Messages":
      return h(Messages, { state })
    case "Network":
      return h(Network, { state, samples })
    case "Chain":
      return h(Chain, { state })
    case "Profiler":
      return h(Profiler, { state, samples })
  }
}

const Tabs = ({ section }: { readonly section: Section }): ComponentChildren => {
  const onTabKey = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    const next = SECTIONS[(SECTIONS.indexOf(section) + step + SECTIONS.length) % SECTIONS.length] as Section
    go(next)
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
  }
  return h(
    "nav",
    { role: "tablist", "aria-label": "Sections", onKeyDown: onTabKey },
    SECTIONS.map((each, i) =>
      h(
        "button",
        {
          key: each,
          id: `tab-${each}`,
          type: "button",
          role: "tab",
          "aria-selected": each === section,
          "aria-controls": "section",
          tabIndex: each === section ? 0 : -1,
          onClick: () => go(each)
        },
        h("kbd", null, i + 1),
        each
      )
    )
  )
}

const Head = (live: Live): ComponentChildren => {
  const { samples, state, trouble } = live
  const last = samples.at(-1)
  return h(
    "header",
    null,
    h(
      "div",
      { class: "headline" },
      h("h1", null, "Satwire"),
      state === undefined ? null : h("span", { class: `pill ${state.network}` }, state.network),
      h(
        "span",
        { class: trouble === undefined ? "status" : "status trouble", role: "status" },
        trouble === undefined ? null : `No answer (${trouble}); what is here is as of the last one.`
      ),
      state === undefined || last === undefined
        ? null
        : h(
            "span",
            { class: "pulse" },
            `${count(last.peers)} ${last.peers === 1 ? "peer" : "peers"} · ↓ ${rate((1000 * last.received) / last.overMs)} · ↑ ${rate((1000 * last.sent) / last.overMs)} · up ${duration(state.uptimeSeconds)}`
          )
    ),
    state === undefined ? null : h(Tip, { state, samples }),
    state?.isPublic === true
      ? h(
          "p",
          { class: "banner", role: "note" },
          "Coins and scripts are not verified: this node checks headers, proof of work and all of a block that needs no coins. Do not guard money with it."
        )
      : null
  )
}

const Tip = ({ samples, state }: { readonly state: State; readonly samples: Live["samples"] }): ComponentChildren => {
  const tip = state.blocks ?? state.headers
  const progress = syncProgress(state, samples)
  const age = tip === null || tip.time <= 0 ? "" : `, mined ${ago(state.unixMs - 1000 * tip.time)}`
  const text = tip === null ? "It follows no chain" : `Tip ${count(tip.height)}${age}`
  if (progress === undefined) return h("p", { class: "tip" }, text)
  const { done, left, of, what } = progress
  const rest = left === undefined ? "" : `, about ${duration(left)} left`
  const sync = `${count(done)} of ${count(of)} ${what} (${percent(done / of)})${rest}`
  return h(
    "div",
    { class: "tip" },
    h("span", null, `${text} · ${sync}`),
    h(Bar, { share: done / of, label: `Sync: ${sync}` })
  )
}
