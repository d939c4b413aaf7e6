/** `satwire-chat`: a chat until the person leaves. */
import process from "node:process"
import { platformSha256 } from "@satwire/crypto/node"
import type { NetworkError } from "@satwire/network-manager"
import { seededRandom } from "@satwire/runtime"
import type { ListenError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import { type ChatError, makeChat } from "./chat/Chat.ts"
import type { Flags } from "./cli/ChatCommand.ts"
import type { ConfigError } from "@satwire/command-line"
import { settingsOf } from "./cli/Settings.ts"
import { loadIdentity, makeIdentity } from "./identity/Identity.ts"
import { openNetwork } from "./network/OpenNetwork.ts"
import { makeTalk } from "./terminal/Talk.ts"
import { makeTerminal } from "./terminal/Terminal.ts"
import { servePage } from "./web/ServePage.ts"

type Failure = ConfigError | ListenError | NetworkError | ChatError

/** Runs the chat that these flags describe. */
export const runChat = (flags: Flags): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const settings = yield* Effect.fromResult(settingsOf(flags))
    const { folder, mdns, room, web } = settings
    const identity = yield* folder === undefined ? makeIdentity : loadIdentity(folder)
    const terminal = yield* makeTerminal({ input: process.stdin, output: process.stdout })
    const { manager, network } = yield* openNetwork({ ...settings, identity, mdns: mdns ? {} : undefined })
    const chat = yield* makeChat({ network, key: identity.key, name: settings.name, sha256: platformSha256 })
    yield* terminal.print(`* you are ${chat.name()}, ${chat.self.slice(0, 16)}…; /help tells what there is`)
    for (const address of (yield* manager.getNetworkStatus).addresses) yield* terminal.print(`* at ${address}`)
    if (web !== undefined) {
      const token = Buffer.from((yield* seededRandom).bytes(16)).toString("base64url")
      const onRefusal = (line: string) => terminal.print(`! ${line}`)
      yield* terminal.print(`* page: ${yield* servePage({ chat, ...web, token, onRefusal })}`)
    }
    const talk = yield* makeTalk({
      chat,
      room,
      print: terminal.print,
      onRoom: (now) => terminal.prompt(now === undefined ? "> " : `#${now}> `)
    })
    for (;;) {
      const line = yield* Effect.result(terminal.line)
      if (Result.isFailure(line)) {
        // A page may still be read where the pipe that started it all has ended.
        if (web !== undefined && !terminal.isPerson) return yield* Effect.never
        return
      }
      if (!(yield* talk.follow(line.success))) return
    }
  }).pipe(Effect.scoped)
