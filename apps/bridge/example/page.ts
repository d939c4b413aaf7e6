/** The page itself: takes what to do from its address, shows how it goes. */
import { networks } from "@satwire/primitives"
import { parseEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Progress, pageHeaders } from "./PageHeaders.ts"

/** As much of a page as is used here. */
declare const document: { querySelector(selector: string): { textContent: string } }
declare const location: { readonly search: string }

const show = (text: string): void => {
  document.querySelector("output").textContent = text
}

const asked = new URLSearchParams(location.search)
const params = networks[asked.get("network") ?? "mainnet"]
const node = parseEndpoint(asked.get("node") ?? "", params?.defaultPort)

const program: Effect.Effect<Progress, unknown> =
  params === undefined || Result.isFailure(node)
    ? Effect.fail("write ?bridge=wss://bridge.example&node=203.0.113.5:8333&network=mainnet")
    : pageHeaders({
        bridge: asked.get("bridge") ?? "",
        node: node.success,
        params,
        onProgress: ({ userAgent, transport, sessionId, height, tip }) =>
          show(`${userAgent} over ${transport}, session ${sessionId}\nheight ${height}\n${tip}`)
      })

/** Where whoever drives the page finds it. */
const done = Effect.runPromise(Effect.tapError(program, (error) => Effect.sync(() => show(String(error)))))
Object.assign(globalThis, { done })
