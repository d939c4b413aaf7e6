/** What the page is told, as JSON: the one description of it for the node's side and the page's. */

/** Bytes and messages under one command. */
export type CommandCount = readonly [command: string, messages: number, bytes: number]

export interface PeerRow {
  readonly id: number
  readonly address: string
  /** As BIP-0155 calls it; empty where the address is none. */
  readonly network: string
  readonly kind: string
  readonly direction: string
  readonly transport: string
  readonly state: string
  readonly userAgent: string
  /** For how long it has been connected. */
  readonly forMs: number
  readonly pingMs: number | null
  readonly minPingMs: number | null
  readonly bytesReceived: number
  readonly bytesSent: number
  /** The best header that we know it has; -1 for none. */
  readonly height: number
}

/** All that is known of a peer. */
export interface PeerDetail extends PeerRow {
  readonly socket: string
  readonly seenAs: string
  readonly sessionId: string
  readonly protocolVersion: number | null
  readonly services: ReadonlyArray<string>
  readonly startHeight: number | null
  readonly timeOffsetSeconds: number | null
  /** What was agreed on, by name. */
  readonly agreed: ReadonlyArray<string>
  readonly permissions: ReadonlyArray<string>
  readonly mappedAs: number
  /** Since when a ping waits for its pong. */
  readonly pingWaitsMs: number | null
  readonly lastReceivedMs: number | null
  readonly lastSentMs: number | null
  readonly lastBlockMs: number | null
  readonly lastTransactionMs: number | null
  readonly receivedBytesWaiting: number
  readonly blocksHeight: number
  readonly presyncedHeight: number
  readonly inFlight: ReadonlyArray<number>
  readonly isHighBandwidthTo: boolean
  readonly isHighBandwidthFrom: boolean
  readonly addresses: { readonly processed: number; readonly rateLimited: number } | null
  readonly transactions: {
    readonly isTold: boolean
    readonly minFeeRateSatPerKvb: number
    readonly toAnnounce: number
    readonly inFlight: number
  } | null
  readonly received: ReadonlyArray<CommandCount>
  readonly sent: ReadonlyArray<CommandCount>
}

/** What happened in one second. */
export interface Sample {
  /** Counts up from 1. */
  readonly n: number
  readonly unixMs: number
  /** Since the one before: a second, or more where the machine was busy. */
  readonly overMs: number
  readonly received: number
  readonly sent: number
  /** Bytes both ways by command, without those of which there were none. */
  readonly bytes: Readonly<Record<string, number>>
  readonly messages: Readonly<Record<string, number>>
  readonly peers: number
  readonly pingMedianMs: number | null
  readonly pingP99Ms: number | null
  readonly headers: number
  readonly blocks: number | null
  readonly turns: number
  readonly turnMs: number
  /** Turns in each of {@link State.turns}' steps. */
  readonly steps: ReadonlyArray<number>
  readonly cpuMs: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly receivedBytesWaiting: number
  readonly blocksWaiting: number
  readonly blocksInFlight: number
}

export interface BlockNote {
  readonly height: number
  readonly hash: string
  /** As its miner claimed, in seconds since 1970. */
  readonly time: number
  /** When it became the tip here. */
  readonly unixMs: number
  readonly removed: number
  readonly added: number
  /** Whose header it was; `null` where it was made here or comes from elsewhere. */
  readonly from: number | null
  /** How it was put together of a `cmpctblock`, if it was. */
  readonly compact: {
    readonly tookMs: number
    readonly roundTrips: number
    readonly fromPool: number
    readonly transactions: number
  } | null
  /** How many of how many peers had it by when, in seconds after it was the tip here: how it spread, as far as they let us know. */
  readonly spread: ReadonlyArray<{ readonly afterMs: number; readonly peers: number; readonly of: number }>
}

export interface TipRow {
  readonly height: number
  readonly hash: string
  readonly branchLength: number
  readonly status: string
}

