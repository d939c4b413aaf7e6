import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { start as startNode } from "@satwire/node/promise"
import { formatEndpoint } from "@satwire/transport"
import { expect, it } from "vitest"
import { runtimes, start } from "./Program.ts"
import { say } from "./Say.ts"

it("prints what happens in a node as lines of JSON, with the cookie or at the dashboard, until the node ends", async () => {
  const roles = { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } }
  await using miner = await startNode({ network: "regtest", listen: "127.0.0.1:0", roles })
  const at = miner.listening === undefined ? "" : formatEndpoint(miner.listening)
  const node = start(["-regtest", "-fetchblocks=0", "-nolisten", "-debug=net", `-connect=${at}`])
  const port = (await node.printed(/Answers HTTP on 127\.0\.0\.1:(\d+)/))[1] ?? ""
  await node.printed(/Shook hands/)
  const { home } = node
  const wrong = await say(["events", "-regtest", `-rpcport=${port}`, "-rpcuser=a", "-rpcpassword=b"])
  expect([wrong.code, wrong.stderr]).toEqual([
    1,
    `satwire: ws://127.0.0.1:${port}/events: the user or the password is wrong`
  ])
  const looked = say(["events", `-url=ws://127.0.0.1:${port}/dashboard/events`])
  const readers = runtimes.map((runtime) =>
    start(["events", "-regtest", `-rpcport=${port}`, "peer", "tip", "message", "--decode"], { home, runtime })
  )
  // What has just been is told to who comes, so that one knows that they are there.
  await Promise.all(readers.map((reader) => reader.printed(/"state":"ready"/)))
  await miner.makeBlock()
  await Promise.all(readers.map((reader) => reader.printed(/"topic":"tip"/)))
  const headers = /"side":"received","command":"headers","sizeBytes":\d+,"decoded":\[\{"hash":"[0-9a-f]{64}"/
  await Promise.all(readers.map((reader) => reader.printed(headers)))
  // `-debug=net`: as Core has it.
  await node.printed(/Z \[net\] received: headers \(82 bytes\) peer=1\n/)
  await node.printed(/Z \[net\] sending getheaders \(\d+ bytes\) peer=1\n/)
  node.signal("SIGTERM")
  for (const reader of readers) expect(await reader.ended).toMatchObject({ code: 0, stderr: "" })
  const { code, stdout } = await looked
  expect([code, stdout.includes('"topic":"tip"'), stdout.includes('"topic":"message"')]).toEqual([0, true, false])
})

it("says in one sentence why there are none", async () => {
  const nobody = await say(["events", "-rpcconnect=127.0.0.1:1", "-rpcpassword=x"])
  expect(nobody).toMatchObject({
    code: 1,
    stderr:
      "satwire: ws://127.0.0.1:1/events: nobody listens there: start the node, or say where it is with --rpcconnect and --rpcport"
  })
  expect(await say(["events", "weather"])).toMatchObject({
    code: 2,
    stderr: 'satwire: there is no topic "weather": there are peer, message, tip, block, transaction, misbehaviour'
  })
  expect((await say(["events", "-url=http://127.0.0.1/"])).stderr).toMatch(
    /must be an address that begins with ws:\/\//
  )
})
