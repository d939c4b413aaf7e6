import process from "node:process"
import * as Tls from "node:tls"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it, vi } from "vitest"
import { describeWithCertificate, selfSigned } from "../src/index.ts"

afterEach(() => void vi.unstubAllEnvs())

describeWithCertificate(describe, "a certificate of a test", ({ key, certificate }) => {
  it("is believed on loopback by whoever takes it for an authority, and by nobody else", async () => {
    const server = Tls.createServer({ key, cert: certificate }).on("tlsClientError", () => undefined)
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    const { port } = server.address() as AddressInfo
    const dialled = (ca: string | undefined): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = Tls.connect({ host: "127.0.0.1", port, ...(ca === undefined ? {} : { ca }) })
        socket.once("secureConnect", () => resolve(true)).once("error", () => resolve(false))
        socket.once("close", () => undefined)
        server.once("close", () => socket.destroy())
      })
    expect([await dialled(certificate), await dialled(undefined)]).toEqual([true, false])
    server.close()
  })
})

describe("a suite that needs a certificate", () => {
  it("is skipped in one line where there is no openssl", () => {
    vi.stubEnv("PATH", import.meta.dirname)
    const lines: Array<string> = []
    const skipped: Array<string> = []
    const skipping = { skipIf: (condition: boolean) => (name: string) => void (condition && skipped.push(name)) }
    describeWithCertificate(
      skipping,
      "TLS",
      () => expect.unreachable(),
      (line) => lines.push(line)
    )
    expect(skipped).toEqual(["TLS"])
    expect(lines).toEqual(['skipped "TLS": no openssl on the PATH\n'])
    expect(selfSigned()).toBe(undefined)
    expect(process.env["PATH"]).toBe(import.meta.dirname)
  })
})