export interface State {
  readonly unixMs: number
  /** Of this run of the node, and of no other. */
  readonly startedUnixMs: number
  /** How long it has been running, whatever is done to the wall clock. */
  readonly uptimeSeconds: number
  readonly version: string
  readonly network: string
  /** Coins and scripts are not verified there, which the page says. */
  readonly isPublic: boolean
  /** Seconds that a block should take. */
  readonly spacingSeconds: number
  readonly own: {
    readonly userAgent: string
    readonly protocolVersion: number
    readonly services: ReadonlyArray<string>
    readonly isNetworkActive: boolean
    readonly timeOffsetSeconds: number
    readonly local: ReadonlyArray<string>
  }
  readonly headers: {
    readonly height: number
    readonly hash: string
    readonly time: number
    readonly count: number
    readonly syncingWith: number | null
    readonly presyncing: ReadonlyArray<{ readonly peer: number; readonly phase: string; readonly height: number }>
  } | null
  readonly blocks: {
    readonly height: number
    readonly hash: string
    readonly time: number
    readonly targetHeight: number
    readonly kept: number
    readonly inFlight: number
    readonly waiting: number
    readonly waitingBytes: number
    readonly bytesPerSecond: number
  } | null
  readonly pool: {
    readonly count: number
    readonly memoryBytes: number
    readonly minFeeRateSatPerKvb: number
    readonly orphans: number
  } | null
  readonly compact: { readonly to: number; readonly from: number; readonly partial: number } | null
  /** The first so many of {@link State.peerCount}. */
  readonly peers: ReadonlyArray<PeerRow>
  readonly peerCount: number
  readonly dialling: ReadonlyArray<{ readonly endpoint: string; readonly kind: string }>
  readonly tips: ReadonlyArray<TipRow>
  readonly tipCount: number
  readonly lastBlocks: ReadonlyArray<BlockNote>
  readonly reorganisations: ReadonlyArray<BlockNote>
  readonly bans: ReadonlyArray<{ readonly subnet: string; readonly until: number; readonly refused: number }>
  readonly banCount: number
  readonly upload: { readonly targetBytes: number; readonly leftBytes: number | null; readonly leftMs: number }
  readonly addresses: {
    readonly new: number
    readonly tried: number
    readonly networks: ReadonlyArray<{ readonly network: string; readonly new: number; readonly tried: number }>
  } | null
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly received: ReadonlyArray<CommandCount>
  readonly sent: ReadonlyArray<CommandCount>
  readonly turns: {
    /** The upper ends of the steps, in milliseconds. */
    readonly ends: ReadonlyArray<number>
    readonly steps: ReadonlyArray<number>
    readonly turns: number
    readonly totalMs: number
    readonly longestMs: number
    readonly mostWaiting: number
  }
}

/** What `/dashboard/state` answers: how things stand, and the samples after the one that was asked for. */
export interface StateAnswer {
  readonly state: State
  readonly samples: ReadonlyArray<Sample>
}

export interface MessageRow {
  /** Counts up from 1 for as long as messages are looked on at. */
  readonly n: number
  readonly unixMs: number
  readonly peer: number
  readonly address: string
  readonly side: "received" | "sent"
  readonly command: string
  readonly sizeBytes: number
}

/** What `/dashboard/messages` answers. */
export interface MessagesAnswer {
  /** The newest first. */
  readonly rows: ReadonlyArray<MessageRow>
  /** Ask for what comes after this the next time. */
  readonly last: number
  /** Messages after the one that was asked for, of any kind, that are not told: too many came at once. */
  readonly lost: number
}

/** What a message says, as JSON says it. */
export type Shown = null | boolean | number | string | ReadonlyArray<Shown> | { readonly [name: string]: Shown }

export interface MessageDetail extends MessageRow {
  /** What it says; `null` where it did not decode, or is no message of the protocol. */
  readonly decoded: Shown | null
  /** The first bytes of its payload, in hexadecimal. */
  readonly hex: string
  readonly payloadBytes: number
}
