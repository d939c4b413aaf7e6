/**
 * Who provides what, as peers say to a server of the hash table. js-libp2p keeps whatever anybody says for two days, and looks through all of it for
 * each question; here it is found by its content, and is so much of one peer and of all.
 */
import { BaseDatastore } from "datastore-core"

/**
 * @limit contents that one peer may say it provides to a server of the hash table; of more the oldest are forgotten
 */
export const MAX_PROVIDED_OF_ONE = 1024
/**
 * @limit records of who provides what that a server of the hash table keeps; the oldest make room
 */
export const MAX_PROVIDED = 65_536

/**
 * Those who said so at last. An answer has them all, and each with its addresses.
 *
 * @limit providers of one content that a server of the hash table tells of
 */
export const MAX_TOLD_PROVIDERS = 64
/**
 * The hash of a content and a peer's id take half of it.
 *
 * @limit characters of the name of a record of who provides what; longer ones are not kept
 */
export const MAX_RECORD_NAME = 256

type Key = Parameters<BaseDatastore["put"]>[0]
type Query = Parameters<BaseDatastore["_all"]>[0]

const ALL = "/provider"

/** A key of js-libp2p's is `/dht/provider/CONTENT/PEER`. */
const splitKey = (key: string): readonly [content: string, peer: string] => {
  const end = key.lastIndexOf("/")
  return [key.slice(0, end), key.slice(end + 1)]
}

/** Names of records by what they have in common. */
class Groups {
  readonly #groups: Map<string, Set<string>> = new Map()

  get(group: string): ReadonlySet<string> {
    return this.#groups.get(group) ?? NONE
  }

  add(group: string, name: string): void {
    this.#groups.set(group, (this.#groups.get(group) ?? new Set<string>()).add(name))
  }

  remove(group: string, name: string): void {
    const names = this.#groups.get(group)
    names?.delete(name)
    if (names?.size === 0) this.#groups.delete(group)
  }
}

const NONE: ReadonlySet<string> = new Set()

interface ProviderRecord {
  readonly key: Key
  readonly value: Uint8Array
}

export class ProviderStore extends BaseDatastore {
  readonly #self: string
  /** By name, the oldest first. */
  readonly #records: Map<string, ProviderRecord> = new Map()
  readonly #byContent: Groups = new Groups()
  readonly #byPeer: Groups = new Groups()

  /** @param self the peer whose own records are never forgotten */
  constructor(self: string) {
    super()
    this.#self = self
  }

  override put(key: Key, value: Uint8Array): Key {
    const name = key.toString()
    if (name.length > MAX_RECORD_NAME) return key
    const [content, peer] = splitKey(name)
    this.#forget(name)
    const ofPeer = this.#byPeer.get(peer)
    if (ofPeer.size >= MAX_PROVIDED_OF_ONE) this.#forgetFirst(ofPeer)
    if (this.#records.size >= MAX_PROVIDED) this.#forgetFirst(this.#records.keys())
    this.#records.set(name, { key, value })
    this.#byContent.add(content, name)
    this.#byPeer.add(peer, name)
    return key
  }

  override get(key: Key): Uint8Array {
    const record = this.#records.get(key.toString())
    if (record !== undefined) return record.value
    throw Object.assign(new Error("not found"), { name: "NotFoundError" })
  }

  override has(key: Key): boolean {
    return this.#records.has(key.toString())
  }

  override delete(key: Key): void {
    this.#forget(key.toString())
  }

  /** Of one content, or of all where no content is named. */
  override *_all({ prefix = ALL }: Query): Generator<ProviderRecord> {
    for (const name of prefix.endsWith(ALL) ? this.#records.keys() : this.#told(prefix)) {
      const record = this.#records.get(name)
      if (record !== undefined) yield record
    }
  }

  override *_allKeys({ prefix = ALL }: Pick<Query, "prefix">): Generator<Key> {
    for (const { key } of this._all({ prefix })) yield key
  }

  #told(content: string): Iterable<string> {
    const names = this.#byContent.get(content)
    const own = `${content}/${this.#self}`
    if (names.size <= MAX_TOLD_PROVIDERS) return names
    const last = [...names].slice(-MAX_TOLD_PROVIDERS)
    return names.has(own) ? new Set([own, ...last]) : last
  }

  #forgetFirst(names: Iterable<string>): void {
    for (const name of names) {
      if (splitKey(name)[1] !== this.#self) return this.#forget(name)
    }
  }

  #forget(name: string): void {
    if (!this.#records.delete(name)) return
    const [content, peer] = splitKey(name)
    this.#byContent.remove(content, name)
    this.#byPeer.remove(peer, name)
  }
}
