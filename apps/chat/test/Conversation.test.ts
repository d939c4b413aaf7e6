/**
 * The scripted conversation, over real nodes on loopback, and a page in a browser that takes part:
 *
 * ```
 *   Ann ── Bob ── (relay) ── Cem, whom nobody can dial           Bob's page
 * ```
 */
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { CHROMIUM_FLAGS, describeWithChromium } from "@satwire/testkit"
import { type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Browser, type Page, chromium } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Chat, makeChat } from "../src/chat/Chat.ts"
import { makeIdentity } from "../src/identity/Identity.ts"
import { type NetworkOptions, type OpenNetwork, openNetwork } from "../src/network/OpenNetwork.ts"
import { type Talk, makeTalk } from "../src/terminal/Talk.ts"
import { servePage } from "../src/web/ServePage.ts"

const LOOPBACK = ["/ip4/127.0.0.1/tcp/0"]
const limits = { maxPerHostASecond: 1000 } satisfies Libp2pNodeOptions["limits"]
/** How long a test that fails takes to say so. */
const PATIENCE_MS = 10_000
const TOKEN = "the-key-of-the-page"
const SCREENSHOTS = join(import.meta.dirname, "screenshots")

interface Taking extends OpenNetwork, Talk {
  readonly node: Libp2pNodeShape
  readonly chat: Chat
  readonly scope: Scope.Closeable
  /** What his terminal shows, without times. */
  readonly shown: ReadonlyArray<string>
  /** Done when it shows that. */
  readonly shows: (line: string | RegExp) => Effect.Effect<void>
}

const opened = (name: string, options: Partial<NetworkOptions>): Effect.Effect<Taking, unknown> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const identity = yield* makeIdentity
    const defaults = { identity, listen: LOOPBACK, connect: [], relays: [], isRelay: false, mdns: undefined }
    const shown: Array<string> = []
    const waiting = new Set<() => void>()
    const print = (line: string) =>
      Effect.sync(() => {
        shown.push(line.replace(/^\d\d:\d\d /, ""))
        for (const look of waiting) look()
      })
    return yield* Effect.gen(function* () {
      const open = yield* openNetwork({ ...defaults, ...options })
      const { node } = yield* open.manager.parts
      const chat = yield* makeChat({ network: open.network, key: identity.key, name })
      const talk = yield* makeTalk({ chat, room: "lobby", print, onRoom: () => undefined })
      const shows: Taking["shows"] = (line) =>
        Effect.callback<void>((resume) => {
          const look = (): void => {
            if (!shown.some((one) => (typeof line === "string" ? one === line : line.test(one)))) return
            waiting.delete(look)
            resume(Effect.void)
          }
          waiting.add(look)
          look()
          return Effect.sync(() => waiting.delete(look))
        }).pipe(
          Effect.timeoutOrElse({
            duration: PATIENCE_MS,
            orElse: () => Effect.die(new Error(`${name} does not see ${String(line)}:\n${shown.join("\n")}`))
          })
        )
      return { ...open, node, chat, scope, shown, shows, follow: talk.follow }
    }).pipe(Scope.provide(scope))
  })

const left = ({ scope }: Taking): Effect.Effect<void> => Scope.close(scope, Exit.void)
const addressOf = (one: { readonly addresses: () => ReadonlyArray<string> }, part = "/tcp/"): string =>
  one.addresses().find((address) => address.includes(part)) ?? ""
const says = (one: Taking, ...lines: ReadonlyArray<string>) => Effect.forEach(lines, one.follow, { discard: true })
const run = <A>(effect: Effect.Effect<A, unknown>): Promise<A> => Effect.runPromise(effect)

const all = Effect.runSync(Scope.make())
let ann: Taking
let bob: Taking
let cem: Taking
let page: string

beforeAll(async () => {
  const relay = makeLibp2pNode({ listen: LOOPBACK, limits, reachability: { relay: { isUnlimited: true } } })
  const between = await run(Scope.provide(relay, all))
  const hidden = opened("Cem", { listen: [], relays: [addressOf(between)] })
  ;[ann, cem] = await run(Effect.all([opened("Ann", {}), hidden], { concurrency: 2 }))
  bob = await run(opened("Bob", { connect: [addressOf(ann.node), addressOf(cem.node, "/p2p-circuit")] }))
  const address = servePage({ chat: bob.chat, host: "127.0.0.1", port: 0, token: TOKEN, onRefusal: () => Effect.void })
  page = await run(Scope.provide(address, all))
})

