/** The price of a turn: one chunk with a ping in, one write with its pong out. */
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { V1Framing } from "@satwire/framing"
import { HeaderTree } from "@satwire/header-sync"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { NodeCore, type NodeCoreOutput } from "@satwire/node-core"
import { regtest } from "@satwire/primitives"
import { machineService } from "@satwire/runtime"
import { type Message, NO_ADDRESS, PROTOCOL_VERSION, VERACK } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Suite } from "./Suite.ts"

const PEER = PeerId(1)
const TURNS = 5000
const now: Now = { instant: Instant(0), unix: UnixSeconds(1_750_000_000) }

const frames = (...messages: ReadonlyArray<Message>): Uint8Array => {
  const framing = new V1Framing({ magic: regtest.magic, sha256: platformSha256 })
  for (const message of messages) framing.send(message)
  return framing.takeOutput() ?? new Uint8Array(0)
}

const version: Message = {
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 0n,
  time: BigInt(now.unix),
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 1n,
  userAgent: "/bench/",
  startHeight: 0,
  relay: false
}

const makeNode = (): NodeCore =>
  new NodeCore({
    params: regtest,
    roles: { headers: { serve: true, announce: true }, mining: undefined },
    tree: HeaderTree.fromGenesis(regtest, ChaChaRandom.fromNumber(1)),
    sha256: platformSha256,
    random: ChaChaRandom.fromNumber(2),
    userAgent: "/bench/",
    services: 0n
  })

const opened = { _tag: "ConnectionOpened", peer: PEER, kind: "inbound", address: "bench" } as const
const handshake = { _tag: "BytesReceived", peer: PEER, chunk: frames(version, VERACK) } as const
const ping = { _tag: "BytesReceived", peer: PEER, chunk: frames({ _tag: "ping", nonce: 7n }) } as const

export const turnSuite = async (): Promise<Suite> => {
  let written = 0
  const count = (output: NodeCoreOutput): void => {
    if (output._tag === "Write") written += 1
  }
  const node = makeNode()
  const out = { push: count }
  node.handle(opened, now, out)
  node.handle(handshake, now, out)
  const scope = await Effect.runPromise(Scope.make())
  const service = await Effect.runPromise(
    Scope.provide(machineService({ machine: makeNode(), timeout: { _tag: "Timeout" } as const, perform: count }), scope)
  )
  service.submit(opened)
  service.submit(handshake)
  const checked = (run: () => void) => (): number => {
    written = 0
    for (let i = 0; i < TURNS; i++) run()
    if (written !== TURNS) throw new Error(`${written} pongs for ${TURNS} pings`)
    return TURNS
  }
  return {
    title: "the price of a turn: a ping in, a pong out",
    unit: "turns",
    contenders: [
      { name: "the machine alone", run: checked(() => node.handle(ping, now, out)) },
      { name: "through Effect's door", run: checked(() => service.submit(ping)) }
    ],
    close: () => void Effect.runFork(Scope.close(scope, Exit.void))
  }
}
