/**
 * The SAM bridge of an I2P router of the tests' own, after I2P's "SAM V3" and not after the code under test. Behind it there is no
 * network: whoever has a session at it reaches all others that have one.
 */
import { Pieces, carry, tcpServer } from "@satwire/testkit"
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import type * as Net from "node:net"

export interface SamRouter {
  readonly bridge: Endpoint
  /** Every line that it was told, in order. */
  readonly asked: Array<string>
  /** What it says to a line instead of what is due: each once, to the first line that begins so. It ends the socket after nothing. */
  readonly instead: Array<readonly [to: string, say: string]>
  /** How many sockets it has. */
  readonly open: () => number
  /** Ends all sessions, as a router does that restarts. */
  readonly restart: () => void
}

export interface SamRouterOptions {
  /** As {@link SamRouter.instead}, from the beginning. */
  readonly instead?: ReadonlyArray<readonly [to: string, say: string]>
}

/** How long somebody who comes waits where nobody accepts anybody. */
const PATIENCE_MS = 2000

interface Session {
  readonly destination: string
  /** Sockets that wait for somebody who comes. */
  readonly accepting: Array<Net.Socket>
  /** Who came while nobody waited. */
  readonly coming: Array<Coming>
  /** How many were accepted. */
  taken: number
}

interface Coming {
  readonly socket: Net.Socket
  readonly destination: string
}

const i2pBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "~")

/** A destination with a key certificate, and the private key that begins with it. */
export const keys = (): { readonly destination: string; readonly privateKey: string } => {
  const publicPart = Buffer.concat([randomBytes(384), Buffer.of(5, 0, 4, 0, 7, 0, 4)])
  return {
    destination: i2pBase64(publicPart),
    privateKey: i2pBase64(Buffer.concat([publicPart, randomBytes(288)]))
  }
}

const publicPartOf = (privateKey: string): string =>
  i2pBase64(Buffer.from(privateKey.replaceAll("-", "+").replaceAll("~", "/"), "base64").subarray(0, 391))

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

/** The name that is a destination's hash. */
export const nameOf = (destination: string): string => {
  const raw = Buffer.from(destination.replaceAll("-", "+").replaceAll("~", "/"), "base64")
  const bits = Array.from(createHash("sha256").update(raw).digest(), (byte) => byte.toString(2).padStart(8, "0")).join(
    ""
  )
  const letters = bits.match(/.{1,5}/g) ?? []
  return `${letters.map((five) => ALPHABET[Number.parseInt(five.padEnd(5, "0"), 2)]).join("")}.b32.i2p`
}

type Pairs = ReadonlyMap<string, string>

/** One line that was said, and who said it. */
interface Said {
  readonly pairs: Pairs
  readonly socket: Net.Socket
  readonly pieces: Pieces
}

class Sessions {
  readonly #byId = new Map<string, Session>()
  readonly #controls = new Set<Net.Socket>()

