/**
 * Peers that misbehave at ours, one offence each: bytes that are no protocol, messages that nobody asked for, handshakes that are not
 * finished, headers without work, blocks that are invalid. None of them may cost the node more than a connection.
 */
import { concat } from "@satwire/bytes"
import { type Block, BlockView, encodeHeader } from "@satwire/primitives"
import { platformSha256 } from "@satwire/crypto/node"
import { frame, framed, looseTransaction, regtestChain } from "@satwire/testkit"
import { type Connection, Dialer, type Endpoint } from "@satwire/transport"
import {
  Inventory,
  MSG_BLOCK,
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  NO_ADDRESS,
  PROTOCOL_VERSION,
  encodePayload,
  headersMessage
} from "@satwire/wire"
import * as Effect from "effect/Effect"
import { anyOf } from "./Mining.ts"
import { mined } from "./Mirror.ts"
import type { World } from "./World.ts"

/** What an offender says, piece by piece; between two pieces it waits for a moment. */
type Offence = (world: World) => ReadonlyArray<Uint8Array>

const BETWEEN_MS = 150
/** How long those stay who say nothing more. */
const STAY_MS = 4000
/** Of less work than the chains that are followed. */
const LOW_WORK_HEADERS = 500

const bytesOf = ({ random }: World, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => random.below(256))

const version = ({ mirror, random, unix }: World): Message => ({
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: NODE_NETWORK | NODE_WITNESS,
  time: BigInt(unix()),
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: BigInt(1 + random.below(1_000_000_000)),
  userAgent: "/offender:1/",
  startHeight: mirror.best,
  relay: true
})

const hello = (world: World): Uint8Array => framed(version(world), { _tag: "verack" })

/** After a handshake. */
const said =
  (...messages: ReadonlyArray<Message>) =>
  (world: World): ReadonlyArray<Uint8Array> => [hello(world), framed(...messages)]

const ping: Uint8Array = encodePayload({ _tag: "ping", nonce: 1n })

let lowWork: Uint8Array | undefined
const lowWorkHeaders = (): Uint8Array => (lowWork ??= regtestChain(LOW_WORK_HEADERS))

const strangeHeaders = (world: World, count: number): Uint8Array =>
  concat(
    Array.from({ length: count }, () => {
      const raw = encodeHeader(world.mirror.header(world.mirror.best))
      raw.set(bytesOf(world, 32), 4)
      return raw
    })
  )

/** A block on the tip that is spoilt, under a header that is good. */
const spoilt = (world: World, spoil: (block: Block) => Block["transactions"]): ReadonlyArray<Uint8Array> => {
  const { mirror, random, unix } = world
  const good = mirror.make({ unix: unix(), extraNonce: 1 + random.below(1_000_000) })
  const transactions = spoil(good)
  const view = BlockView.of({ ...good, transactions })
  const { root } = view.merkleRoot(platformSha256)
  const block = BlockView.of(mined({ header: { ...good.header, merkleRoot: root }, transactions }))
  return offered(world, block)
}

/** First its header and then, asked or not, the block. */
const offered = (world: World, block: BlockView): ReadonlyArray<Uint8Array> => [
  hello(world),
  framed(headersMessage(block.rawHeader.slice())),
  framed({ _tag: "block", block })
]

