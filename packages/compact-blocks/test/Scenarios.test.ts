/** Two to five nodes that find blocks and pass them on in short. */
import { encodePayload, type Message } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { blockOf } from "./TestChain.ts"
import { Network, type WiredNode } from "./WiredNodes.ts"

const BLOCK_BYTES: number = blockOf(11).bytes.length

/** Every node has every block up to this one. */
const haveAll = (network: Network, header: number): boolean =>
  network.nodes.every(
    ({ blocks, tip }) => tip === header && blocks.get(header)?.bytes.join() === blockOf(header).bytes.join()
  )

describe("two nodes", () => {
  it("begin in low bandwidth, and go on in high: the second block needs no question", () => {
    const network = new Network()
    const [a, b] = [network.node(), network.node()]
    network.connect(b, a)
    expect(network.said()).toEqual(["2>1 sendcmpct", "1>2 sendcmpct"])
    network.bytes = 0
    a.mine(11)
    // What b delivers is told back to nobody, and a is from now on to send blocks at once.
    expect(network.said()).toEqual(["1>2 headers", "2>1 getdata", "1>2 cmpctblock", "2>1 sendcmpct"])
    expect(network.bytes).toBeLessThan(BLOCK_BYTES / 8)
    a.mine(12)
    expect(network.said()).toEqual(["1>2 cmpctblock"])
    expect(haveAll(network, 12)).toBe(true)
    expect([b.roundTrips.get(11), b.roundTrips.get(12)]).toEqual([1, 0])
  })

  it("fetch what one of them lacks, and nothing else", () => {
    const network = new Network()
    const [a, b] = [network.node(), network.node({ lacks: [3, 17] })]
    network.connect(b, a)
    a.mine(11)
    network.said()
    a.mine(12)
    expect(network.said()).toEqual(["1>2 cmpctblock", "2>1 getblocktxn", "1>2 blocktxn"])
    expect(haveAll(network, 12)).toBe(true)
    expect(b.roundTrips.get(12)).toBe(1)
  })
})

/** Each node is dialled by the one behind it. */
const line = (network: Network, nodes: ReadonlyArray<WiredNode>): void => {
  for (let i = 1; i < nodes.length; i++) network.connect(nodes[i] as WiredNode, nodes[i - 1] as WiredNode)
}

describe("a line of nodes", () => {
  it("passes on whole what one of them had to fetch, so that those behind it need no question", () => {
    const network = new Network()
    const nodes = [
      network.node(),
      network.node({ lacks: [5] }),
      network.node({ lacks: [5] }),
      network.node({ lacks: [5] })
    ]
    line(network, nodes)
    nodes[0]?.mine(11)
    network.said()
    nodes[0]?.mine(12)
    expect(network.said()).toEqual([
      "1>2 cmpctblock",
      "2>1 getblocktxn",
      "1>2 blocktxn",
      "2>3 cmpctblock",
      "3>4 cmpctblock"
    ])
    expect(haveAll(network, 12)).toBe(true)
    expect(nodes.map((node) => node.roundTrips.get(12))).toEqual([undefined, 1, 0, 0])
  })
})

/** What a peer says that is up to no good, once it was chosen: it acts from block 12 on. */
const from12 = (change: (message: Message) => Message | undefined) => {
  let isOn = false
  return {
    on: () => void (isOn = true),
    says: (message: Message): Message | undefined => (isOn ? change(message) : message)
  }
}

/** A node that lacks a transaction hears of block 12 of a peer that is up to no good, and then of an honest one. */
const beside = (change: (message: Message) => Message | undefined) => {
  const network = new Network()
  const liar = from12(change)
  const [bad, good, victim] = [network.node({ says: liar.says }), network.node(), network.node({ lacks: [5] })]
  network.connect(victim, bad)
  network.connect(victim, good)
  bad.mine(11)
  good.mine(11)
  // Both have delivered first, and so both are to send blocks at once.
  good.mine(12)
  bad.mine(12)
  liar.on()
  network.said()
  bad.mine(13)
  /** What passed between the victim and the liar. */
  const between = (): ReadonlyArray<string> => network.said().filter((said) => !said.includes("2"))
  return { network, good, victim, between }
}

