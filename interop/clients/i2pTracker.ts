import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A tracker as those in I2P are: peers are destinations, and lists of them the hashes of these, 32 bytes each. */
export class I2pTracker {
  private readonly peers = new Map<string, Uint8Array>()

  private constructor(
    readonly port: number,
    private readonly server: Server,
  ) {}

  static async start(): Promise<I2pTracker> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const tracker = new I2pTracker((server.address() as AddressInfo).port, server)
    server.on('request', (request, response) => {
      response.setHeader('connection', 'close')
      response.end(tracker.answer(new URL(request.url ?? '/', 'http://tracker').searchParams))
    })
    return tracker
  }

  /** How many destinations have announced. */
  get size(): number {
    return this.peers.size
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
  }

  private answer(query: URLSearchParams): Buffer {
    const destination = query.get('ip')?.replace(/\.i2p$/, '') ?? ''
    const bytes = Buffer.from(destination.replaceAll('-', '+').replaceAll('~', '/'), 'base64')
    if (bytes.length < 387 || query.get('compact') !== '1') return Buffer.from('d14:failure reason14:no destinatione')
    if (query.get('event') === 'stopped') this.peers.delete(destination)
    else this.peers.set(destination, createHash('sha256').update(bytes).digest())
    const others = [...this.peers].filter(([name]) => name !== destination).map(([, hash]) => hash)
    return Buffer.concat([Buffer.from(`d8:intervali60e5:peers${32 * others.length}:`), ...others, Buffer.from('e')])
  }
}
