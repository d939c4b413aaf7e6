import { describe, expect, it } from "vitest"
import { peerReport, peerTable } from "../src/peer/PeerReport.ts"
import { somePeer } from "./SomePeer.ts"

const where = { address: "192.0.2.1:8333", network: "mainnet" }

describe("what a peer says of itself", () => {
  it("is a table without what could harm a terminal", () => {
    const table = peerTable(peerReport(where, somePeer, ["feefilter", "ping", "sendcmpct"], 12.34567))
    expect(table.split("\n")).toEqual([
      "address       192.0.2.1:8333 (mainnet)",
      "version       70016",
      "user agent    /evil2J:1/",
      "services      NETWORK, WITNESS, P2P_V2",
      "height        921,000",
      "transactions  wants them announced",
      "features      wtxidrelay, sendcmpct, feefilter",
      "transport     v2, encrypted",
      "clock         61 seconds behind ours",
      "ping          12.3 ms"
    ])
  })

  it("has its services in hexadecimal as Core writes them, and its ping in milliseconds", () => {
    const report = peerReport(where, somePeer, [], 12.34567)
    expect([report.services, report.pingMs]).toEqual(["0000000000000809", 12.346])
  })

  it("has no ping where it is too old for one", () => {
    const report = peerReport(where, somePeer, [], undefined)
    expect(report.pingMs).toBeNull()
    expect(peerTable(report)).toContain("ping          not answered by so old a version")
  })
})
