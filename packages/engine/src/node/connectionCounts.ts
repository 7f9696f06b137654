import type { Socket } from 'node:net'
import { addressToBytes, isMappedV4 } from '../address/addressBytes.ts'
import type { HttpServerLimits } from '../platform/httpServer.ts'
import { latin1 } from '../util/bytes.ts'
import { isOwnAddress } from './clientAddress.ts'

/** A network of IPv6 is handed out whole: who has one address has all of its /64. */
const V6_PREFIX_BYTES = 8

/** Connections that speak HTTP, and of each source those that have become WebSockets, too. */
export class ConnectionCounts {
  private readonly counts = new Map<string, number>()
  private readonly speakingHttp = new Set<Socket>()

  constructor(private readonly limits: HttpServerLimits) {}

  admit(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const source = sourceOf(address)
    const count = this.counts.get(source) ?? 0
    const isFull = this.speakingHttp.size >= this.limits.maxConnections
    if (isFull || (count >= this.limits.maxConnectionsPerIp && !isOwnAddress(address))) return void socket.destroy()
    this.counts.set(source, count + 1)
    this.speakingHttp.add(socket)
    socket.once('close', () => {
      this.speakingHttp.delete(socket)
      const now = (this.counts.get(source) ?? 1) - 1
      if (now === 0) this.counts.delete(source)
      else this.counts.set(source, now)
    })
  }

  /** It is a WebSocket now. */
  release(socket: Socket): void {
    this.speakingHttp.delete(socket)
  }
}

/** The address, or of IPv6 its network. */
function sourceOf(address: string): string {
  const bytes = address.includes(':') ? addressToBytes(address) : null
  return bytes === null || isMappedV4(bytes) ? address : latin1(bytes.subarray(0, V6_PREFIX_BYTES))
}
