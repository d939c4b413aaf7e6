/** The page in a real browser: a node that follows a miner, and who looks on. Its pictures lie in `screenshots` beside it. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { formatEndpoint } from "@satwire/transport"
import { CHROMIUM_FLAGS, describeWithChromium } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Browser, type Page, chromium } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Served, reached, serve } from "./Serving.ts"

const SCREENSHOTS = join(import.meta.dirname, "screenshots")
const SECTIONS = ["Overview", "Peers", "Messages", "Network", "Chain", "Profiler"] as const

/** What the tests share: two nodes, a browser, and what went wrong on any page or was asked of anybody else. */
class Looking {
  readonly troubles: Array<string> = []
  readonly served: Served
  readonly #browser: Browser

  constructor(served: Served, browser: Browser) {
    this.served = served
    this.#browser = browser
  }

  async opened(options: NonNullable<Parameters<Browser["newPage"]>[0]>, section = "overview"): Promise<Page> {
    const page = await this.#browser.newPage(options)
    page.on("pageerror", (error) => this.troubles.push(String(error)))
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.troubles.push(message.text())
    })
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url())
      if (origin !== new URL(this.served.url).origin && protocol !== "data:")
        this.troubles.push(`asked ${request.url()}`)
    })
    await page.goto(`${this.served.url}#${section}`)
    return page
  }
}

const run = <A>(effect: Effect.Effect<A, unknown>): Promise<A> => Effect.runPromise(effect)

const photographed = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" })

const showsPeers = async (looking: Looking): Promise<void> => {
  const page = await looking.opened({ viewport: { width: 1280, height: 900 } }, "peers")
  const row = page.locator(".peers tbody tr")
  await row.waitFor()
  expect(await row.count()).toBe(1)
  expect(await row.innerText()).toContain(formatEndpoint(looking.served.miner.listening ?? { host: "", port: 0 }))
  // What the miner says it is would be a picture that runs a script, were it not text.
  expect(await page.locator("img").count()).toBe(0)
  await row.focus()
  await page.keyboard.press("Enter")
  const detail = page.locator("aside.detail")
  await detail.getByText("Session id").waitFor()
  expect(await detail.innerText()).toMatch(/[0-9a-f]{64}/)
  await detail.getByText("cmpctblock").or(detail.getByText("verack")).first().waitFor()
  await photographed(page, "peers")
  await page.keyboard.press("Escape")
  await detail.waitFor({ state: "detached" })
  expect(await page.evaluate("document.activeElement.id")).toBe(await row.getAttribute("id"))
  await page.keyboard.press("/")
  await page.keyboard.type("no such peer")
  await row.waitFor({ state: "detached" })
  await page.close()
}

const tracesMessages = async (looking: Looking): Promise<void> => {
  const page = await looking.opened({ viewport: { width: 1280, height: 900 }, colorScheme: "dark" }, "messages")
  await page.waitForResponse((response) => response.url().includes("/messages?"))
  await run(looking.served.miner.makeTransactions(3))
  await run(looking.served.miner.makeBlock)
  const rows = page.locator(".messages tbody tr")
  await rows.filter({ hasText: "cmpctblock" }).first().waitFor()
  await page.keyboard.press("/")
  await page.keyboard.type("tx")
  await rows.filter({ hasText: "cmpctblock" }).first().waitFor({ state: "detached" })
  const shown = await page.locator(".messages .command").allInnerTexts()
  expect(shown.length).toBeGreaterThan(0)
  expect(new Set(shown)).toEqual(new Set(["tx"]))
  await rows.first().click()
  await page.locator(".tree").getByText("wtxid").waitFor()
  await photographed(page, "messages-dark")
  await page.keyboard.press("Escape")
  await page.getByRole("button", { name: "Pause" }).click()
  await page.getByText("paused").waitFor()
  await page.close()
}

const drawsAll = async (looking: Looking): Promise<void> => {
  // The follower has a block that the miner takes back by two of its own.
  await run(looking.served.follower.setNetworkActive(false))
  await run(looking.served.follower.makeBlock)
  const { height } = (await run(looking.served.miner.query("headers")))?.tip ?? { height: 0 }
  await run(Effect.repeat(looking.served.miner.makeBlock, { times: 1 }))
  await run(looking.served.follower.setNetworkActive(true))
  await run(reached(looking.served.follower, height + 2))
  const page = await looking.opened({ viewport: { width: 1280, height: 900 } })
  await page.locator("canvas").first().waitFor()
  for (const [i, section] of SECTIONS.entries()) {
    await page.keyboard.press(String(i + 1))
    await page.getByRole("tab", { name: section, selected: true }).waitFor()
    if (section === "Chain") {
      await page.locator("svg.forks .block:not(.active)").first().waitFor({ state: "attached" })
      expect(await page.getByRole("table", { name: "Reorganisations" }).locator("tbody tr").count()).toBe(1)
    }
    if (section !== "Peers" && section !== "Messages") await photographed(page, section.toLowerCase())
  }
  await page.getByRole("tab", { name: "Profiler" }).focus()
  await page.keyboard.press("ArrowRight")
  await page.getByRole("tab", { name: "Overview", selected: true }).waitFor()
  await page.keyboard.press("4")
  // Traffic by command, bandwidth, latency, peers.
  await page.locator("canvas").nth(3).waitFor()
  await page.close()
}

const fitsPhone = async (looking: Looking): Promise<void> => {
  const page = await looking.opened({ viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true })
  const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor")
  for (const section of SECTIONS) {
    await page.getByRole("tab", { name: section }).click()
    await page.locator(".panel").first().waitFor()
    const [wide, window] = await page.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]")
    expect([section, wide]).toEqual([section, window])
    await photographed(page, `phone-${section.toLowerCase()}`)
  }
  const dark = await ground()
  await page.emulateMedia({ colorScheme: "light" })
  expect(await ground()).not.toBe(dark)
  await page.close()
}

describeWithChromium(describe, "the dashboard in a browser", (executablePath) => {
  const scope = Effect.runSync(Scope.make())
  let browser: Browser
  let looking: Looking

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true })
    const served = await run(Scope.provide(serve(), scope))
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
    looking = new Looking(served, browser)
  })

  afterAll(async () => {
    await browser?.close()
    await run(Scope.close(scope, Exit.void))
  })

  it("shows who is connected, and all about one of them, as text", () => showsPeers(looking))
  it("traces messages as they pass, those that one wants, decoded on demand", () => tracesMessages(looking))
  it("draws traffic, forks and turns, and is gone through by keys alone", () => drawsAll(looking))
  it("fits a phone, light and dark", () => fitsPhone(looking))
  it("asks nobody else for anything, and breaks no rule of its own", () => {
    expect(looking.troubles).toEqual([])
  })
})
