/** `satwire-bridge`: a bridge that runs until it is asked to stop. */
import * as NodeDns from "@effect/platform-node/NodeDns"
import type { ListenError } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import type { Certificate } from "@satwire/transport-websocket/node"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as IpNetwork from "effect/net/IpNetwork"
import type { PlatformError } from "effect/PlatformError"
import { makeBridge } from "./bridge/Bridge.ts"
import { Origins } from "./bridge/Origins.ts"
import { Targets } from "./bridge/Targets.ts"
import type { FlagTexts } from "./cli/BridgeCommand.ts"
import { ConfigError } from "@satwire/command-line"
import { loadSettings } from "./config/LoadSettings.ts"
import type { Settings } from "./config/Options.ts"
import { logLines, makeTell } from "./log/BridgeLog.ts"

/**
 * Less than a listener of WebSockets takes by itself, since a message lies here until all of it is there, once for each page.
 *
 * @limit bytes of a message from a page to a bridge
 */
const MAX_MESSAGE_BYTES: number = 128 * 1024

/** Runs the bridge that these flags and the environment describe. */
export const runBridge = (flags: FlagTexts): Effect.Effect<never, ConfigError | ListenError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const environment = yield* Effect.sync(() => ({ ...process.env }))
    const settings = yield* Effect.fromResult(loadSettings({ flags, environment }))
    const tls = yield* certificateOf(settings)
    return yield* bridgeOf(settings, tls).pipe(Effect.provide([logLines(settings.json), layerTcp, NodeDns.layer]))
  })

const bridgeOf = (settings: Settings, tls: Certificate | undefined) =>
  Effect.gen(function* () {
    yield* Effect.addFinalizer(() => Effect.logInfo("stopped"))
    yield* makeBridge({
      server: {
        ...settings.listen,
        tls,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        handshakeTimeoutMs: settings.handshaketimeout + settings.connecttimeout
      },
      targets: new Targets(settings.allow),
      origins: new Origins(settings.origin),
      limits: {
        maxConnections: settings.maxconnections,
        maxPerSource: settings.maxpersource,
        perMinute: settings.newperminute
      },
      rules: {
        idleMs: settings.idletimeout,
        firstBytesMs: settings.handshaketimeout,
        maxBytes: settings.maxbytes ?? Infinity,
        allowUnencrypted: settings.allowv1
      },
      bytesPerSecond: settings.rate,
      totalBytesPerSecond: settings.totalrate,
      dialTimeoutMs: settings.connecttimeout,
      isProxy: (address) => settings.proxy.some((network) => IpNetwork.contains(network, address)),
      tell: yield* makeTell
    })
    return yield* Effect.never
  }).pipe(Effect.scoped)

const certificateOf = ({
  tlscert,
  tlskey
}: Settings): Effect.Effect<Certificate | undefined, ConfigError, FileSystem.FileSystem> =>
  tlscert === undefined || tlskey === undefined
    ? Effect.succeed(undefined)
    : Effect.all({ certificate: readPem("tlscert", tlscert), key: readPem("tlskey", tlskey) })

const readPem = (name: string, path: string): Effect.Effect<string, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      files.readFileString(path),
      (error) => new ConfigError({ message: `the file ${path} of ${name} cannot be read: ${wordOf(error)}` })
    )
    if (text.includes("-----BEGIN ")) return text
    return yield* new ConfigError({ message: `the file ${path} of ${name} is not in PEM` })
  })

/** The system's own word for what went wrong. */
const wordOf = ({ reason }: PlatformError): string => {
  const { cause } = reason
  return cause instanceof Error && "code" in cause ? String(cause.code) : reason._tag
}
