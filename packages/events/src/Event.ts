/**
 * What a node tells to those who listen, as small plain records: one Schema for all, whichever way they travel.
 *
 * Hashes are hexadecimal as people read them (reversed), services 16 hexadecimal digits, times milliseconds since 1970 unless their name says
 * otherwise. A later version may add kinds of events and fields; what is here keeps its name and meaning. A reader passes over what it does not know.
 */
import * as Schema from "effect/Schema"

/** The version of all this, which stands in every event. */
export const EVENTS_VERSION = 1

/** What one can ask for. */
export const TOPICS = ["peer", "message", "tip", "block", "transaction", "misbehaviour"] as const
export type Topic = (typeof TOPICS)[number]

/** What a message decodes to, as JSON can say it. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

interface Common {
  readonly v: typeof EVENTS_VERSION
  /** When it was told. */
  readonly at: number
}

export interface PeerEvent extends Common {
  readonly topic: "peer"
  readonly state: "connecting" | "unreachable" | "connected" | "ready" | "disconnecting" | "disconnected"
  /** The number of the connection; it has none before it is there. */
  readonly peer?: number | undefined
  readonly address: string
  /** As Bitcoin Core calls it: `inbound`, `outbound-full-relay`, `manual`, … */
  readonly kind?: string | undefined
  readonly direction?: "inbound" | "outbound" | undefined
  readonly transport?: "v1" | "v2" | undefined
  /** Harmless ASCII only. */
  readonly userAgent?: string | undefined
  readonly services?: string | undefined
  readonly protocolVersion?: number | undefined
  readonly startHeight?: number | undefined
  /** Why, in one sentence. */
  readonly sentence?: string | undefined
}

export interface MessageEvent extends Common {
  readonly topic: "message"
  readonly peer: number
  readonly address: string
  readonly side: "received" | "sent"
  /** `*other*`, `*dropped*` or `*decoy*` for what is no message. */
  readonly command: string
  /** Of the whole frame or packet, as it is on the wire. */
  readonly sizeBytes: number
  /** What it says, where that was asked for and it is a message. */
  readonly decoded?: Json | undefined
  /** Its bytes, where they were asked for. */
  readonly payload?: Uint8Array | undefined
}

/** The best header is another. */
export interface TipEvent extends Common {
  readonly topic: "tip"
  readonly height: number
  readonly hash: string
  /** Seconds since 1970, as its miner claims. */
  readonly timeSeconds: number
  readonly forkHeight: number
  /** So many headers above the fork are no longer of the best chain: the depth of a reorganisation. */
  readonly removed: number
  readonly added: number
  readonly from?: number | undefined
}

export interface BlockEvent extends Common {
  readonly topic: "block"
  /** The followed chain ends here; a block breaks a rule; one was put together of its short form; we mined one. */
  readonly what: "connected" | "invalid" | "reconstructed" | "made"
  readonly height?: number | undefined
  readonly hash?: string | undefined
  readonly timeSeconds?: number | undefined
  readonly forkHeight?: number | undefined
  readonly removed?: number | undefined
  readonly added?: number | undefined
  readonly rule?: string | undefined
  readonly transactions?: number | undefined
  /** Of those, how many had to be fetched. */
  readonly fetched?: number | undefined
  readonly blockBytes?: number | undefined
  readonly messageBytes?: number | undefined
  readonly roundTrips?: number | undefined
  readonly tookMs?: number | undefined
}

export interface TransactionEvent extends Common {
  readonly topic: "transaction"
  /** It waits for a block; or what became of one of our own. */
  readonly what: "accepted" | "submitted"
  readonly wtxid: string
  readonly txid?: string | undefined
  readonly from?: number | undefined
  /** Why it is not taken. */
  readonly rule?: string | undefined
}

export interface MisbehaviourEvent extends Common {
  readonly topic: "misbehaviour"
  /** An address is discouraged; a message was dropped; somebody was sent away at once. */
  readonly what: "discouraged" | "dropped" | "refused"
  readonly peer: number
  readonly address?: string | undefined
  readonly command?: string | undefined
  readonly sentence: string
}

/** So many events were lost, because the reader was slow. */
export interface LostEvent extends Common {
  readonly topic: "lost"
  readonly of: "messages" | "others"
  readonly count: number
}

/** The first event of all, and what comes when nothing else has for a while. */
export interface AliveEvent extends Common {
  readonly topic: "alive"
}

export type NodeEvent =
  | PeerEvent
  | MessageEvent
  | TipEvent
  | BlockEvent
  | TransactionEvent
  | MisbehaviourEvent
  | LostEvent
  | AliveEvent

const JsonSchema: Schema.Codec<Json> = Schema.suspend(() =>
  Schema.Union([
    Schema.Null,
    Schema.Boolean,
    Schema.Finite,
    Schema.String,
    Schema.Array(JsonSchema),
    Schema.Record(Schema.String, JsonSchema)
  ])
)

const maybe = <S extends Schema.Top>(schema: S) => Schema.optional(schema)
const common = { v: Schema.Literal(EVENTS_VERSION), at: Schema.Finite }
const number = Schema.Finite
const text = Schema.String

/** Of an event in memory and in MessagePack; for JSON see `Codec.ts`. */
export const NodeEventSchema: Schema.Codec<NodeEvent, unknown> = Schema.Union([
  Schema.Struct({
    ...common,
    topic: Schema.Literal("peer"),
    state: Schema.Literals(["connecting", "unreachable", "connected", "ready", "disconnecting", "disconnected"]),
    peer: maybe(number),
    address: text,
    kind: maybe(text),
    direction: maybe(Schema.Literals(["inbound", "outbound"])),
    transport: maybe(Schema.Literals(["v1", "v2"])),
    userAgent: maybe(text),
    services: maybe(text),
    protocolVersion: maybe(number),
    startHeight: maybe(number),
    sentence: maybe(text)
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("message"),
    peer: number,
    address: text,
    side: Schema.Literals(["received", "sent"]),
    command: text,
    sizeBytes: number,
    decoded: maybe(JsonSchema),
    payload: maybe(Schema.Uint8Array)
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("tip"),
    height: number,
    hash: text,
    timeSeconds: number,
    forkHeight: number,
    removed: number,
    added: number,
    from: maybe(number)
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("block"),
    what: Schema.Literals(["connected", "invalid", "reconstructed", "made"]),
    height: maybe(number),
    hash: maybe(text),
    timeSeconds: maybe(number),
    forkHeight: maybe(number),
    removed: maybe(number),
    added: maybe(number),
    rule: maybe(text),
    transactions: maybe(number),
    fetched: maybe(number),
    blockBytes: maybe(number),
    messageBytes: maybe(number),
    roundTrips: maybe(number),
    tookMs: maybe(number)
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("transaction"),
    what: Schema.Literals(["accepted", "submitted"]),
    wtxid: text,
    txid: maybe(text),
    from: maybe(number),
    rule: maybe(text)
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("misbehaviour"),
    what: Schema.Literals(["discouraged", "dropped", "refused"]),
    peer: number,
    address: maybe(text),
    command: maybe(text),
    sentence: text
  }),
  Schema.Struct({
    ...common,
    topic: Schema.Literal("lost"),
    of: Schema.Literals(["messages", "others"]),
    count: number
  }),
  Schema.Struct({ ...common, topic: Schema.Literal("alive") })
])
