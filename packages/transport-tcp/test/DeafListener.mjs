// Listens with the shortest queue, says where, and then never accepts: its only thread waits until it is killed.
import { writeSync } from "node:fs"
import { createServer } from "node:net"

const server = createServer()
server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
  writeSync(1, `${server.address().port}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
