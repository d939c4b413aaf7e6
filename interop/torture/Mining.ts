/** Blocks: by either side, one or many, and reorganisations of 1 to 20. */
import { BlockView, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import type { Member } from "./Member.ts"
import type { TortureFailed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

export const DEEPEST = 20

export const anyOf = <A>({ random }: World, these: ReadonlyArray<A>): A => these[random.below(these.length)] as A

/**
 * Mines on the tip of one of them, and takes what waits into the first block. Of ours that is what bcoin waits for as well: as ours know no
 * coins, they would take a child without its parent, or what a block has already.
 */
export const mine = (world: World, member: Member, blocks: number): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const [theirs, its] = yield* Effect.all([world.bcoin.pool, member.pool])
    const known = new Set(its)
    const both = new Set(theirs.filter((id) => known.has(id)))
    // A child comes after its parent, and not without it.
    const missing = [...world.waiting.keys()].findIndex((id) => !both.has(id))
    const inOrder = [...world.waiting.keys()].slice(0, missing < 0 ? undefined : missing)
    yield* member.mine(blocks, inOrder)
    world.tally.add(`blocks by ${member.name}`, blocks)
    if (member !== world.bcoin) world.tally.add(`transactions in blocks by ${member.name}`, inOrder.length)
  })

/**
 * A longer branch from so many blocks below the tip, in one of several ways.
 *
 * Specification: bcoin's own `invalidateblock` is not one of them. Rationale: it asks its peers at once for what it has just let go of,
 * bans them for sending it, and refuses what stands on it even when that is taken back.
 */
export const reorganise = (world: World, depth: number): Effect.Effect<void, TortureFailed> => {
  world.tally.add("reorganisations")
  world.tally.add("blocks reorganised", depth)
  if (world.random.below(2) === 0) return elsewhere(world, depth)
  return thinksBetter(world, anyOf(world, [world.steady, world.struck]), depth)
}

/** One of ours takes back what it has: its user calls a block invalid, and it mines on the one before. Later he thinks better of it. */
const thinksBetter = (world: World, member: Member, depth: number): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const hash = toHex(world.mirror.hash(world.mirror.best - depth + 1))
    world.tally.add(`reorganisations by ${member.name}`)
    world.doubted.add(hash)
    yield* member.invalidate(hash)
    yield* member.mine(depth + 1, [])
    yield* member.reconsider(hash)
  })

/** Mined in secret, and then handed to one of them. */
const elsewhere = (world: World, depth: number): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { mirror, random, tally, unix } = world
    const branch = mirror.branch(mirror.best - depth)
    const to = anyOf(world, world.all)
    tally.add(`reorganisations from elsewhere by ${to.name}`)
    for (let i = 0; i <= depth; i++) {
      const block = BlockView.of(branch.make({ unix: unix(), extraNonce: 1 + random.below(1_000_000) }))
      branch.add(block)
      yield* to.submit(block)
    }
  })
