/** HTTP to the byte: what a server sends back to what no client would send. */
import { connect } from "node:net"

export interface HttpReply {
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** What a server of this machine sends back to these bytes until it closes the connection. */
export const rawHttp = (port: number, bytes: string | Uint8Array): Promise<HttpReply> =>
  new Promise((resolve, reject) => {
    const chunks: Array<Uint8Array> = []
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes))
    socket.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    socket.on("error", reject)
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("utf8")
      const [headers = "", ...body] = text.split("\r\n\r\n")
      resolve({ status: Number(headers.split(" ", 2)[1] ?? 0), headers, body: body.join("\r\n\r\n") })
    })
  })

/** A request of HTTP/1.1 with these headers and the length of its body; a header that is empty is left out. */
export const httpRequest = (line: string, headers: Readonly<Record<string, string>>, body = ""): string => {
  const all = { "Content-Length": String(Buffer.byteLength(body)), ...headers }
  const lines = Object.entries(all).filter(([, value]) => value !== "")
  return `${[`${line} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n${body}`
}
