/**
 * Reads what Bitcoin Core kept in its `peers.dat`, of any version from 0.10 on, so that who moves from it need not begin with nobody known.
 *
 * ```
 *   magic 4 │ format 1 │ 32 + lowest compatible format 1 │ key 32 │ new 4 │ tried 4 │ buckets xor 2^30 4
 *   an entry for each new address, then for each tried
 *   for each bucket of the new table: how many 4, and which of the new addresses, 4 each
 *   version of the AS map 32, from format 2 on │ SHA-256d of all before it 32
 * ```
 *
 * Its key comes along, so addresses keep their places. What Core does not keep (the last try) is as if it had never been.
 *
 * Source: Bitcoin Core 31.99 `addrman.cpp` (`Serialize`, `Unserialize`), `protocol.h` (`CAddress`), `addrdb.cpp`.
 */
import { type Reader, decode, equals } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import { INTERNAL_LENGTH, type NetAddr, NETWORKS, type NodeAddress, ipv4Of } from "@satwire/netaddress"
import * as Result from "effect/Result"
import { BUCKET_SIZE, KEY_LENGTH, NEW_BUCKET_COUNT, TRIED_BUCKET_COUNT } from "./Bucketing.ts"
import { NEW_BUCKETS_PER_ADDRESS } from "./Entries.ts"
import type { KeptRow } from "./KeptRow.ts"

/** What such a file holds. */
export interface PeersDat {
  readonly key: Uint8Array
  /** The version of the AS map under which the buckets were worked out. */
  readonly groups: Uint8Array
  readonly rows: ReadonlyArray<KeptRow>
}

/** What the file holds; or in one clause why it is none that this reads. */
export const readPeersDat = (file: Uint8Array, magic: number, sha256: Sha256): Result.Result<PeersDat, string> => {
  const end = file.length - CHECKSUM_LENGTH
  if (end < 0) return Result.fail("it ends early")
  const content = file.subarray(0, end)
  if (!equals(sha256d(sha256, content), file.subarray(end))) return Result.fail("its checksum does not fit")
  return Result.mapBoth(
    decode(content, (r) => readContent(r, magic)),
    { onSuccess: ({ value }) => value, onFailure: ({ what }) => what }
  )
}

const CHECKSUM_LENGTH = 32
/** Core's `INCOMPATIBILITY_BASE`: older versions took it for the length of the key. */
const INCOMPATIBILITY_BASE = 32
const FORMAT_DETERMINISTIC = 1
const FORMAT_ASMAP = 2
const FORMAT_BIP155 = 3
const NEWEST_FORMAT = 4
/** Set in an entry that is written as BIP-0155 says; the lowest 19 bits are a version that says nothing. */
const DISK_VERSION_ADDRV2 = 0x2000_0000
const DISK_VERSION_IGNORED = 0x0007_ffff
const INTERNAL_PREFIX = Uint8Array.of(0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24)
const TORV2_PREFIX = Uint8Array.of(0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43)
/** An address that leads nowhere, in place of one that has no place here: TorV2, networks to come. */
const NOWHERE: NetAddr = { network: "ipv6", address: new Uint8Array(16) }

const readContent = (r: Reader, magic: number): PeersDat => {
  if (r.u32("magic") !== magic) r.malformed("it is of another network", 0)
  const format = r.u8("format")
  const lowest = r.u8("lowest compatible format") - INCOMPATIBILITY_BASE
  if (lowest < 0) r.malformed("its lowest compatible format is none")
  if (lowest > NEWEST_FORMAT) r.malformed(`its format is ${format}, and this reads up to ${NEWEST_FORMAT}`)
  const key = r.view(KEY_LENGTH, "key")
  const newCount = countOf(r, NEW_BUCKET_COUNT * BUCKET_SIZE, "new addresses")
  const triedCount = countOf(r, TRIED_BUCKET_COUNT * BUCKET_SIZE, "tried addresses")
  const bucketCount = r.u32("buckets") ^ (format >= FORMAT_DETERMINISTIC ? 2 ** 30 : 0)
  const fresh = Array.from({ length: newCount }, () => readRow(r, format))
  const tried = Array.from({ length: triedCount }, () => readRow(r, format))
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    for (let left = r.u32("addresses of a bucket"); left > 0; left--) {
      const row = fresh[r.u32("an address of a bucket")]
      if (row !== undefined && row.buckets.length < NEW_BUCKETS_PER_ADDRESS) row.buckets.push(bucket % NEW_BUCKET_COUNT)
    }
  }
  const version = format >= FORMAT_ASMAP ? r.view(KEY_LENGTH, "version of the AS map") : new Uint8Array(KEY_LENGTH)
  return {
    key,
    // Buckets of a table of another size say nothing: a version that no map has makes all addresses be spread anew.
    groups: bucketCount === NEW_BUCKET_COUNT ? version : new Uint8Array(KEY_LENGTH).fill(0xff),
    rows: [...fresh.filter(({ buckets }) => buckets.length > 0), ...tried]
  }
}

const countOf = (r: Reader, most: number, what: string): number => {
  const count = r.u32(what)
  return count > most ? r.malformed(`${what}: ${count} where ${most} are allowed`) : count
}

type ReadRow = KeptRow & { readonly buckets: Array<number> }

const readRow = (r: Reader, format: number): ReadRow => {
  const written = r.u32("version of an address") & ~DISK_VERSION_IGNORED
  if (written !== 0 && !(written === DISK_VERSION_ADDRV2 && format >= FORMAT_BIP155)) {
    r.malformed("an address is written in a way that this does not read")
  }
  const isV2 = written === DISK_VERSION_ADDRV2
  const time = r.u32("time")
  const services = isV2 ? r.compactSize64("services") : r.u64("services")
  const host = isV2 ? readV2(r) : hostOf(r.view(16, "address"))
  const port = r.u16be("port")
  // Who told of it is written as BIP-0155 says in every file that knows of it.
  const source = format >= FORMAT_BIP155 ? readV2(r) : hostOf(r.view(16, "source"))
  const lastSuccess = Number(r.i64("last success"))
  const attempts = Math.max(0, r.i32("attempts"))
  const place = host.network === "internal" ? NOWHERE : host
  const node = { network: place.network, address: place.address, port } as NodeAddress
  const never = { lastTry: 0, lastCountedTry: 0, waitsBehind: undefined }
  return { node, source, services, time, lastSuccess, attempts, buckets: [], ...never }
}

const readV2 = (r: Reader): NetAddr => {
  const id = r.u8("network")
  const address = r.varBytes(MAX_ADDRESS_LENGTH, "address")
  const row = NETWORKS.find((one) => one.id === id)
  if (row === undefined) return NOWHERE
  if (row.length !== address.length) r.malformed(`a ${row.network} address of ${address.length} bytes`)
  return row.network === "ipv6" ? hostOf(address) : { network: row.network, address }
}

/** Core's `MAX_ADDRV2_SIZE`. */
const MAX_ADDRESS_LENGTH = 512

/** The host that 16 bytes stand for. */
const hostOf = (ip: Uint8Array): NetAddr => {
  const ipv4 = ipv4Of(ip)
  if (ipv4 !== undefined) return { network: "ipv4", address: ipv4 }
  if (equals(ip.subarray(0, 6), INTERNAL_PREFIX)) return { network: "internal", address: ip.subarray(-INTERNAL_LENGTH) }
  return equals(ip.subarray(0, 6), TORV2_PREFIX) ? NOWHERE : { network: "ipv6", address: ip }
}
