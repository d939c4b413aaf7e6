/**
 * How many connections there are at one address. One too many takes the place of the one that has been idle for longest; where all are at
 * work it is closed itself.
 *
 * Rationale: anybody who reaches the port may open connections and say nothing, before anyone asks for a password. If those kept their places, the
 * others would find nobody at home for as long as a silent connection may last.
 */
import type { Server } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"

/**
 * @limit connections of HTTP at one address; of more the one that is idle for longest is closed
 */
export const HTTP_CONNECTIONS = 256

/** @param onClosed told of each connection that had to go, before it goes */
export const boundConnections = (
  server: Server,
  onClosed: (socket: Socket) => void,
  most: number = HTTP_CONNECTIONS
): void => {
  /** How many requests of each are under way. */
  const open = new Map<Duplex, number>()
  /** Those at which none is, the one that is so for longest first. */
  const idle = new Set<Socket>()

  const forget = (socket: Socket): void => {
    open.delete(socket)
    idle.delete(socket)
  }
  server.on("connection", (socket: Socket) => {
    if (open.size >= most) {
      const [longest = socket] = idle
      onClosed(longest)
      forget(longest)
      longest.destroy()
      if (longest === socket) return
    }
    open.set(socket, 0)
    idle.add(socket)
    socket.once("close", () => forget(socket))
  })
  server.on("request", ({ socket }, response) => {
    idle.delete(socket)
    open.set(socket, (open.get(socket) ?? 0) + 1)
    response.once("close", () => {
      const left = (open.get(socket) ?? 1) - 1
      if (socket.destroyed) return forget(socket)
      open.set(socket, left)
      if (left === 0) idle.add(socket)
    })
  })
  server.on("upgrade", (_, socket: Duplex) => idle.delete(socket as Socket))
}
