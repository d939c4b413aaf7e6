/** The Promise door, over two networks on loopback. */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { type NetworkMessage, Refusal, kind, makeNetwork, method, startNetwork } from "../src/promise.ts"

const Chat = kind("chat", Schema.Struct({ text: Schema.String }))
const Length = method("length", kind("length-of", Schema.String), kind("length", Schema.Int))

const OPTIONS = {
  network: "promises",
  host: "127.0.0.1",
  localDiscovery: false,
  kinds: [Chat],
  node: { security: ["noise"] as const }
}

describe("the Promise door of a network", () => {
  it("hands messages to handlers by name and to loops, asks, answers, and ends with its holder", async () => {
    await using alice = await startNetwork({ ...OPTIONS, nodeId: "alice" })
    await using bob = await startNetwork({ ...OPTIONS, nodeId: "bob" })
    const { addresses } = await alice.getNetworkStatus()
    expect(await bob.addPeer(addresses[0] ?? "")).toBe(alice.peerId)

    let heard: (message: NetworkMessage<unknown>) => void = () => undefined
    const first = new Promise<NetworkMessage<unknown>>((resolve) => (heard = resolve))
    const off = alice.on("chat", (message) => heard(message))
    await bob.broadcastMessage(Chat, { text: "to all" })
    expect(await first).toMatchObject({ from: bob.peerId, message: { text: "to all" }, way: "broadcast" })
    off()
    expect(() => alice.on("no such", () => undefined)).toThrow("no kind")

    const loop = alice.subscribe(Chat)[Symbol.asyncIterator]()
    const next = loop.next()
    await bob.sendMessage(alice.peerId, Chat, { text: "to you" })
    expect((await next).value).toMatchObject({ message: { text: "to you" }, way: "direct" })

    await alice.serve(Length, (text) => {
      if (text === "") throw new Refusal({ code: "refused", message: "nothing there" })
      return text.length
    })
    expect(await bob.request(alice.peerId, Length, "satoshi", { timeoutMs: 5000 })).toBe(7)
    await expect(bob.request(alice.peerId, Length, "")).rejects.toMatchObject({ reason: { _tag: "Refused" } })
    await expect(bob.request(alice.peerId, Length, "", { signal: AbortSignal.abort("no") })).rejects.toBe("no")

    const last = loop.next()
    await alice.close()
    expect((await last).done).toBe(true)
    await expect(alice.sendMessage(bob.peerId, Chat, { text: "" })).rejects.toMatchObject({ reason: "NotRunning" })
  })

  it("starts no more when it is closed", async () => {
    const network = await makeNetwork(OPTIONS)
    await network.close()
    await expect(network.start()).rejects.toMatchObject({ _tag: "NetworkError", reason: "Closed" })
    expect((await network.getNetworkStatus()).isRunning).toBe(false)
  })

  it("gives up a start with the reason of the signal, and may start again", async () => {
    await using network = await makeNetwork(OPTIONS)
    const controller = new AbortController()
    const starting = network.start({ signal: controller.signal })
    controller.abort("no")
    await expect(starting).rejects.toBe("no")
    expect((await network.getNetworkStatus()).isRunning).toBe(false)
    await network.start()
    expect((await network.getNetworkStatus()).isRunning).toBe(true)
  })

  it("says what is wrong with its options", async () => {
    await expect(startNetwork({ network: "Not a name" })).rejects.toMatchObject({
      _tag: "NetworkError",
      reason: "BadOptions"
    })
  })
})
