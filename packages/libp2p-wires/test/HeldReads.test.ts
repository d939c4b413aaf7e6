/** A stream as js-libp2p's behave, which open their window after what they held was handed over. */
import { assert, it } from "@effect/vitest"
import { HeldReads, type HeldStream } from "../src/index.ts"

class Fake implements HeldStream {
  readStatus: HeldStream["readStatus"] = "readable"
  isWindowOpen = true
  onHeld: () => void = () => undefined

  readonly pause = (): void => {
    this.readStatus = "paused"
    this.isWindowOpen = false
  }

  readonly resume = (): void => {
    this.readStatus = "readable"
    this.onHeld()
    this.isWindowOpen = true
  }
}

it("a window is shut when a reader pauses while he is handed what a stream held", () => {
  const stream = new Fake()
  const reads = new HeldReads(stream)
  reads.pause()
  assert.isFalse(stream.isWindowOpen)
  stream.onHeld = () => reads.pause()
  reads.resume()
  assert.deepStrictEqual([stream.readStatus, stream.isWindowOpen, reads.isPaused], ["paused", false, true])
  stream.onHeld = () => {
    reads.pause()
    reads.resume()
  }
  reads.resume()
  assert.deepStrictEqual([stream.readStatus, stream.isWindowOpen, reads.isPaused], ["readable", true, false])
})
