/** The machine on random histories: what must hold of it after every input, and that it gets there in the end. */
import { ChaChaRandom } from "@satwire/crypto"
import { PeerId, type Random, shuffle } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import {
  BLOCK_DOWNLOAD_WINDOW,
  LIMITED_BLOCKS,
  MAX_ASKED_FOR_BLOCK,
  MAX_BLOCKS_IN_TRANSIT_PER_PEER
} from "../src/index.ts"
import { FULL, LIMITED, SyncHarness, faultOf } from "./SyncHarness.ts"
import { hashOf } from "./TestTree.ts"

type Nature = "honest" | "silent" | "lacking" | "mutating" | "unasked" | "leaving"

interface Other {
  readonly id: number
  readonly nature: Nature
  readonly isLimited: boolean
  readonly best: number
  /** What it was asked for and has neither sent nor refused. */
  readonly inFlight: Set<number>
  readonly everAsked: Set<number>
}

const NATURES: ReadonlyArray<Nature> = ["honest", "silent", "lacking", "mutating", "unasked", "leaving"]

class History {
  readonly harness: SyncHarness
  readonly others: Map<number, Other> = new Map()
  readonly #random: Random
  readonly #checks: Array<{ readonly header: number; readonly isMutated: boolean }> = []
  readonly #writes: Array<number> = []
  /** Of each header under check, whether what came was mutated. */
  readonly #mutated: Map<object, boolean> = new Map()
  #nextId = 1
  #followed = 0

