/** The registry of a rehearsal: verdaccio on a port of its own on loopback, by the configuration that is named. Says where it is in one line. */
import process from "node:process"
import { runServer } from "verdaccio"

const server = await runServer(process.argv[2])
server.listen(0, "127.0.0.1", () => console.log(`listening on ${server.address().port}`))
