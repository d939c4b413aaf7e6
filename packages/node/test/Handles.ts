/** What this process holds of the system: the files and sockets of a node, told from those of its test, and the timers of both. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs"

export interface Watched {
  /** Files below it are the node's. */
  readonly directory: string
  /** The port at which the node listens: sockets there are the node's. */
  readonly listening: number
  /** The ports that the node dials: sockets to there are the node's. */
  readonly dialled: ReadonlyArray<number>
}

export interface Handles {
  readonly files: number
  readonly sockets: number
  readonly timers: number
}

/** Whether the system tells. Elsewhere only timers are counted. */
export const tellsDescriptors: boolean = process.platform === "linux"

export const handles = (watched: Watched): Handles => {
  const links = descriptors()
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  const isNodes = ({ inode, local, remote }: TcpSocket): boolean =>
    inodes.has(inode) && (local === watched.listening || watched.dialled.includes(remote))
  return {
    files: links.filter((link) => link.startsWith(watched.directory)).length,
    sockets: tcpSockets().filter(isNodes).length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length
  }
}

const descriptors = (): ReadonlyArray<string> => {
  if (!tellsDescriptors) return []
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      // Closed since it was listed: the descriptor of the listing itself.
      return []
    }
  })
}

interface TcpSocket {
  readonly inode: string
  readonly local: number
  readonly remote: number
}

/** The rows of the kernel's table: number, local and remote address in hex, state, …, inode. */
const tcpSockets = (): ReadonlyArray<TcpSocket> => {
  if (!tellsDescriptors) return []
  const [, ...rows] = readFileSync("/proc/self/net/tcp", "utf8").trim().split("\n")
  return rows.map((row) => {
    const columns = row.trim().split(/\s+/)
    const port = (address: string | undefined): number => Number.parseInt(address?.split(":")[1] ?? "", 16)
    return { inode: columns[9] ?? "", local: port(columns[1]), remote: port(columns[2]) }
  })
}