const OFFENCES: { readonly [What: string]: Offence } = {
  "bad checksum": (world) => [hello(world), ...Array.from({ length: 5 }, () => frame("ping", ping, { spoil: 1 }))],
  "wrong magic": () => [frame("version", new Uint8Array(86), { magic: 0xd9b4bef9 })],
  "wrong magic later": (world) => [hello(world), frame("ping", ping, { magic: 0xd9b4bef9 })],
  "a length over four million": (world) => [hello(world), frame("block", ping, { length: 4_000_001 })],
  "a length that never comes": (world) => [hello(world), frame("block", ping, { length: 3_999_999 })],
  "a ping of a million bytes": (world) => [hello(world), frame("ping", new Uint8Array(1_000_000))],
  "an unknown command": (world) => [hello(world), frame("nonsense", bytesOf(world, 500))],
  "payloads that do not decode": (world) => [
    hello(world),
    ...["headers", "inv", "tx", "block", "cmpctblock", "addrv2", "getdata"].map((command) =>
      frame(command, bytesOf(world, 300))
    )
  ],
  garbage: (world) => [bytesOf(world, 3000), bytesOf(world, 3000)],
  "nothing at all": () => [],
  "half a frame": (world) => [hello(world).subarray(0, 30)],
  "half a handshake": (world) => [framed(version(world))],
  "a version twice": (world) => [framed(version(world), version(world))],
  "a verack first": () => [framed({ _tag: "verack" })],
  "blocks and pings before a handshake": () => [
    framed({ _tag: "ping", nonce: 1n }, headersMessage(lowWorkHeaders().slice()))
  ],
  "a block that nobody asked for": (world) => [
    hello(world),
    framed({ _tag: "block", block: world.mirror.block(world.mirror.best - world.random.below(50)) })
  ],
  "notfound that nobody asked for": (world) =>
    said({
      _tag: "notfound",
      inventory: Inventory.ofType(
        MSG_BLOCK,
        Array.from({ length: 1000 }, () => bytesOf(world, 32))
      )
    })(world),
  "blocks that are not there": (world) =>
    said({ _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, [bytesOf(world, 32), bytesOf(world, 32)]) })(world),
  "a transaction that spends twice": (world) => {
    const twice = world.random.below(1_000_000)
    return said({ _tag: "tx", tx: looseTransaction({ spends: [twice, twice] }).tx })(world)
  },
  "headers of low work": (world) => [
    hello(world),
    ...Array.from({ length: 5 }, () => framed(headersMessage(lowWorkHeaders().slice())))
  ],
  "headers that connect to nothing": (world) => [
    hello(world),
    ...Array.from({ length: 12 }, () => framed(headersMessage(strangeHeaders(world, 1))))
  ],
  "headers that do not follow each other": (world) => said(headersMessage(strangeHeaders(world, 20)))(world),
  "a block without its coinbase": (world) =>
    spoilt(world, () => [looseTransaction({ spends: [1], nonce: world.random.below(1_000_000) }).tx.materialise()]),
  "a block with two coinbases": (world) => spoilt(world, ({ transactions }) => [...transactions, ...transactions]),
  "a block that spends a coin twice": (world) =>
    spoilt(world, ({ transactions }) => [
      ...transactions,
      looseTransaction({ spends: [2, 2], nonce: world.random.below(1_000_000) }).tx.materialise()
    ]),
  "a block of another root": (world) => {
    const { mirror, random, unix } = world
    const good = mirror.make({ unix: unix(), extraNonce: 1 + random.below(1_000_000) })
    const other = mirror.make({ unix: unix(), extraNonce: 2_000_000 + random.below(1_000_000) })
    return offered(world, BlockView.of({ header: good.header, transactions: other.transactions }))
  },
  "a block without work": (world) => {
    const { mirror, random, unix } = world
    const good = mirror.make({ unix: unix(), extraNonce: 1 + random.below(1_000_000) })
    return offered(world, BlockView.of({ ...good, header: { ...good.header, bits: 0x1d00ffff } }))
  }
}

const KINDS: ReadonlyArray<string> = Object.keys(OFFENCES)

/** One comes, offends, and stays until it is thrown out or has had enough. */
export const offend = (world: World): Effect.Effect<void, never, Dialer> =>
  Effect.gen(function* () {
    const kind = anyOf(world, KINDS)
    const endpoint: Endpoint = anyOf(world, world.endpoints())
    const pieces = OFFENCES[kind]?.(world) ?? []
    const stayMs = world.random.below(STAY_MS)
    world.tally.add("offenders")
    world.tally.add(`offence: ${kind}`)
    const dialer = yield* Dialer
    yield* Effect.ignore(
      Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* Effect.acquireRelease(dialer.dial(endpoint), (it) =>
            Effect.sync(() => it.destroy())
          )
          const closed = listening(connection)
          const speak = Effect.forEach(
            pieces,
            (piece) =>
              Effect.andThen(
                Effect.sync(() => connection.write(piece)),
                Effect.sleep(BETWEEN_MS)
              ),
            { discard: true }
          )
          yield* Effect.raceFirst(Effect.andThen(speak, Effect.sleep(stayMs)), closed)
          if (world.random.below(2) === 0) connection.end()
        })
      )
    )
  })

/** Reads and forgets what comes. Done when the connection is closed. */
const listening = (connection: Connection): Effect.Effect<void> => {
  let isClosed = false
  let told: (() => void) | undefined
  connection.start({
    onBytes: () => {},
    onDrain: () => {},
    onClose: () => {
      isClosed = true
      told?.()
    }
  })
  return Effect.callback<void>((resume) => {
    if (isClosed) resume(Effect.void)
    else told = () => resume(Effect.void)
  })
}