afterAll(async () => {
  await run(Effect.all([ann, bob, cem].filter(Boolean).map(left), { concurrency: 3 }))
  await run(Scope.close(all, Exit.void))
})

describe("three people, of whom one is behind a relay", () => {
  it("see one another come, and talk, through whoever is between", () =>
    run(
      Effect.gen(function* () {
        yield* Effect.all([ann.shows("#lobby * Cem is here"), cem.shows("#lobby * Ann is here")])
        expect(ann.node.connections().map(({ peerId }) => peerId)).toEqual([bob.node.peerId])
        expect(bob.node.connections().some(({ address }) => address.includes("/p2p-circuit"))).toBe(true)
        yield* says(ann, "hello, I am Ann")
        yield* cem.shows("#lobby Ann: hello, I am Ann")
        yield* says(cem, "and I am behind a relay")
        yield* Effect.all([ann, bob].map(({ shows }) => shows("#lobby Cem: and I am behind a relay")))
      })
    ))

  it("have rooms of their own, names that change, and commands that say what is wrong", () =>
    run(
      Effect.gen(function* () {
        yield* says(ann, "/join den", "is anybody in the den?")
        yield* says(cem, "/join den")
        yield* cem.shows("#den Ann: is anybody in the den?")
        yield* ann.shows("#den * Cem is here")
        yield* says(cem, "/name Cemile", "/who", "/dance", "/join no room")
        yield* ann.shows("#den * Cemile was Cem")
        yield* cem.shows(/^ {2}Cemile \(you\) {2}[0-9a-f]{16}…$/)
        yield* cem.shows("! there is no /dance: see /help")
        yield* cem.shows(/^! a room is called by/)
        yield* says(cem, "/leave", "/name Cem", "back in the lobby")
        yield* ann.shows("#den * Cemile has left")
        yield* ann.shows("#lobby Cem: back in the lobby")
        // What was said in the den is nobody's who is not in it.
        expect(bob.shown.some((line) => line.includes("#den"))).toBe(false)
      })
    ))

  it("give whoever comes late what was said, and see him go", () =>
    run(
      Effect.gen(function* () {
        const late = yield* opened("Ann", { listen: [], connect: [addressOf(ann.node)] })
        const tag = (one: Taking): string => `#${one.chat.self.slice(0, 4)}`
        yield* late.shows(/^#lobby Cem(ile)?: and I am behind a relay$/)
        yield* late.shows(/^#lobby \* Bob is here$/)
        yield* late.shows(/^#lobby Cem(ile)?: back in the lobby$/)
        const texts = late.chat.texts("lobby").map(({ text }) => text)
        expect(texts).toEqual(["hello, I am Ann", "and I am behind a relay", "back in the lobby"])
        // Two of one name.
        yield* cem.shows(`#lobby * Ann${tag(late)} is here`)
        yield* says(late, "another Ann")
        yield* bob.shows(`#lobby Ann${tag(late)}: another Ann`)
        yield* left(late)
        yield* ann.shows(/^#lobby \* Ann\S* has left$/)
        yield* cem.shows(/^#lobby \* Ann\S* has left$/)
      })
    ))
})

describe("two people on one LAN", () => {
  // Multicast needs an interface that is not loopback.
  const hasLan = Object.values(networkInterfaces()).some((each) => each?.some(({ internal }) => !internal))
  it.skipIf(!hasLan)("find each other by themselves", () =>
    run(
      Effect.gen(function* () {
        const mdns = { port: 20_000 + (process.pid % 10_000), intervalMs: 100 }
        const lan = { listen: ["/ip4/0.0.0.0/tcp/0"], mdns }
        const [dan, eva] = yield* Effect.all([opened("Dan", lan), opened("Eva", lan)], { concurrency: 2 })
        yield* Effect.all([dan.shows("#lobby * Eva is here"), eva.shows("#lobby * Dan is here")])
        yield* says(dan, "so you are here, too")
        yield* eva.shows("#lobby Dan: so you are here, too")
        yield* Effect.all([left(dan), left(eva)], { concurrency: 2 })
      })
    )
  )
})

describe("the page's door", () => {
  const at = (path: string): string => new URL(path, page).href

  it("lets in who knows its key, and no page of another origin", async () => {
    const wrong = new WebSocket(at("/chat").replace("http", "ws"))
    wrong.addEventListener("open", () => wrong.send(JSON.stringify({ _tag: "Hello", token: "guessed" })))
    const [code, first] = await Promise.all([
      new Promise((resolve) => wrong.addEventListener("close", (event) => resolve(event.code))),
      fetch(at("/chat"), { headers: { origin: "https://evil.example" } })
    ])
    expect(code).toBe(1008)
    expect(first.status).toBe(403)
  })

  it("serves it under a policy by which nothing from elsewhere runs", async () => {
    const { headers, status } = await fetch(at("/"))
    expect(status).toBe(200)
    expect(headers.get("content-security-policy")).toContain("default-src 'none'")
    expect(headers.get("x-frame-options")).toBe("DENY")
  })
})

describeWithChromium(describe, "a page in the browser", (executablePath) => {
  const troubles: Array<string> = []
  let browser: Browser

  beforeAll(async () => void (browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })))
  afterAll(() => browser?.close())

  const look = async (options: Parameters<Browser["newPage"]>[0]): Promise<Page> => {
    const seen = await browser.newPage(options)
    seen.on("pageerror", (error) => troubles.push(String(error)))
    seen.on("console", (message) => ["error", "warning"].includes(message.type()) && troubles.push(message.text()))
    seen.on("request", (request) => {
      const { host, protocol } = new URL(request.url())
      if (host !== new URL(page).host && protocol !== "data:") troubles.push(`asked ${request.url()}`)
    })
    await seen.goto(page)
    return seen
  }
  const log = (seen: Page) => seen.getByRole("log")

  it("takes part, by keys alone, and shows what others write as text", async () => {
    const seen = await look({ viewport: { width: 1000, height: 640 } })
    await log(seen).getByText("and I am behind a relay").waitFor()
    await seen.keyboard.type("said in the page")
    await seen.keyboard.press("Enter")
    await run(Effect.all([ann.shows("#lobby Bob: said in the page"), cem.shows("#lobby Bob: said in the page")]))
    await run(says(cem, "<img src=x onerror=alert(1)> \u001b[2J\u202e"))
    await log(seen).getByText("<img src=x onerror=alert(1)>").waitFor()
    expect(await seen.locator("img").count()).toBe(0)
    await seen.keyboard.type("/join attic")
    await seen.keyboard.press("Enter")
    await seen.getByRole("tab", { name: "#attic", selected: true }).waitFor()
    await seen.getByRole("tab", { name: "#attic" }).focus()
    await seen.keyboard.press("ArrowLeft")
    await seen.getByRole("tab", { name: "#lobby", selected: true }).waitFor()
    await run(says(cem, "seen from the page"))
    await log(seen).getByText("seen from the page").waitFor()
    await seen.keyboard.press("/")
    await seen.keyboard.type("/leave attic")
    await seen.keyboard.press("Enter")
    await seen.getByRole("tab", { name: "#attic" }).waitFor({ state: "detached" })
    await seen.getByRole("button", { name: "Change your name" }).click()
    await seen.getByRole("textbox", { name: "Which name?" }).fill("Robert")
    await seen.keyboard.press("Enter")
    await run(ann.shows("#lobby * Robert was Bob"))
    await seen.locator("#name", { hasText: "Robert" }).waitFor()
    await seen.getByRole("complementary").getByText("Robert (you)").waitFor()
    await seen.screenshot({ path: join(SCREENSHOTS, "page.png") })
    await seen.close()
  })

  it("fits a phone, light and dark, and asks nobody else for anything", async () => {
    const seen = await look({ viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true })
    const ground = (): Promise<string> => seen.evaluate("getComputedStyle(document.body).backgroundColor")
    await log(seen).getByText("said in the page").waitFor()
    expect(await seen.evaluate("document.documentElement.scrollWidth")).toBe(360)
    await seen.screenshot({ path: join(SCREENSHOTS, "phone-dark.png") })
    const dark = await ground()
    await seen.emulateMedia({ colorScheme: "light" })
    expect(await ground()).not.toBe(dark)
    await seen.close()
    expect(troubles).toEqual([])
  })
})
