/**
 * How many ids gossipsub remembers of what it has seen, which it bounds by time alone: two minutes of what peers may send are gigabytes of them. The
 * oldest go first; one that comes again after that is a message as any other, which a topic with an `idOf` still knows.
 */
import type { GossipSub } from "@libp2p/gossipsub"
import { forgetOldest } from "@satwire/machine"

/**
 * @limit ids of messages that gossip remembers for two minutes, each some kilobyte with its record
 */
export const MAX_IDS_OF_GOSSIP = 131_072

/** What gossipsub has inside. */
interface Inner {
  readonly seenCache: {
    put: (id: string, value: undefined) => boolean
    readonly entries: Map<string, unknown>
  }
  readonly score: {
    readonly deliveryRecords: {
      ensureRecord: (id: string) => unknown
      readonly records: Map<string, unknown>
      readonly queue: { shift: () => { readonly msgId: string } | undefined }
    }
  }
}

/** @throws TypeError where this version of gossipsub keeps them in another way */
export const boundSeen = (engine: GossipSub, most: number = MAX_IDS_OF_GOSSIP): void => {
  const { seenCache, score } = engine as unknown as Partial<Inner>
  const records = score?.deliveryRecords
  if (!(seenCache?.entries instanceof Map) || !(records?.records instanceof Map)) {
    throw new TypeError("this version of @libp2p/gossipsub remembers what it has seen in another way")
  }
  const put = seenCache.put.bind(seenCache)
  seenCache.put = (id, value) => {
    if (seenCache.entries.size >= most) forgetOldest(seenCache.entries)
    return put(id, value)
  }
  const ensure = records.ensureRecord.bind(records)
  records.ensureRecord = (id) => {
    if (records.records.size >= most && !records.records.has(id)) {
      const oldest = records.queue.shift()
      if (oldest !== undefined) records.records.delete(oldest.msgId)
    }
    return ensure(id)
  }
}
