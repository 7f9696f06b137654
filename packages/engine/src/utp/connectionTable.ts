import type { Endpoint } from '../address/endpoint.ts'
import type { UtpSocket } from './utpSocket.ts'

/** Connections that differ by their address alone: more than this nobody has by chance. */
const MOST_OF_ONE_KEY = 8

/** Id and port in one small number, which costs nothing to look up. */
function keyOf(receiveId: number, port: number): number {
  return (port << 16) | receiveId
}

/** The connections of a UDP socket, by remote endpoint and the id in packets we get. */
export class ConnectionTable {
  private readonly byKey = new Map<number, UtpSocket>()
  private count = 0

  get size(): number {
    return this.count
  }

  find(receiveId: number, remote: Endpoint): UtpSocket | null {
    let socket = this.byKey.get(keyOf(receiveId, remote.port)) ?? null
    while (socket !== null && socket.remote.address !== remote.address) socket = socket.nextOfKey
    return socket
  }

  /** Whether one more would have to be found among too many: somebody chose them so. */
  isCrowded(receiveId: number, port: number): boolean {
    let found = 0
    let socket = this.byKey.get(keyOf(receiveId, port)) ?? null
    for (; socket !== null; socket = socket.nextOfKey) found++
    return found >= MOST_OF_ONE_KEY
  }

  add(socket: UtpSocket): void {
    const key = keyOf(socket.receiveId, socket.remote.port)
    socket.nextOfKey = this.byKey.get(key) ?? null
    this.byKey.set(key, socket)
    this.count++
  }

  remove(socket: UtpSocket): void {
    const key = keyOf(socket.receiveId, socket.remote.port)
    let at = this.byKey.get(key) ?? null
    if (at === null) return
    if (at === socket) {
      if (socket.nextOfKey === null) this.byKey.delete(key)
      else this.byKey.set(key, socket.nextOfKey)
    } else {
      while (at !== null && at.nextOfKey !== socket) at = at.nextOfKey
      if (at === null) return
      at.nextOfKey = socket.nextOfKey
    }
    socket.nextOfKey = null
    this.count--
  }

  /** All connections, as of now. */
  all(): readonly UtpSocket[] {
    const all: UtpSocket[] = []
    for (const first of this.byKey.values()) {
      for (let socket: UtpSocket | null = first; socket !== null; socket = socket.nextOfKey) all.push(socket)
    }
    return all
  }
}
