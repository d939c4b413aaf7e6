import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { concat } from "@satwire/bytes"
import { genesisHeader, regtest, signet } from "@satwire/primitives"
import { beforeAll, describe, expect, it } from "vitest"
import { regtestChain } from "@satwire/testkit"
import { keepHeaders } from "./Chain.ts"
import { type Ended, freshHome, listening, run, runtimes, start } from "./Program.ts"

const HEADERS = 3000
let chain: Uint8Array
/** The chain with genesis before it. */
let whole: Uint8Array
beforeAll(() => {
  chain = regtestChain(HEADERS)
  whole = concat([genesisHeader(regtest), chain])
})

const HASH = "[0-9a-f]{64}"

/** A home in which `headers.bin` has this content. */
const homeWith = (file: Uint8Array): string => {
  const home = freshHome()
  writeFileSync(join(home, "headers.bin"), file)
  return home
}

const headers = (home: string, ...args: ReadonlyArray<string>): Promise<Ended> =>
  run(["headers", ...args, "-regtest"], { home })

/** Something to say on stderr and nothing else. */
const complained = ({ code, stderr, stdout }: Ended): string => {
  expect([code, stdout]).toEqual([1, ""])
  expect(stderr).toMatch(/^satwire: .+\n$/)
  return stderr
}

/** What is said, without what differs from one file to another. */
const shape = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{64}/g, "HASH")
    .replaceAll(/\/\S+(?=[:\s])/g, "FILE")
    .replaceAll(/\b[\d,]*\d\b/g, "N")
    .replaceAll(/of (?:mainnet|regtest)/g, "of NETWORK")

