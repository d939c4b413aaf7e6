import { portableSha256 } from "@satwire/crypto"
import { encodeEnvelope, decodeEnvelope } from "@satwire/envelope"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { TEXTS_AT_ONCE, TEXTS_PER_SECOND } from "../src/chat/ChatRooms.ts"
import { MAX_RECORD_BYTES, readRecord } from "../src/chat/Record.ts"
import { AWAY_AFTER_MS, GONE_AFTER_MS, MAX_KEPT_BYTES, MAX_KEPT_TEXTS, MAX_MEMBERS, Room } from "../src/chat/Room.ts"
import { START_MS, person, textsOf } from "./People.ts"

const [ann, bob, eve] = [person("Ann", 1), person("Bob", 2), person("Eve", 3)]
const fresh = (name = "Carol") => person(name, 4)

describe("texts", () => {
  it("are in one order for all, however they came, and each once", () => {
    const said = [ann.says("one", START_MS + 1), bob.says("two", START_MS + 2), ann.says("three", START_MS + 3)]
    const same = [bob.says("a", START_MS + 9), ann.says("b", START_MS + 9)]
    const orders = [[...said, ...same], [...said, ...same].toReversed()].map((order) => {
      const carol = fresh()
      for (const bytes of [...order, ...order]) carol.rooms.take(bytes, START_MS + 10, false)
      return textsOf(carol)
    })
    expect(orders[0]).toEqual(orders[1])
    expect(orders[0]?.slice(0, 3)).toEqual(["Ann: one", "Bob: two", "Ann: three"])
    expect(orders[0]).toHaveLength(5)
  })

  it("that are forged, cut, altered, of another time or too long are refused by name", () => {
    const carol = fresh()
    const good = ann.says("hello")
    const take = (bytes: Uint8Array, now = START_MS) => {
      const taken = carol.rooms.take(bytes, now, false)
      return taken._tag === "Refused" ? taken.why : taken._tag
    }
    const broken = good.slice()
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
    expect(take(broken)).toBe("forged")
    const envelope = Result.getOrThrow(decodeEnvelope(good))
    expect(take(Result.getOrThrow(encodeEnvelope({ ...envelope, signature: undefined })))).toBe("forged")
    expect(take(good.subarray(0, 50))).toBe("malformed")
    expect(take(ann.seals({ text: "hi", at: START_MS, room: "No Room" }))).toBe("malformed")
    expect(take(ann.says("x".repeat(4097)))).toBe("malformed")
    expect(take(new Uint8Array(MAX_RECORD_BYTES + 1))).toBe("oversize")
    expect(take(ann.says("later", START_MS + 121_000))).toBe("early")
    expect(take(ann.says("old", START_MS), START_MS + 8 * 24 * 3600 * 1000)).toBe("expired")
    // A broken copy that came first does not keep the true one out.
    expect(take(good)).toBe("Fresh")
    expect(take(good)).toBe("Known")
  })

  it("never throw, whatever the bytes are", () => {
    const good = ann.says("hello")
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, flip) => {
          const altered = good.slice()
          altered[at] = (altered[at] ?? 0) ^ flip
          expect(Result.isFailure(readRecord(bytes, portableSha256, START_MS))).toBe(true)
          const taken = fresh().rooms.take(altered, START_MS, false)
          // The byte of hops is nobody's to sign.
          if (at !== 2) expect(taken._tag).toBe("Refused")
        }
      ),
      { numRuns: 40, seed: 1 }
    )
  })

  it("of rooms that one is not in are passed on once, and are history where the room is joined", () => {
    const carol = fresh()
    const bytes = ann.seals({ text: "in den", at: START_MS, room: "den" })
    expect(carol.rooms.take(bytes, START_MS, false)).toEqual({ _tag: "Fresh", events: [] })
    expect(carol.rooms.take(bytes, START_MS, false)._tag).toBe("Known")
    carol.rooms.join("den")
    expect(carol.rooms.take(bytes, START_MS, true)._tag).toBe("Fresh")
    expect(textsOf(carol, "den")).toEqual(["Ann: in den"])
  })

  it("of who talks too fast are refused until time has passed, and others' are not", () => {
    const carol = fresh()
    const take = (bytes: Uint8Array, now: number) => carol.rooms.take(bytes, now, false)._tag
    for (let i = 0; i < TEXTS_AT_ONCE; i++) expect(take(eve.says(`spam ${i}`), START_MS)).toBe("Fresh")
    expect(take(eve.says("one more"), START_MS)).toBe("Refused")
    expect(take(bob.says("hello"), START_MS)).toBe("Fresh")
    expect(take(eve.says("slower"), START_MS + 1000 / TEXTS_PER_SECOND)).toBe("Fresh")
    expect(take(eve.says("and more"), START_MS + 1000 / TEXTS_PER_SECOND)).toBe("Refused")
  })
})

