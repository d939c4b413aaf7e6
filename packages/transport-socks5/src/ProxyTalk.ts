/**
 * The handshake with a SOCKS5 proxy, spoken by the `socks` library. The library is given a stream that only looks like its socket and
 * is fed one byte at a time: so it takes exactly the handshake, what comes after it stays with us, and nothing piles up inside,
 * whatever the proxy sends. An answer is at most 262 bytes.
 */
import { Duplex } from "node:stream"
import { DialError, type Endpoint } from "@satwire/transport"
import { SocksClient } from "socks"
import { type Asked, type Refusal, refusalIn } from "./Replies.ts"
import type { Credentials } from "./StreamIsolation.ts"

export interface ProxyTalkOptions {
  readonly endpoint: Endpoint
  readonly credentials: Credentials | undefined
  /** The proxy as its user wrote it, for messages. */
  readonly proxy: string
  readonly timeoutMs: number
  readonly send: (bytes: Uint8Array) => void
  /** The proxy has connected us; `unread` is what came after its answer. */
  readonly onAgreed: (unread: Uint8Array) => void
  readonly onRefused: (error: DialError) => void
}

/** The longest delay of a timer. */
const LONGEST_MS = 2 ** 31 - 1

const UNSPOKEN: Refusal = { reason: "ProxyFailed", code: "SOCKS5_MALFORMED", words: "does not answer as SOCKS5 says" }

export class ProxyTalk {
  readonly #options: ProxyTalkOptions
  readonly #client: SocksClient
  readonly #stream: Duplex
  #asked: Asked = "methods"
  /** What came since we last said something. */
  #answer: Array<number> = []
  #state: "talking" | "agreed" | "over" = "talking"

  /** Throws where `options` ask for what cannot be said. */
  constructor(options: ProxyTalkOptions) {
    this.#options = options
    const { endpoint, credentials, timeoutMs } = options
    this.#stream = new Duplex({
      read: () => undefined,
      write: (chunk: Uint8Array, _encoding, written) => {
        this.#sent(chunk)
        written()
      }
    })
    this.#client = new SocksClient({
      command: "connect",
      destination: { host: endpoint.host, port: endpoint.port },
      // The library asks for an address, and dials none: the stream is there already.
      proxy: { type: 5, host: "proxy", port: 0, ...asLibrary(credentials) },
      timeout: Math.min(Math.max(timeoutMs, 1), LONGEST_MS)
    })
    this.#client.on("established", () => (this.#state = "agreed"))
    this.#client.on("error", () => this.#refuse(refusalIn(this.#asked, this.#answer) ?? UNSPOKEN))
  }

  /** The proxy is connected: begins. */
  begin(): void {
    this.#client.connect(this.#stream)
  }

  /** Takes what the proxy sent. */
  received(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.#state === "talking"; i++) {
      this.#answer.push(bytes[i] as number)
      try {
        this.#stream.emit("data", Buffer.of(bytes[i] as number))
      } catch {
        // An answer that the library cannot read.
        this.#refuse(UNSPOKEN)
      }
      if (this.#hasAgreed()) this.#agree(bytes.subarray(i + 1))
    }
  }

  /** Nothing more is said. The library would keep its timer and wait. */
  giveUp(): void {
    if (this.#state === "over") return
    this.#state = "over"
    this.#stream.emit("close")
  }

  #hasAgreed(): boolean {
    return this.#state === "agreed"
  }

  #agree(unread: Uint8Array): void {
    const refusal = refusalIn(this.#asked, this.#answer)
    this.#state = "over"
    if (refusal === undefined) this.#options.onAgreed(unread)
    else this.#options.onRefused(this.#errorOf(refusal))
  }

  #refuse(refusal: Refusal): void {
    if (this.#state === "over") return
    this.#state = "over"
    this.#options.onRefused(this.#errorOf(refusal))
  }

  #sent(chunk: Uint8Array): void {
    if (this.#state === "over") return
    // RFC 1929 has a version of its own, 1.
    this.#asked = chunk[0] === 1 ? "credentials" : this.#answer.length === 0 ? "methods" : "connection"
    this.#answer = []
    this.#options.send(chunk)
  }

  #errorOf({ reason, code, words }: Refusal): DialError {
    const { endpoint, proxy } = this.#options
    return new DialError({ reason, endpoint, code, detail: `the proxy at ${proxy} ${words}` })
  }
}

const asLibrary = (credentials: Credentials | undefined): { userId?: string; password?: string } =>
  credentials === undefined ? {} : { userId: credentials.username, password: credentials.password }
