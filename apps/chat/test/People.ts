/** People of a chat without a network, on a clock that a test turns. */
import { toHex } from "@satwire/bytes"
import { ChaChaRandom, type SchnorrKey, makeSchnorrKey, portableSha256, portableSignatures } from "@satwire/crypto"
import * as Result from "effect/Result"
import { ChatRooms } from "../src/chat/ChatRooms.ts"
import { type Content, sealRecord } from "../src/chat/Record.ts"

/** 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000

export interface Person {
  readonly key: SchnorrKey
  readonly id: string
  readonly rooms: ChatRooms
  /** What he says in the lobby, signed. */
  readonly says: (text: string, atMs?: number) => Uint8Array
  readonly seals: (content: Omit<Content, "name" | "room"> & Partial<Content>) => Uint8Array
  readonly isHere: (atMs?: number, here?: boolean) => Uint8Array
}

export const person = (name: string, seed: number): Person => {
  const random = ChaChaRandom.fromNumber(seed)
  const key = makeSchnorrKey(random)
  const id = toHex(key.publicKey)
  const seals: Person["seals"] = (content) => {
    const whole = { room: "lobby", name, ...content } as Content
    const drawn = { sha256: portableSha256, nonce: random.u32(), auxiliary: random.bytes(32) }
    return Result.getOrThrow(sealRecord(whole, key, drawn))
  }
  const rooms = new ChatRooms({ self: id, sha256: portableSha256, signatures: portableSignatures })
  rooms.join("lobby")
  return {
    key,
    id,
    rooms,
    seals,
    says: (text, at = START_MS) => seals({ text, at }),
    isHere: (at = START_MS, here = true) => seals({ here, at })
  }
}

export const textsOf = ({ rooms }: Person, room = "lobby"): ReadonlyArray<string> =>
  rooms.texts(room).map(({ from, text }) => `${from}: ${text}`)
