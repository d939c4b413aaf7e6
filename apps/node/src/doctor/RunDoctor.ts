/**
 * `satwire doctor`: looks at everything that a node needs, in the order in which it needs it, and says of each whether it is well and what to do
 * where it is not. It changes nothing but a file that it takes away again.
 */
import { join } from "node:path"
import { SeedResolver } from "@satwire/discovery/effect"
import type { Dialer } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { FlagTexts } from "../cli/Flags.ts"
import { complaint } from "../cli/Presenter.ts"
import type { ConfigError } from "../config/ConfigError.ts"
import { identityOf } from "../config/Identity.ts"
import { type Loaded, absolute, loadSettings } from "../config/LoadSettings.ts"
import { RPC_PORTS } from "../config/rows/Rpc.ts"
import { layerWays, withPort } from "../network/Ways.ts"
import { counted } from "../Numbers.ts"
import { type Finding, TROUBLESHOOTING, findingLines } from "./Finding.ts"
import { disk, headersKept, inUse, port, reachability } from "./Machine.ts"
import { meet, seeds } from "./Peers.ts"

const UnwellBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "Unwell"; readonly message: string } = Data.TaggedError("Unwell")

/** Something is not as a node needs it. */
export class Unwell extends UnwellBase {}

export const runDoctor = (flags: FlagTexts): Effect.Effect<void, ConfigError | Unwell, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const loaded = yield* loadSettings("doctor", flags)
    for (const warning of loaded.warnings) yield* Console.error(complaint(warning))
    let problems = 0
    const tell = (finding: Finding): Effect.Effect<void> => {
      if (finding.state === "unwell") problems += 1
      return Console.log(findingLines(finding).join("\n"))
    }
    yield* examine(loaded, tell).pipe(Effect.provide([layerWays(loaded.settings), SeedResolver.layer()]))
    if (problems === 0) return yield* Console.log("Nothing stands in the way of a node.")
    const what = problems === 1 ? "one problem" : `${problems} problems`
    return yield* new Unwell({ message: `found ${what}: more about each in ${TROUBLESHOOTING}` })
  })

type Tell = (finding: Finding) => Effect.Effect<void>

const examine = (loaded: Loaded, tell: Tell): Effect.Effect<void, ConfigError, Dialer | SeedResolver> =>
  Effect.gen(function* () {
    const { network, settings } = loaded
    const identity = yield* Effect.fromResult(identityOf(loaded))
    const { params } = identity
    const root = absolute(settings.datadir)
    const directory = join(root, params.directory)
    const found = yield* disk(directory)
    yield* tell(found)
    const taken = found.state === "unwell" ? undefined : yield* inUse(root, params)
    if (taken !== undefined) yield* tell(taken)
    const own = settings.port ?? params.defaultPort
    const listens = settings.listen ?? settings.connect.length === 0
    if (listens) yield* tell(yield* port("peers", "0.0.0.0", own, "--port"))
    if (settings.server !== false) {
      yield* tell(yield* port("JSON-RPC", "127.0.0.1", settings.rpcport ?? RPC_PORTS[network], "--rpcport"))
    }
    yield* tell(reachability(listens, own))
    const named = [...settings.connect, ...settings.addnode].map((node) => withPort(node, params.defaultPort))
    const isBehindProxy = settings.proxy !== undefined && settings.proxy !== "none"
    const asked = named.length > 0 ? NOT_ASKED : isBehindProxy ? BY_PROXY : yield* seeds(params)
    for (const finding of asked.findings) yield* tell(finding)
    const { findings, heights } = yield* meet([...named, ...asked.endpoints], identity, settings.timeout)
    for (const finding of findings) yield* tell(finding)
    const kept = yield* headersKept(directory)
    if (kept > 0 && heights.length > 0) yield* tell(progress(kept, Math.max(...heights)))
  })

const NOT_ASKED = {
  findings: [{ check: "DNS seeds", state: "unknown", text: "They are not needed: nodes are named." } as const],
  endpoints: []
}
const BY_PROXY = {
  findings: [
    {
      check: "DNS seeds",
      state: "unknown",
      text: "They are left to the proxy, so that nothing is resolved here; name a node with --addnode to look further."
    } as const
  ],
  endpoints: []
}

const progress = (kept: number, height: number): Finding => ({
  check: "Headers",
  state: "well",
  text:
    kept >= height
      ? `About ${counted(kept)} are kept: all that there are.`
      : `About ${counted(kept)} of ${counted(height)} are kept; a start fetches the rest.`
})
