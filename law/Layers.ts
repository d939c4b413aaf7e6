/**
 * `layers.json` as functions: on which layer a file stands and what it may import. Imports go down; the few edges inside a layer
 * are named; a door that stands higher than its room (`./effect`, `./node`) is named with its layer.
 */
import { dirname, join } from "node:path"
import { type Door, type House, type Room, doors, roomOf, rooms } from "./House.ts"

export type Side = "pure" | "edge" | "dev"

export interface Layers {
  /** From the lowest to the highest. `dev` comes last: never shipped, imported by tests, benches and itself only. */
  readonly layers: ReadonlyArray<{ readonly name: string; readonly side: Side; readonly rooms: ReadonlyArray<string> }>
  /** Room → rooms of its own layer that it may import. */
  readonly inside: Readonly<Record<string, ReadonlyArray<string>>>
  /** Files that stand elsewhere than their room, and the rooms of that layer that they may import. */
  readonly doors: Readonly<
    Record<string, { readonly layer: string; readonly may: ReadonlyArray<string>; readonly why: string }>
  >
  readonly npm: { readonly pure: ReadonlyArray<string> }
}

/** Where something stands. */
export interface Standing {
  readonly room: string
  readonly rank: number
  readonly layer: string
  readonly side: Side
  /** Rooms of the same layer that it may import. */
  readonly beside: ReadonlyArray<string>
}

export const sideOfRoom = (layers: Layers, room: string): Side | undefined =>
  layers.layers.find((layer) => layer.rooms.includes(room))?.side

/** Where the file `path` of `room` stands, or `undefined` if `layers.json` does not know the room. */
export const standing = (layers: Layers, room: string, path: string): Standing | undefined => {
  const door = layers.doors[path]
  const rank = layers.layers.findIndex((layer) =>
    door === undefined ? layer.rooms.includes(room) : layer.name === door.layer
  )
  const layer = layers.layers[rank]
  if (layer === undefined) return undefined
  const beside = door === undefined ? (layers.inside[room] ?? []) : door.may
  return { room, rank, layer: layer.name, side: layer.side, beside }
}

/** Why `from` may not import `to`, or `undefined` if it may. */
export const refusal = (from: Standing, to: Standing, fromTest: boolean): string | undefined => {
  if (from.room === to.room && from.rank >= to.rank) return undefined
  if (to.side === "dev") {
    return fromTest || from.side === "dev" ? undefined : "only tests, benches and dev packages import dev packages"
  }
  if (from.side === "dev") return to.layer === "app" ? "nothing imports an app" : undefined
  if (to.rank < from.rank || from.beside.includes(to.room)) return undefined
  if (to.rank > from.rank) return `imports go down, and ${to.room} stands on ${to.layer} above ${from.layer}`
  return `${from.room} and ${to.room} both stand on ${from.layer}: let them meet a layer above, by facts and lookups`
}

/** What a specifier of this workspace leads to. */
export interface Target {
  readonly room: Room
  readonly door: Door | undefined
}

export const targetOf = (all: ReadonlyArray<Room>, specifier: string): Target | undefined => {
  const room = all.find(({ manifest }) => specifier === manifest.name || specifier.startsWith(`${manifest.name}/`))
  if (room === undefined) return undefined
  const name = `.${specifier.slice((room.manifest.name ?? "").length)}`
  return { room, door: doors(room).find((door) => door.name === name) }
}

/** The file that a relative specifier in `path` names, from the root; it may not exist. */
export const relativeTarget = (path: string, specifier: string): string => join(dirname(path), specifier)

export interface Place {
  readonly room: Room
  /** Source of the room, or its tests and benches. */
  readonly kind: "source" | "test"
}

/** In which room, and in which part of it, a file lies. */
export const placeOf = (house: House, path: string): Place | undefined => {
  const room = roomOf(rooms(house), path)
  if (room === undefined) return undefined
  if (path.startsWith(`${room.folder}/src/`)) return { room, kind: "source" }
  return { room, kind: "test" }
}
