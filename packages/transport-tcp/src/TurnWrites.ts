/**
 * Joins the writes of one turn. The first goes to the kernel at once, since there is mostly one; from the second on a connection is
 * corked until the turn is over, so that a careless caller costs one system call and not hundreds. One tick serves all connections.
 */
export interface Corkable {
  cork(): void
  uncork(): void
}

let turn = 0
let ticking = false
let corked: Array<Corkable> = []

/** The number of this turn of the event loop, for telling the first write of a turn from the next. */
export const currentTurn = (): number => {
  if (!ticking) {
    ticking = true
    process.nextTick(endTurn)
  }
  return turn
}

/** Corks until the turn ends. */
export const corkThisTurn = (socket: Corkable): void => {
  currentTurn()
  socket.cork()
  corked.push(socket)
}

const endTurn = (): void => {
  ticking = false
  turn++
  if (corked.length === 0) return
  const sockets = corked
  corked = []
  for (const socket of sockets) socket.uncork()
}
