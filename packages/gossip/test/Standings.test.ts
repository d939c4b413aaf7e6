/** Bans of keys, and of hosts. */
import { assert, it } from "@effect/vitest"
import { Instant, UnixSeconds } from "@satwire/machine"
import { FAULT_POINTS } from "../src/index.ts"
import { Standings } from "../src/Standings.ts"

it("bans 64 bits of IPv6 as one host, whatever addresses its banned keys come from", () => {
  const now = () => ({ instant: Instant(0), unix: UnixSeconds(0) })
  const standings = new Standings({ points: FAULT_POINTS, banMs: 1000, maxBannedPerHost: 3, now })
  for (let i = 1; i <= 3; i++) {
    standings.ban(`key ${i}`)
    assert.isFalse(standings.isBanned({ host: "2001:db8::99", peerId: "another" }))
    assert.isTrue(standings.isBanned({ host: `2001:db8::${i}`, peerId: `key ${i}`, isProven: true }))
  }
  assert.isTrue(standings.isBanned({ host: "2001:db8::99", peerId: "another" }))
  assert.isFalse(standings.isBanned({ host: "2001:db8:0:1::99", peerId: "another" }))
})

it("a host is not banned for keys that somebody only says are there", () => {
  const now = () => ({ instant: Instant(0), unix: UnixSeconds(0) })
  const standings = new Standings({ points: FAULT_POINTS, banMs: 1000, maxBannedPerHost: 3, now })
  for (let i = 1; i <= 3; i++) {
    standings.ban(`key ${i}`)
    assert.isTrue(standings.isBanned({ host: "203.0.113.7", peerId: `key ${i}`, isProven: false }))
  }
  assert.isFalse(standings.isBanned({ host: "203.0.113.7", peerId: "another", isProven: true }))
})
