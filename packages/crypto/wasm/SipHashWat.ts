/**
 * SipHash-2-4 of 32-byte ids in batches, as WebAssembly text: there a word of 64 bits is one value and not two halves.
 *
 * Specification: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, §2.
 */
import { get, i32, plus, set, upTo } from "./Words.ts"

/** Where JavaScript's part of the memory begins. */
export const SIP_BUFFER_AT = 0
/** Pages of 64 KiB that the module begins and stays with. */
export const SIP_PAGES = 8

const add = (a: string, b: string): string => `(i64.add ${get(a)} ${get(b)})`
const xor = (a: string, b: string): string => `(i64.xor ${get(a)} ${get(b)})`
const rotate = (a: string, bits: number): string => `(i64.rotl ${get(a)} (i64.const ${bits}))`

const sipRound = [
  set("v0", add("v0", "v1")),
  set("v1", rotate("v1", 13)),
  set("v1", xor("v1", "v0")),
  set("v0", rotate("v0", 32)),
  set("v2", add("v2", "v3")),
  set("v3", rotate("v3", 16)),
  set("v3", xor("v3", "v2")),
  set("v0", add("v0", "v3")),
  set("v3", rotate("v3", 21)),
  set("v3", xor("v3", "v0")),
  set("v2", add("v2", "v1")),
  set("v1", rotate("v1", 17)),
  set("v1", xor("v1", "v2")),
  set("v2", rotate("v2", 32))
].join("\n")

const absorb = (word: string): string =>
  [set("m", word), set("v3", xor("v3", "m")), sipRound, sipRound, set("v0", xor("v0", "m"))].join("\n")

const keyed = (key: string, constant: string): string => `(i64.xor ${get(key)} (i64.const ${constant}))`

/**
 * `ids32(in, count, out, k0, k1)`: the 64-bit hash of each of `count` ids of 32 bytes, one after another, to eight bytes each. The length
 * that the last block carries is always 32.
 */
const ids32 = `(func (export "ids32") (param $in i32) (param $count i32) (param $out i32) (param $k0 i64) (param $k1 i64)
(local $v0 i64) (local $v1 i64) (local $v2 i64) (local $v3 i64) (local $m i64)
(block $done (loop $next
(br_if $done (i32.eqz ${get("count")}))
${set("v0", keyed("k0", "0x736f6d6570736575"))}
${set("v1", keyed("k1", "0x646f72616e646f6d"))}
${set("v2", keyed("k0", "0x6c7967656e657261"))}
${set("v3", keyed("k1", "0x7465646279746573"))}
${upTo(4)
  .map((i) => absorb(`(i64.load offset=${8 * i} ${get("in")})`))
  .join("\n")}
${absorb("(i64.const 0x2000000000000000)")}
${set("v2", `(i64.xor ${get("v2")} (i64.const 0xff))`)}
${upTo(4)
  .map(() => sipRound)
  .join("\n")}
(i64.store ${get("out")} (i64.xor (i64.xor ${get("v0")} ${get("v1")}) (i64.xor ${get("v2")} ${get("v3")})))
${set("in", plus(get("in"), i32(32)))}
${set("out", plus(get("out"), i32(8)))}
${set("count", `(i32.sub ${get("count")} ${i32(1)})`)}
(br $next))))`

export const sipHashWat: string = `(module (memory (export "memory") ${SIP_PAGES} ${SIP_PAGES})\n${ids32})`
