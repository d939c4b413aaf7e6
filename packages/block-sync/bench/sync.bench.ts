/**
 * How many blocks a second pass through the machine alone, near-empty ones, so that nothing but its own work counts: each block is three
 * turns, in which it comes, was checked and is kept, and after each its deadline is asked for, as a node does.
 *
 *   node --conditions=@satwire/source packages/block-sync/bench/sync.bench.ts [blocks]
 */
import process from "node:process"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { contest, contestClock } from "@satwire/testkit"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { BlockSync, type BlockSyncInput, type BlockSyncOutput } from "../src/index.ts"
import { TestTree, hashOf } from "../test/TestTree.ts"

const COUNT = Number(process.argv[2] ?? 22_000)
const tree = new TestTree()
tree.grow(0, COUNT)
const hashes = Array.from({ length: COUNT + 1 }, (_, header) => hashOf(header))
const blocks = Array.from({ length: COUNT + 1 }, (_, header) => tree.block(header))

/** @param isStuck one peer sends nothing, so that what is late is looked for again and again, and the window is full until it is found */
const fetch = (peers: number, isStuck: boolean): number => {
  const sync = new BlockSync({
    headers: tree,
    chains: { bestOf: () => COUNT },
    locate: () => 0,
    contextOf: () => CONTEXT,
    serves: true,
    isLimited: false,
    isTargetReached: () => false
  })
  sync.restored(undefined)
  let instant = 0
  const sent: Array<readonly [PeerId, number]> = []
  const answers: Array<BlockSyncInput> = []
  const silent = isStuck ? 1 : 0
  const push = (output: BlockSyncOutput): void => {
    if (output._tag === "CheckBlock")
      answers.push({ _tag: "BlockChecked", header: output.header, block: output.block, fault: undefined })
    else if (output._tag === "StoreBlock") answers.push({ _tag: "BlocksStored", headers: [output.header] })
    else if (output._tag === "Send" && output.message._tag === "getdata" && output.peer !== silent)
      for (const { hash } of output.message.inventory) sent.push([output.peer, tree.find(hash)])
  }
  const turn = (input: BlockSyncInput): void => {
    const now: Now = { instant: Instant(instant), unix: UnixSeconds(2_000_000_000) }
    sync.handle(input, now, { push })
    sync.handle({ _tag: "TurnEnds" }, now, { push })
    const next = sync.nextTimeout()
    if (next !== undefined && next <= instant) sync.handle({ _tag: "Timeout" }, now, { push })
  }
  for (let id = 1; id <= peers; id++) {
    turn({
      _tag: "PeerReady",
      peer: PeerId(id),
      services: NODE_NETWORK | NODE_WITNESS,
      isPreferred: true,
      isPrivileged: false
    })
  }
  for (let at = 0; tree.height(sync.tip) < COUNT; at++) {
    const next = sent[at]
    instant += next === undefined ? 100 : 0.1
    if (next === undefined) {
      at -= 1
      turn({ _tag: "Timeout" })
      continue
    }
    const [from, header] = next
    turn({
      _tag: "BlockReceived",
      from,
      block: blocks[header] as (typeof blocks)[0],
      hash: hashes[header] as (typeof hashes)[0]
    })
    for (let answer = answers.shift(); answer !== undefined; answer = answers.shift()) turn(answer)
  }
  return COUNT
}

const CONTEXT = { height: 0, hasHeight: true, lockTimeCutoff: undefined, hasWitness: true, signetChallenge: undefined }

const scores = contest(
  [
    { name: "1 peer", run: () => fetch(1, false) },
    { name: "8 peers", run: () => fetch(8, false) },
    { name: "8 peers, one of whom sends nothing", run: () => fetch(8, true) },
    { name: "125 peers", run: () => fetch(125, false) },
    { name: "125 peers, one of whom sends nothing", run: () => fetch(125, true) }
  ],
  { rounds: 5, roundMs: 200 }
)
console.log(
  `${COUNT} near-empty blocks through the machine alone, ${process.version}, ${contestClock}, medians of 5 rounds`
)
for (const { name, perSecond } of scores) {
  console.log(`${name.padEnd(40)} ${Math.round(perSecond).toLocaleString("en").padStart(9)} blocks/s`)
}
