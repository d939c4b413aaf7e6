/** A stream of js-libp2p that is another one in all but how bytes are sent. Events, states and ends are those of the other one. */
import type { MessageStream } from "@libp2p/interface"

type Bytes = Parameters<MessageStream["send"]>[0]

export abstract class ForwardedStream implements MessageStream {
  protected readonly inner: MessageStream

  constructor(inner: MessageStream) {
    this.inner = inner
  }

  abstract send(bytes: Bytes): boolean

  get status(): MessageStream["status"] {
    return this.inner.status
  }
  get timeline(): MessageStream["timeline"] {
    return this.inner.timeline
  }
  get log(): MessageStream["log"] {
    return this.inner.log
  }
  get direction(): MessageStream["direction"] {
    return this.inner.direction
  }
  get maxReadBufferLength(): number {
    return this.inner.maxReadBufferLength
  }
  get inactivityTimeout(): number {
    return this.inner.inactivityTimeout
  }
  get writableNeedsDrain(): boolean {
    return this.inner.writableNeedsDrain
  }
  get readableEnded(): boolean {
    return this.inner.readableEnded
  }
  get readBufferLength(): number {
    return this.inner.readBufferLength
  }
  get writeBufferLength(): number {
    return this.inner.writeBufferLength
  }

  abort(error: Error): void {
    this.inner.abort(error)
  }

  readonly close: MessageStream["close"] = (options) => this.inner.close(options)
  readonly pause: MessageStream["pause"] = () => this.inner.pause()
  readonly resume: MessageStream["resume"] = () => this.inner.resume()
  readonly push: MessageStream["push"] = (bytes) => this.inner.push(bytes)
  readonly unshift: MessageStream["unshift"] = (bytes) => this.inner.unshift(bytes)
  readonly onDrain: MessageStream["onDrain"] = (options) => this.inner.onDrain(options)
  readonly dispatchEvent: MessageStream["dispatchEvent"] = (event) => this.inner.dispatchEvent(event)
  readonly listenerCount: MessageStream["listenerCount"] = (type) => this.inner.listenerCount(type)
  addEventListener(...listener: Parameters<MessageStream["addEventListener"]>): void {
    this.inner.addEventListener(...listener)
  }
  removeEventListener(...listener: Parameters<MessageStream["removeEventListener"]>): void {
    this.inner.removeEventListener(...listener)
  }
  safeDispatchEvent(...event: Parameters<MessageStream["safeDispatchEvent"]>): boolean {
    return this.inner.safeDispatchEvent(...event)
  }
  [Symbol.asyncIterator](): ReturnType<MessageStream[typeof Symbol.asyncIterator]> {
    return this.inner[Symbol.asyncIterator]()
  }
}