describe("a node between an honest peer and one that", () => {
  it("does not send what it was asked for gets it of the other", () => {
    const { good, network, victim } = beside((message) => (message._tag === "blocktxn" ? undefined : message))
    expect(victim.tip).toBe(12)
    good.mine(13)
    expect([victim.tip, victim.blamed]).toEqual([13, []])
    expect(victim.blocks.get(13)?.bytes).toEqual(blockOf(13).bytes)
    expect(victim.machine.snapshot().partial).toBe(0)
    expect(network.said().filter((said) => said.includes("getblocktxn"))).toEqual([
      "3>1 getblocktxn",
      "3>2 getblocktxn"
    ])
  })

  it("sends other transactions asks it for the whole block, and blames nobody", () => {
    const { between, victim } = beside((message) =>
      message._tag === "blocktxn" ? { ...message, transactions: [blockOf(13).transaction(6)] } : message
    )
    expect(between().slice(-3)).toEqual(["1>3 blocktxn", "3>1 getdata", "1>3 block"])
    expect([victim.tip, victim.blamed]).toEqual([13, []])
  })

  it("sends too many lets it go, and gets the block of the other", () => {
    const { good, victim } = beside((message) =>
      message._tag === "blocktxn"
        ? { ...message, transactions: [...message.transactions, ...message.transactions] }
        : message
    )
    expect([victim.tip, victim.blamed]).toEqual([12, ["1 blocktxn"]])
    good.mine(13)
    expect(victim.tip).toBe(13)
  })

  it("sends short ids that collide asks it for the whole block", () => {
    const { between, victim } = beside((message) =>
      message._tag === "cmpctblock" ? { ...message, shortIds: message.shortIds.fill(1) } : message
    )
    expect(between()).toEqual(["1>3 cmpctblock", "3>1 getdata", "1>3 block"])
    expect([victim.tip, victim.blamed]).toEqual([13, []])
  })

  it("changes witnesses, which no header tells of, is given the true ones", () => {
    const { between, victim } = beside((message) => {
      if (message._tag !== "blocktxn") return message
      const transactions = message.transactions.map((tx) => {
        const copy = tx.copied()
        // The last byte of the witness stands before the lock time.
        copy.bytes[copy.bytes.length - 5] = (copy.bytes[copy.bytes.length - 5] as number) ^ 1
        return copy
      })
      return { ...message, transactions }
    })
    expect(between().slice(-2)).toEqual(["3>1 getdata", "1>3 block"])
    expect(victim.blocks.get(13)?.bytes).toEqual(blockOf(13).bytes)
  })
})

describe("five nodes that all know one another", () => {
  it("have every block of whoever finds it, and hold nothing for one another afterwards", () => {
    const network = new Network()
    for (let i = 0; i < 5; i++) network.node({ lacks: i === 0 ? [] : [i, i + 5] })
    const { nodes } = network
    for (const [i, node] of nodes.entries()) for (const other of nodes.slice(0, i)) network.connect(node, other)
    let bytes = 0
    for (let header = 11; header <= 20; header++) {
      network.bytes = 0
      nodes[header % 5]?.mine(header)
      expect(haveAll(network, header)).toBe(true)
      bytes = network.bytes
    }
    // Four get the block, and each of them hears of it of up to three: all of that is less than one of them would get whole.
    expect(bytes).toBeLessThan(4 * BLOCK_BYTES)
    for (const node of nodes) {
      expect(node.blamed).toEqual([])
      expect(node.machine.snapshot().highBandwidthTo.length).toBeLessThanOrEqual(3)
      expect(node.machine.snapshot().partial).toBe(0)
      for (const peer of node.peers.keys()) node.gone(peer)
      expect(node.machine.isEmpty).toBe(true)
    }
  })
})

it("a whole block is what this file's blocks are beside a compact one", () => {
  expect(encodePayload({ _tag: "block", block: blockOf(11) })).toHaveLength(BLOCK_BYTES)
})