describe("a history", () => {
  it("makes the same room of who comes late, with who is here and by whose word", () => {
    const [first, late] = [fresh("First"), fresh("Late")]
    for (const bytes of [ann.isHere(), bob.isHere(), ann.says("one"), bob.says("two", START_MS + 1)]) {
      first.rooms.take(bytes, START_MS + 2, false)
    }
    // Somebody said something to the late one alone.
    late.rooms.take(eve.says("between", START_MS + 1), START_MS + 2, false)
    const history = first.rooms.history("lobby", START_MS + 3)
    const events = history.flatMap((bytes) => {
      const taken = late.rooms.take(bytes, START_MS + 3, true)
      return taken._tag === "Fresh" ? taken.events : []
    })
    expect(textsOf(late)).toHaveLength(3)
    expect(textsOf(late)[0]).toBe("Ann: one")
    expect(events.filter((event) => event._tag === "Said").every(({ isHistory }) => isHistory)).toBe(true)
    expect(late.rooms.members("lobby").map(({ label }) => label)).toEqual(["Ann", "Bob"])
    expect(first.rooms.history("den", START_MS)).toEqual([])
  })

  it("holds what may be handed over, and nothing that has expired", () => {
    const carol = fresh()
    carol.rooms.take(ann.says("hello"), START_MS, false)
    expect(carol.rooms.history("lobby", START_MS + 8 * 24 * 3600 * 1000)).toEqual([])
    carol.rooms.sweep(START_MS + 8 * 24 * 3600 * 1000)
    expect(textsOf(carol)).toEqual([])
  })

  it("is bounded in texts and bytes, and who says most loses his own first", () => {
    const room = new Room("lobby")
    const record = (key: string, at: number, bytes: number) => ({
      id: `${key}${at}`,
      key,
      content: { room: "lobby", name: key, at, text: "" },
      expires: Infinity,
      bytes: new Uint8Array(bytes)
    })
    for (let i = 0; i < 10; i++) room.say(record("ann", i, 100))
    for (let i = 10; i < 2 * MAX_KEPT_TEXTS; i++) room.say(record("eve", i, 100))
    expect(room.texts).toHaveLength(MAX_KEPT_TEXTS)
    expect(room.texts.filter(({ key }) => key === "ann")).toHaveLength(10)
    for (let i = 0; i < 100; i++) room.say(record("eve", 1000 + i, MAX_RECORD_BYTES))
    expect(room.bytes).toBeLessThanOrEqual(MAX_KEPT_BYTES)
    expect(room.bytes).toBe(room.texts.reduce((sum, { bytes }) => sum + bytes.length, 0))
    expect(room.texts.filter(({ key }) => key === "ann")).toHaveLength(10)
  })
})