  /** What is due to each line; `undefined` where the socket is no longer ours. */
  readonly answers: Readonly<Record<string, (said: Said) => string | undefined>> = {
    "HELLO VERSION": () => "HELLO REPLY RESULT=OK VERSION=3.1",
    "DEST GENERATE": () => {
      const made = keys()
      return `DEST REPLY PUB=${made.destination} PRIV=${made.privateKey}`
    },
    "SESSION CREATE": (said) => this.#create(said),
    "NAMING LOOKUP": ({ pairs }) => {
      const name = pairs.get("NAME") ?? ""
      const found = [...this.#byId.values()].find(({ destination }) => nameOf(destination) === name)
      if (found === undefined) return `NAMING REPLY RESULT=KEY_NOT_FOUND NAME=${name}`
      return `NAMING REPLY RESULT=OK NAME=${name} VALUE=${found.destination}`
    },
    "STREAM CONNECT": (said) => this.#connect(said),
    "STREAM ACCEPT": (said) => this.#accept(said)
  }

  endAll(): void {
    for (const control of this.#controls) control.destroy()
  }

  #create({ pairs, socket }: Said): string {
    const id = pairs.get("ID") ?? ""
    if (this.#byId.has(id)) return "SESSION STATUS RESULT=DUPLICATED_ID"
    const given = pairs.get("DESTINATION") ?? ""
    const privateKey = given === "TRANSIENT" ? keys().privateKey : given
    const session: Session = { destination: publicPartOf(privateKey), accepting: [], coming: [], taken: 0 }
    this.#byId.set(id, session)
    this.#controls.add(socket)
    socket.on("close", () => {
      this.#controls.delete(socket)
      this.#byId.delete(id)
      for (const waiting of session.accepting) waiting.destroy()
    })
    return `SESSION STATUS RESULT=OK DESTINATION=${privateKey}`
  }

  #connect({ pairs, socket, pieces }: Said): string | undefined {
    const session = this.#byId.get(pairs.get("ID") ?? "")
    if (session === undefined) return "STREAM STATUS RESULT=INVALID_ID"
    const wanted = pairs.get("DESTINATION")
    const found = [...this.#byId.values()].find(({ destination }) => destination === wanted)
    if (found === undefined) return 'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="nobody is there"'
    pieces.release()
    const coming = { socket, destination: session.destination }
    found.coming.push(coming)
    meet(found)
    giveUp(found, coming)
    return undefined
  }

  #accept({ pairs, socket, pieces }: Said): string | undefined {
    const session = this.#byId.get(pairs.get("ID") ?? "")
    if (session === undefined) return "STREAM STATUS RESULT=INVALID_ID"
    pieces.release()
    socket.write("STREAM STATUS RESULT=OK\n")
    session.accepting.push(socket)
    socket.on("close", () => {
      const at = session.accepting.indexOf(socket)
      if (at >= 0) session.accepting.splice(at, 1)
    })
    // Only with the next line, as over a network.
    setImmediate(() => meet(session))
    return undefined
  }
}

/** Brings those who came to those who wait. */
const meet = (session: Session): void => {
  while (session.accepting.length > 0 && session.coming.length > 0) {
    const waiting = session.accepting.shift() as Net.Socket
    const { socket, destination } = session.coming.shift() as Coming
    session.taken += 1
    waiting.write(`${destination}\n`)
    socket.write("STREAM STATUS RESULT=OK\n")
    carry(waiting, socket)
  }
}

/** Turns somebody away who comes while nobody accepts any more. */
const giveUp = (session: Session, coming: Coming): void => {
  const { taken } = session
  setTimeout(() => {
    const at = session.coming.indexOf(coming)
    if (at < 0) return
    if (session.taken !== taken) return giveUp(session, coming)
    session.coming.splice(at, 1)
    coming.socket.end("STREAM STATUS RESULT=CANT_REACH_PEER\n")
  }, PATIENCE_MS).unref()
}

export const samRouter = (options: SamRouterOptions = {}): Effect.Effect<SamRouter, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sessions = new Sessions()
    const asked: Array<string> = []
    const instead = [...(options.instead ?? [])]
    let open = 0
    const bridge = yield* tcpServer(async (socket) => {
      open += 1
      socket.on("close", () => (open -= 1))
      const pieces = new Pieces(socket)
      for (;;) {
        const line = await pieces.line()
        asked.push(line)
        const at = instead.findIndex(([to]) => line.startsWith(to))
        const said = at < 0 ? sessions.answers[line.split(" ", 2).join(" ")] : instead.splice(at, 1)[0]?.[1]
        if (said === "") {
          socket.end()
          await once(socket, "close")
          return
        }
        const answer = typeof said === "string" ? said : said?.({ pairs: pairsOf(line), socket, pieces })
        if (answer === undefined) return
        socket.write(typeof said === "string" ? answer : `${answer}\n`)
      }
    })
    return { bridge, asked, instead, open: () => open, restart: () => sessions.endAll() }
  })

const pairsOf = (line: string): Pairs =>
  new Map(
    line
      .split(" ")
      .slice(2)
      .map((pair) => pair.split(/=(.*)/s, 2) as [string, string])
  )
