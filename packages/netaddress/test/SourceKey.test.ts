import { describe, expect, it } from "vitest"
import { sourceKey } from "../src/index.ts"

describe("one source", () => {
  it("is an address of IPv4, and a network of 64 bits of IPv6", () => {
    expect(sourceKey("2a00:1:2:3:4:5:6:7")).toBe("2a00:1:2:3::/64")
    expect(sourceKey("2a00:1:2:3::1")).toBe("2a00:1:2:3::/64")
    expect(sourceKey("2a00:1:2:4::1")).not.toBe(sourceKey("2a00:1:2:3::1"))
    expect(sourceKey("fe80::1%eth0")).toBe("fe80::/64")
    expect(sourceKey("8.8.8.8")).toBe("8.8.8.8")
    expect(sourceKey("8.8.8.9")).toBe("8.8.8.9")
  })
  it("is the host of IPv4 behind what tunnels and translates", () => {
    expect(["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808:7::1"].map(sourceKey)).toEqual(Array(3).fill("8.8.8.8"))
  })
  it("is any other host by itself", () => {
    expect(sourceKey("fc00::1:2")).toBe("fc00::1:2")
    expect(sourceKey("node.example")).toBe("node.example")
    expect(sourceKey("")).toBe("")
  })
})
