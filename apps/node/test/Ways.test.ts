/** The program through proxies: what is asked of them, and what is said where there is none. */
import { type SocksServer, socksServer } from "@satwire/testkit"
import { parseEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { afterEach, describe, expect, it } from "vitest"
import { listening, run, start } from "./Program.ts"

const ONION = `${"satwire".repeat(8)}.onion`
const I2P = `${"satwire".repeat(7)}abc.b32.i2p`

const scope = Scope.makeUnsafe()
afterEach(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** A node, and a proxy by which it has an onion service's name. */
const hidden = async (): Promise<{ readonly server: SocksServer; readonly proxy: string }> => {
  const address = await listening(start(["-regtest", "-noconnect", "-bind=127.0.0.1:0"]))
  const endpoint = Result.getOrThrow(parseEndpoint(address, 0))
  const server = await Effect.runPromise(Scope.provide(socksServer({ names: { [ONION]: endpoint } }), scope))
  return { server, proxy: `${server.proxy.host}:${server.proxy.port}` }
}

describe("a proxy", () => {
  it.each(["proxy", "onion"])(
    "that --%s names leads to an onion service, by credentials of its own each time",
    async (option) => {
      const { server, proxy } = await hidden()
      const node = start(["-regtest", `-${option}=${proxy}`, `-connect=${ONION}`])
      await node.printed(/Shook hands with \S+\.onion:18444, outbound, v2/)
      const peer = await run(["peer", "-regtest", `-${option}=${proxy}`, "-proxyrandomize=0", ONION])
      expect([peer.code, peer.stderr]).toEqual([0, ""])
      expect(server.asked.map(({ host, port, addressType }) => [host, port, addressType])).toEqual([
        [ONION, 18_444, 3],
        [ONION, 18_444, 3]
      ])
      expect(server.asked.map(({ username }) => username !== undefined)).toEqual([true, false])
    }
  )

  it("is asked for names, and not for what is on this machine", async () => {
    const { server, proxy } = await hidden()
    const address = await listening(start(["-regtest", "-noconnect", "-bind=127.0.0.1:0"]))
    const near = await run(["peer", "-regtest", `-proxy=${proxy}`, address])
    expect([near.code, server.asked]).toEqual([0, []])
    const far = await run(["peer", "-regtest", `-proxy=${proxy}`, "satwire.invalid:1"])
    expect([far.code, server.asked[0]?.host]).toEqual([1, "satwire.invalid"])
  })

  it("that is not there is named, and so is a way that nobody set", async () => {
    const said = async (...args: ReadonlyArray<string>) => (await run(["peer", "-regtest", ...args])).stderr
    expect(await said("-onion=127.0.0.1:1", ONION)).toContain("127.0.0.1:1")
    expect(await said("-i2psam=127.0.0.1:1", I2P)).toContain("127.0.0.1:1")
    expect(await said(ONION)).toContain("no proxy to onion services is set")
    expect(await said("-proxy=127.0.0.1:1", "-onion=0", ONION)).toContain("no proxy to onion services is set")
    expect(await said("-proxy=127.0.0.1:1", `${I2P}:0`)).toContain("no I2P router is set")
    expect(await said("-proxy=127.0.0.1:0", ONION)).toContain("unix:path")
  })
})
