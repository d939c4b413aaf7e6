import { readdirSync } from "node:fs"
import { join } from "node:path"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { start as startNode } from "@satwire/node/promise"
import { formatEndpoint } from "@satwire/transport"
import { expect, it } from "vitest"
import { run, runtimes, start } from "./Program.ts"

it("what a node heard is kept by -capturemessages, and goes the same way again without a network", async () => {
  const roles = { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } }
  await using miner = await startNode({ network: "regtest", listen: "127.0.0.1:0", roles })
  for (let i = 0; i < 3; i++) await miner.makeBlock()
  const at = miner.listening === undefined ? "" : formatEndpoint(miner.listening)
  const node = start(["-regtest", "-fetchblocks=0", "-nolisten", `-connect=${at}`, "-capturemessages"])
  await node.printed(/Headers: height 3\b/)
  node.signal("SIGTERM")
  await node.ended
  expect(node.stdout()).toContain("All messages are kept in")

  const folder = join(node.home, ".satwire", "regtest", "message_capture")
  const [peer = ""] = readdirSync(folder)
  expect(peer).toBe(at.replace(":", "_"))
  const { home } = node
  const replays = await Promise.all(
    runtimes.map((runtime) => run(["replay", "-regtest", "--messages"], { home, runtime }))
  )
  const [first] = replays
  expect([first?.code, first?.stderr]).toEqual([0, ""])
  for (const other of replays) expect(other).toEqual(first)
  const lines = first?.stdout ?? ""
  expect(lines).toMatch(new RegExp(`Z Shook hands with ${at}, outbound, v1: /\\S+ at height 3\\.`))
  expect(lines).toMatch(/Z Peer 1 \(127\.0\.0\.1:\d+\) says headers, 244 bytes\./)
  expect(lines).toMatch(/\n1 connection; \d+ received messages were given to the core, 0 came after/)
  expect(lines).toMatch(/\nReceived: .*headers \d+.* verack 1, version 1/)
  expect(lines).toMatch(/\nThe best header has height 3, [0-9a-f]{64}\.\n/)
})