  constructor(seed: number) {
    this.#random = ChaChaRandom.fromNumber(seed)
    this.harness = new SyncHarness({ headers: 300 + this.#random.below(2000) })
    this.harness.checks = false
    this.harness.stores = false
    if (this.#random.below(2) === 0) this.harness.tree.grow(this.#random.below(300), 100 + this.#random.below(500))
    this.harness.headersMoved()
    this.join("honest")
  }

  join(nature: Nature = NATURES[this.#random.below(NATURES.length)] as Nature): void {
    const id = this.#nextId++
    const { tree } = this.harness
    const isLimited = nature !== "honest" && this.#random.below(4) === 0
    const best = nature === "honest" ? tree.best : this.#random.below(tree.size)
    this.others.set(id, { id, nature, isLimited, best, inFlight: new Set(), everAsked: new Set() })
    this.harness.ready(id, {
      best,
      services: isLimited ? LIMITED : FULL,
      isPreferred: nature === "honest" || this.#random.below(3) > 0
    })
    this.#look()
  }

  leave(id: number): void {
    this.others.delete(id)
    this.harness.gone(id)
    this.#look()
  }

  step(): void {
    const random = this.#random
    const all = [...this.others.values()]
    const other = all[random.below(all.length)]
    this.harness.elapse(random.below(400))
    this.#look()
    if (random.below(20) === 0) this.join()
    for (let i = random.below(12); i > 0; i--) this.#settle()
    if (other !== undefined && this.others.has(other.id)) this.#act(other)
  }

  /** Only honest peers, and disks that keep up. */
  finish(): void {
    const { tree } = this.harness
    for (const { id, nature } of [...this.others.values()]) if (nature !== "honest") this.leave(id)
    this.join("honest")
    for (let i = 0; i < 20_000 && this.harness.tip !== tree.best; i++) {
      this.harness.elapse(100)
      this.#look()
      for (const other of this.others.values()) this.#act(other)
      while (this.#settle());
    }
  }

  #act(other: Other): void {
    const [first, ...rest] = shuffle(this.#random, [...other.inFlight])
    const { harness } = this
    switch (other.nature) {
      case "silent":
        return
      case "honest":
        if (first !== undefined) this.#send(other, [...other.inFlight][0] as number, false)
        break
      case "lacking":
        if (first === undefined) return
        other.inFlight.delete(first)
        harness.notFound(other.id, [first, 5, 6])
        break
      case "mutating":
        if (first !== undefined) this.#send(other, first, rest.length % 2 === 0)
        break
      case "unasked":
        this.#send(other, 1 + this.#random.below(harness.tree.size - 1), this.#random.below(3) === 0)
        break
      case "leaving":
        if (this.#random.below(3) === 0) return this.leave(other.id)
        if (first !== undefined) this.#send(other, first, false)
    }
    this.#look()
  }

  #send(other: Other, header: number, isMutated: boolean): void {
    other.inFlight.delete(header)
    const block = this.harness.tree.block(header, 20_000 + this.#random.below(100_000))
    this.#mutated.set(block, isMutated)
    this.harness.input({ _tag: "BlockReceived", from: PeerId(other.id), block, hash: hashOf(header) })
    this.#look()
  }

  /** One check or one write is done. */
  #settle(): boolean {
    const check = this.#checks.shift()
    if (check !== undefined) {
      this.harness.checked(check.header, check.isMutated ? faultOf("bad-txnmrklroot", true) : undefined)
    } else if (this.#writes.length > 0) this.harness.stored(...this.#writes.splice(0, 1 + this.#random.below(5)))
    else return false
    this.#look()
    return true
  }

  /** Takes in what the machine said, and holds it against the rules. */
  #look(): void {
    const { harness } = this
    const { tree } = harness
    for (const other of this.others.values()) {
      for (const header of harness.asked(other.id)) {
        must(!other.everAsked.has(header), `${header} is asked of ${other.id} twice`)
        must(tree.isAncestor(header, other.best), "a peer is asked for what it does not have")
        must(!harness.sync.blocks.isHere(header), "what is here is asked for")
        const depth = tree.height(other.best) - tree.height(header)
        must(!other.isLimited || depth < LIMITED_BLOCKS, "a limited peer is asked for an old block")
        const fork = tree.height(tree.fork(header, harness.tip))
        must(tree.height(header) - fork <= BLOCK_DOWNLOAD_WINDOW, "a block beyond the window is asked for")
        other.everAsked.add(header)
        other.inFlight.add(header)
      }
      must(other.inFlight.size <= MAX_BLOCKS_IN_TRANSIT_PER_PEER, "too many are in flight")
    }
    const askedOf = new Map<number, number>()
    for (const { inFlight } of this.others.values())
      for (const header of inFlight) askedOf.set(header, (askedOf.get(header) ?? 0) + 1)
    must(Math.max(0, ...askedOf.values()) <= MAX_ASKED_FOR_BLOCK, "a block is asked of too many")
    must(harness.sync.snapshot().inFlight === askedOf.size, "what is in flight is counted wrongly")
    for (const { block, header } of harness.take("CheckBlock"))
      this.#checks.push({ header, isMutated: this.#mutated.get(block) === true })
    for (const { header } of harness.take("StoreBlock")) {
      must(!harness.sync.blocks.isKept(header), "a block is kept twice")
      this.#writes.push(header)
    }
    for (const { added, forkHeight, header, removed } of harness.take("BlockTipChanged")) {
      expect(forkHeight + removed).toBe(tree.height(this.#followed))
      expect(forkHeight + added).toBe(tree.height(header))
      expect(tree.compareWork(header, this.#followed)).toBeGreaterThan(0)
      this.#followed = header
    }
    for (const parted of harness.parted()) {
      const id = Number(parted.split(" ")[0])
      expect(this.others.get(id)?.nature, parted).not.toBe("lacking")
      if (this.others.get(id)?.nature === "honest") expect(parted).not.toContain("BadBlock")
      this.others.delete(id)
      harness.gone(id)
    }
  }
}

const must = (isTrue: boolean, otherwise: string): void => {
  if (!isTrue) throw new Error(otherwise)
}

describe("among peers of every kind", () => {
  it.each(Array.from({ length: 6 }, (_, i) => i + 1))(
    "all blocks come in the end, and no rule is broken on the way (seed %i)",
    (seed) => {
      const history = new History(seed)
      for (let i = 0; i < 250; i++) history.step()
      history.finish()
      const { harness, others } = history
      expect(harness.tree.height(harness.tip)).toBe(harness.tree.height(harness.tree.best))
      for (const id of [...others.keys()]) history.leave(id)
      expect(harness.sync.isEmpty).toBe(true)
      expect(harness.sync.nextTimeout()).toBe(undefined)
      expect(harness.sync.snapshot()).toMatchObject({ waiting: 0, waitingBytes: 0, inFlight: 0 })
    }
  )
})
