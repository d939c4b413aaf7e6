/**
 * WebRTC as transports of a libp2p node. js-libp2p has two, which differ in how the ends come to know each other's certificate:
 *
 * ```
 *   webRtcDirect   /ip4/203.0.113.5/udp/9333/webrtc-direct/certhash/uEi…/p2p/12D3KooW…    the address says it
 *   webRtc         …/p2p/12D3KooWRelay/p2p-circuit/webrtc/p2p/12D3KooW…                   told through a relay
 * ```
 *
 * Specification: nobody is asked where we are unless he is named. Rationale: js-libp2p asks servers of Google, Twilio, Cloudflare and Mozilla
 * where it is given none, which tells four companies of every node that starts to dial.
 *
 * Source: libp2p specs "WebRTC", "WebRTC Direct"; RFC 8445 (ICE), RFC 8831 (data channels).
 */
import { type DataChannelOptions, webRTC, webRTCDirect } from "@libp2p/webrtc"
import type { EngineTransport } from "@satwire/transport-libp2p"

/** Who tells an end where it is seen (`stun:`), or carries for it (`turn:`). */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port`. */
  readonly urls: string | ReadonlyArray<string>
  readonly username?: string
  readonly credential?: string
}

export interface WebRtcOptions {
  /** None where not given: then only addresses of this machine's own are offered. */
  readonly iceServers?: ReadonlyArray<IceServer>
}

/**
 * js-libp2p lets 16 MiB.
 *
 * @limit bytes that wait unsent in one data channel of WebRTC before its writer waits
 */
export const MAX_UNSENT_BYTES: number = 2 * 1024 * 1024

const dataChannel: DataChannelOptions = { maxBufferedAmount: MAX_UNSENT_BYTES }

const configured = ({ iceServers = [] }: WebRtcOptions) => ({
  iceServers: iceServers.map(({ urls, ...rest }) => ({ urls: typeof urls === "string" ? urls : [...urls], ...rest }))
})

/** For nodes that others can dial, pages among these others: without a certificate that a browser would have to trust. */
export const webRtcDirect = (options: WebRtcOptions = {}): EngineTransport =>
  webRTCDirect({ rtcConfiguration: configured(options), dataChannel })

/**
 * For two of whom neither can be dialled, pages among them. They meet at a relay, and what they say goes past it from then on: it wants
 * `reachability: { relayed: … }` at both, and `/webrtc` among what the one listens on.
 */
export const webRtc = (options: WebRtcOptions = {}): EngineTransport =>
  webRTC({ rtcConfiguration: configured(options), dataChannel })
