import net from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler, Tcp, TcpConnectOptions, TcpListener } from '../platform/tcp.ts'
import { readBuffer } from './readBuffer.ts'

const HIGH_WATER_MARK_BYTES = 1024 * 1024
const ACCEPT_BACKLOG = 511

/** A socket of Node as a stream. */
export class NodeStream implements Stream {
  readonly socketType = SocketType.tcp
  private handler: StreamHandler | null = null
  private error: LibtorrentError | null = null
  private closed = false

  private constructor(
    private readonly socket: net.Socket,
    readonly remote: Endpoint,
  ) {
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      this.error = systemError(cause, { operation: cause.syscall === 'connect' ? 'connect' : 'socketRead' })
    })
    // The other side will say no more; a BitTorrent connection that cannot be answered is of no use.
    socket.on('end', () => this.close(null))
    socket.on('close', () => this.close(this.error))
    socket.on('drain', () => this.handler?.onDrain())
  }

  static connecting(remote: Endpoint, options: TcpConnectOptions, handler: StreamHandler): NodeStream {
    let stream: NodeStream | null = null
    const socket = net.connect({
      host: remote.address,
      port: remote.port,
      family: isV6(remote.address) ? 6 : 4,
      noDelay: true,
      localAddress: options.localAddress,
      localPort: options.localPort,
      onread: {
        buffer: readBuffer(),
        callback: (length: number, buffer: Uint8Array) => {
          stream?.handler?.onData(buffer.subarray(0, length))
          return true
        },
      },
      ...{ highWaterMark: HIGH_WATER_MARK_BYTES },
    })
    stream = new NodeStream(socket, remote)
    stream.handler = handler
    socket.once('connect', () => {
      stream.handler?.onConnected()
    })
    return stream
  }

  static accepted(socket: net.Socket): NodeStream | null {
    // A peer that left between the system's accept and ours has no address any more.
    if (socket.remoteAddress === undefined || socket.remotePort === undefined) return null
    const stream = new NodeStream(socket, { address: plainAddress(socket.remoteAddress), port: socket.remotePort })
    // A plain array, so that slice() copies.
    socket.on('data', ({ buffer, byteOffset, byteLength }: Buffer) => {
      stream.handler?.onData(new Uint8Array(buffer, byteOffset, byteLength))
    })
    return stream
  }

  get local(): Endpoint | null {
    const { localAddress, localPort } = this.socket
    if (localAddress === undefined || localPort === undefined) return null
    return { address: plainAddress(localAddress), port: localPort }
  }

  get unsentBytes(): number {
    return this.socket.writableLength
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  /** Hands the socket over, connecting or connected; this stream does nothing more. */
  release(): net.Socket {
    this.closed = true
    this.handler = null
    this.socket.removeAllListeners('data')
    return this.socket
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.closed || this.socket.destroyed) {
      if (onSent) setImmediate(onSent)
      return false
    }
    return this.socket.write(bytes, onSent)
  }

  cork(): void {
    this.socket.cork()
  }

  uncork(): void {
    this.socket.uncork()
  }

  pauseReading(): void {
    this.socket.pause()
  }

  resumeReading(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.closed = true
    this.handler = null
    this.socket.destroy()
  }

  private close(error: LibtorrentError | null): void {
    if (this.closed) return
    this.closed = true
    const handler = this.handler
    this.handler = null
    this.socket.destroy()
    handler?.onClosed(error)
  }
}

/** Node names an IPv4 peer of a dual-stack socket `::ffff:1.2.3.4`, and link-local ones with their interface. */
function plainAddress(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  const zone = plain.indexOf('%')
  return zone === -1 ? plain : plain.slice(0, zone)
}

/** TCP by Node's sockets. Node has no call for the kernel's buffer sizes: those options have no effect. */
export class NodeTcp implements Tcp {
  connect(remote: Endpoint, options: TcpConnectOptions, handler: StreamHandler): Stream {
    return NodeStream.connecting(remote, options, handler)
  }

  listen(
    local: Endpoint,
    onAccept: (stream: Stream) => void,
    done: (result: TcpListener | LibtorrentError) => void,
  ): void {
    const server = net.createServer({ noDelay: true, ...{ highWaterMark: HIGH_WATER_MARK_BYTES } })
    server.on('connection', (socket) => {
      const stream = NodeStream.accepted(socket)
      if (stream === null) socket.destroy()
      else onAccept(stream)
    })
    server.once('error', (cause) => done(systemError(cause, { operation: 'listen' })))
    server.listen(
      { host: local.address, port: local.port, ipv6Only: isV6(local.address), backlog: ACCEPT_BACKLOG },
      () => {
        server.removeAllListeners('error')
        // Failing to accept one connection (out of file descriptors, say) must not end the listener.
        server.on('error', () => {})
        const address = server.address() as net.AddressInfo
        done({ local: { address: address.address, port: address.port }, close: () => server.close() })
      },
    )
  }
}