describe("people", () => {
  const changes = (carol: ReturnType<typeof fresh>, bytes: Uint8Array, now: number) => {
    const taken = carol.rooms.take(bytes, now, false)
    return taken._tag === "Fresh"
      ? taken.events.flatMap((event) => (event._tag === "Person" ? [`${event.label} ${event.changed.change}`] : []))
      : taken
  }

  it("come, are away when they are silent, come back, and leave", () => {
    const carol = fresh()
    const sweep = (now: number) =>
      carol.rooms.sweep(now).flatMap((event) => (event._tag === "Person" ? [event.changed.change] : []))
    expect(changes(carol, ann.isHere(START_MS), START_MS)).toEqual(["Ann came"])
    expect(changes(carol, ann.isHere(START_MS + 1), START_MS + 1)).toEqual([])
    expect(sweep(START_MS + AWAY_AFTER_MS)).toEqual([])
    expect(sweep(START_MS + 1 + AWAY_AFTER_MS)).toEqual(["away"])
    const later = START_MS + 60_000
    expect(changes(carol, ann.says("still here", later), later)).toEqual(["Ann back"])
    expect(changes(carol, ann.isHere(later + 2, false), later + 2)).toEqual(["Ann left"])
    // That she was here, told late, does not bring her back.
    expect(changes(carol, ann.isHere(later + 1), later + 3)).toEqual([])
    expect(carol.rooms.members("lobby")).toEqual([])
    expect(changes(carol, bob.isHere(later), later)).toEqual(["Bob came"])
    expect(sweep(later + GONE_AFTER_MS)).toEqual(["left"])
  })

  it("of one name are told apart by their keys, whatever its letters look like", () => {
    const carol = fresh()
    const other = person("ａｎｎ", 9)
    expect(changes(carol, ann.isHere(), START_MS)).toEqual(["Ann came"])
    expect(changes(carol, other.isHere(), START_MS)).toEqual([`ann#${other.id.slice(0, 4)} came`])
    carol.rooms.take(ann.says("it is me"), START_MS, false)
    expect(textsOf(carol)).toEqual([`Ann#${ann.id.slice(0, 4)}: it is me`])
    // And nobody can put another's tag into his name.
    const liar = person(`Ann#${ann.id.slice(0, 4)}`, 10)
    const [label] = changes(carol, liar.isHere(), START_MS) as ReadonlyArray<string>
    expect(label).toBe(`Ann${ann.id.slice(0, 4)} came`)
  })

  it("take other names, of which all are told", () => {
    const carol = fresh()
    carol.rooms.take(ann.isHere(), START_MS, false)
    const renamed = ann.seals({ here: true, at: START_MS + 1, name: "Anna" })
    expect(changes(carol, renamed, START_MS + 1)).toEqual(["Anna renamed"])
  })

  it("are no more than a room has place for", () => {
    const room = new Room("lobby")
    const came = (i: number) => {
      const content = { room: "lobby", name: "x", at: START_MS, here: true }
      return room.see({ id: `${i}`, key: `k${i}`, content, expires: Infinity, bytes: new Uint8Array(0) }, START_MS + i)
    }
    for (let i = 0; i < MAX_MEMBERS; i++) expect(came(i)?.change).toBe("came")
    expect(came(MAX_MEMBERS)).toBeUndefined()
    room.sweep(START_MS + AWAY_AFTER_MS, "self")
    expect(came(MAX_MEMBERS + 1)?.change).toBe("came")
    expect(room.members()).toHaveLength(MAX_MEMBERS)
  })
})

describe("names in a full room", () => {
  it("are looked at once each, though all are alike", () => {
    const room = new Room("lobby")
    const fold = vi.spyOn(String.prototype, "normalize")
    onTestFinished(() => fold.mockRestore())
    for (let i = 0; i < MAX_MEMBERS; i++) {
      const key = i.toString(16).padStart(64, "0")
      const content = { room: "lobby", name: `Ann${i % 4}`, at: START_MS, here: true }
      room.see({ id: key, key, content, expires: START_MS + 1, bytes: new Uint8Array(1) }, START_MS)
    }
    const labelOf = room.labels()
    const labels = room.members().map(({ key, name }) => labelOf(key, name))
    expect(new Set(labels).size).toBe(MAX_MEMBERS)
    expect(labels[0]).toMatch(/^Ann0#0+$/)
    expect(fold.mock.calls.length).toBeLessThanOrEqual(4)
  })
})