describe("satwire headers", () => {
  it.each(runtimes)(
    "brings a fresh install from a file to where a node goes on, and writes the same file, on %s",
    async (runtime) => {
      const home = homeWith(whole)
      const imported = await run(["headers", "import", "-regtest", "headers.bin"], { home, runtime })
      expect([imported.code, imported.stderr]).toEqual([0, ""])
      const [first, second, ...more] = imported.stdout.split("\n")
      const file = join(home, "headers.bin")
      expect(first).toBe(`Read 3,001 headers of regtest from ${file}: all valid, 3,000 of them new.`)
      expect(second).toMatch(new RegExp(`^The best chain has height 3,000, tip ${HASH}\\.$`))
      expect(more).toEqual([""])
      const again = await run(["headers", "import", "-regtest", "headers.bin"], { home, runtime })
      expect(again.stdout).toContain("all valid, none of them new.")
      const exported = await run(["headers", "export", "-regtest", "copy.bin"], { home, runtime })
      const where = join(home, "copy.bin")
      expect([exported.code, exported.stderr]).toEqual([0, ""])
      expect(exported.stdout).toMatch(
        new RegExp(`^Wrote 3,001 headers of regtest to ${where}: from genesis to height 3,000, tip ${HASH}\\.\n$`)
      )
      expect(readFileSync(where)).toEqual(readFileSync(file))
      expect(readdirSync(home).filter((name) => name.endsWith(".new"))).toEqual([])
      const node = start(["-regtest", "-noconnect", "-nolisten"], { home, runtime })
      await node.printed(/Loaded 3,000 headers from disk; the best chain has height 3,000\./)
    }
  )

  it("prints what the README shows", async () => {
    const home = homeWith(whole)
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
    const [, shown = ""] = /```console\n(\$ satwire headers[\s\S]*?)```/.exec(readme) ?? []
    await keepHeaders(join(home, ".satwire"), chain)
    const printed: Array<string> = []
    for (const line of shown.split("\n").filter((line) => line.startsWith("$ "))) {
      if (line.includes("import")) rmSync(join(home, ".satwire"), { recursive: true })
      if (line.includes("export")) rmSync(join(home, "headers.bin"))
      const [, ...args] = line.replace("-datadir=/new ", "").slice("$ ".length).split(" ")
      const { stdout } = await run([...args, "-regtest"], { home })
      printed.push(`${line}\n${stdout}`)
    }
    expect(printed).toHaveLength(2)
    expect(shape(printed.join(""))).toBe(shape(shown))
  })

  it("says where a file ends, where the best chain goes on", async () => {
    const home = homeWith(whole.subarray(0, 80 * 11))
    await keepHeaders(join(home, ".satwire"), chain)
    const { stdout } = await headers(home, "import", "headers.bin")
    expect(stdout).toMatch(/^The file ends at height 10\. The best chain has height 3,000, tip /m)
  })

  it("names the file, the height and the rule of the first header that is wrong, and keeps what stands before it", async () => {
    const home = homeWith(concat([whole.subarray(0, 80 * 2500), whole.subarray(80 * 2501)]))
    const broken = complained(await headers(home, "import", "headers.bin"))
    expect(broken).toBe(
      `satwire: ${join(home, "headers.bin")} breaks the rule non-continuous at height 2500: the 2500 headers before it are kept; take a file of one chain, in order and without forks\n`
    )
    writeFileSync(join(home, "headers.bin"), whole.subarray(0, 80 * 2600 + 1))
    const torn = complained(await headers(home, "import", "headers.bin"))
    expect(torn).toContain("ends in the middle of the header at height 2600 (1 of 80 bytes)")
    writeFileSync(join(home, "headers.bin"), whole)
    const { stdout } = await headers(home, "import", "headers.bin")
    expect(stdout).toContain("401 of them new")
  })

  it.each([
    ["is not there", undefined, "does not exist"],
    ["is a directory", "directory", "cannot be read (EISDIR): it is a directory, name the file"],
    ["is empty", new Uint8Array(0), "is empty"],
    [
      "is of another network",
      genesisHeader(signet),
      "begins with the genesis header of signet, not of regtest (height 0)"
    ],
    [
      "is something else",
      new TextEncoder().encode("hello"),
      "does not begin with the genesis header of regtest (height 0)"
    ]
  ])("says in one sentence that a file %s", async (_, content, sentence) => {
    const home = freshHome()
    if (content === "directory") mkdirSync(join(home, "headers.bin"))
    else if (content instanceof Uint8Array) writeFileSync(join(home, "headers.bin"), content)
    expect(complained(await headers(home, "import", "headers.bin"))).toContain(`/headers.bin ${sentence}`)
  })

  it("overwrites no file unless it is asked to, and none of the node's own at all", async () => {
    const home = homeWith(new Uint8Array(3))
    const refused = complained(await headers(home, "export", "headers.bin"))
    expect(refused).toContain("headers.bin is there already: choose another name, or overwrite it by --force")
    expect(readFileSync(join(home, "headers.bin")).length).toBe(3)
    const forced = await headers(home, "export", "headers.bin", "--force")
    expect([forced.code, readFileSync(join(home, "headers.bin")).length]).toEqual([0, 80])
    const own = await headers(home, "export", "--force", ".satwire/regtest/headers.dat")
    expect([own.code, own.stdout]).toEqual([2, ""])
    expect(own.stderr).toContain("headers.dat lies among the node's own files: choose another directory")
    const nowhere = complained(await headers(home, "export", "no/such/place.bin"))
    expect(nowhere).toContain("place.bin cannot be written (ENOENT): make the directory first")
  })

  it("waits for no node that has the data directory, but names its process", async () => {
    const home = homeWith(whole)
    const node = start(["-regtest", "-noconnect", "-bind=127.0.0.1:0"], { home })
    await listening(node)
    for (const args of [
      ["import", "headers.bin"],
      ["export", "copy.bin"]
    ]) {
      const locked = complained(await headers(home, ...args))
      expect(locked).toContain(`/.satwire/regtest is in use by process ${node.pid}: stop that one`)
    }
    expect(readdirSync(home).includes("copy.bin")).toBe(false)
  })

  it("writes a skeleton along which another node fetches its headers, and one that is wrong does no harm", async () => {
    const home = homeWith(whole)
    await headers(home, "import", "headers.bin")
    const written = await headers(home, "skeleton", "skeleton.txt")
    expect(written.stdout).toMatch(
      /^Wrote the height and hash of every 2,000th header of regtest, and of its tip, to .*, up to height 3,000, /
    )
    const skeleton = readFileSync(join(home, "skeleton.txt"), "utf8")
    expect(skeleton.split("\n").map((line) => line.split(" ")[0])).toEqual(["#", "0", "2000", "3000", ""])
    const server = start(["-regtest", "-fetchblocks=0", "-noconnect", "-bind=127.0.0.1:0"], { home })
    const address = await listening(server)
    const follow = (text: string, name: string): Promise<RegExpExecArray> => {
      const fresh = freshHome()
      writeFileSync(join(fresh, "points.txt"), text)
      const node = start(["-regtest", "-fetchblocks=0", `-connect=${address}`, `-${name}=points.txt`], { home: fresh })
      return Promise.all([
        node.printed(/(All headers along|The header skeleton led to nothing at height [\d,]+)/),
        node.printed(/Headers: height 3,000/)
      ]).then(([said]) => said)
    }
    expect((await follow(skeleton, "headerskeleton"))[1]).toBe("All headers along")
    expect((await follow(skeleton, "trustedheaders"))[1]).toBe("All headers along")
    const wrong = skeleton.replace(/^2000 ..../m, "2000 dead")
    expect((await follow(wrong, "headerskeleton"))[1]).toBe("The header skeleton led to nothing at height 0")
  })

  it("takes no list of headers with a line that is wrong, and says which", async () => {
    const home = freshHome()
    writeFileSync(join(home, "points.txt"), "0 dead\n")
    for (const name of ["headerskeleton", "trustedheaders"]) {
      const { code, stderr } = await run(["-regtest", "-noconnect", `-${name}=points.txt`], { home })
      expect(code).toBe(2)
      expect(stderr).toMatch(
        new RegExp(`${name}: the file .*/points.txt is wrong: line 1 has no hash of 64 hexadecimal digits`)
      )
      const missing = await run(["-regtest", "-noconnect", `-${name}=none.txt`], { home })
      expect(missing.stderr).toContain("none.txt does not exist")
    }
  })
})
