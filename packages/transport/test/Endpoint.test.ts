import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import { formatEndpoint, parseEndpoint } from "../src/index.ts"

const parsed = (text: string, defaultPort?: number): string => {
  const result = parseEndpoint(text, defaultPort)
  return Result.isSuccess(result) ? formatEndpoint(result.success) : result.failure.message
}

describe("an endpoint", () => {
  test.each([
    ["203.0.113.5:8333", "203.0.113.5:8333"],
    ["[2001:DB8:0:0::1]:8333", "[2001:db8::1]:8333"],
    ["[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]:1"],
    ["[fe80::1%eth0]:1", "[fe80::1%eth0]:1"],
    ["Seed.Example.:0", "seed.example.:0"],
    ["dns_seed.example:65535", "dns_seed.example:65535"],
    ["expyuzz4wqqyqhjn.onion:8333", "expyuzz4wqqyqhjn.onion:8333"]
  ])("is read from %s", (text, canonical) => {
    expect(parsed(text)).toBe(canonical)
    expect(parsed(canonical)).toBe(canonical)
  })

  test.each([
    ["::1", "[::1]:8333"],
    ["[::1]", "[::1]:8333"],
    ["127.0.0.1", "127.0.0.1:8333"],
    ["localhost", "localhost:8333"],
    ["localhost:1", "localhost:1"],
    ["expyuzz4wqqyqhjn.onion", "expyuzz4wqqyqhjn.onion:8333"],
    ["satwire.b32.i2p", "satwire.b32.i2p:0"]
  ])("takes the default port for %s", (text, canonical) => expect(parsed(text, 8333)).toBe(canonical))

  test.each([
    ["", "names no host"],
    [":8333", "names no host"],
    ["localhost", "names no port"],
    ["localhost:", "not 0 to 65535"],
    ["localhost:65536", "not 0 to 65535"],
    ["localhost:-1", "not 0 to 65535"],
    ["localhost:8333 ", "not 0 to 65535"],
    ["[::1", "without its ]"],
    ["[::1]8333", "between ] and the port"],
    ["[localhost]:1", "neither an address nor a name"],
    ["256.1.1.1:1", "neither an address nor a name"],
    ["1.2.3:1", "neither an address nor a name"],
    ["a..b:1", "neither an address nor a name"],
    ["-a:1", "neither an address nor a name"],
    ["under the:1", "neither an address nor a name"],
    ["__proto__\u0000:1", "neither an address nor a name"],
    [`${"a".repeat(64)}:1`, "neither an address nor a name"],
    [`${"a.".repeat(200)}:1`, "neither an address nor a name"],
    ["fe80::1%a%b", "neither an address nor a name"]
  ])("says what is wrong with %j", (text, what) => {
    const message = parsed(text)
    expect(message).toContain(what)
    expect(message.length).toBeLessThan(400)
  })
})
