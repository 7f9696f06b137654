import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import type { Millis } from '../util/flavored.ts'
import { type HttpsTrust, httpsOptions } from './httpsOptions.ts'
import { readBuffer } from './readBuffer.ts'

/** Before the next of several addresses is tried beside the first. */
const ADDRESS_ATTEMPT_MS: Millis = 1000
/** A connection nobody uses is kept so long; servers mostly close them sooner. */
const IDLE_MS: Millis = 30_000

/** Where a connection leads to, and how. */
export interface HttpTarget extends HttpsTrust {
  /** Null: plain TCP. */
  readonly tlsModule: typeof import('node:tls') | null
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  readonly localAddress: string | undefined
  readonly lookup: LookupFunction
  /** The proxy it goes through, as `routeKey` names it; empty: none. */
  readonly via: string
}

/** Whoever has an exchange on a connection. */
export interface HttpConnectionUser {
  /** A view valid during the call. False: nothing more, until `resume`. */
  onRead(bytes: Uint8Array): boolean
  /** Nothing more comes; `cause` is null when the server ended in order. The connection is closed. */
  onClosed(cause: unknown): void
}

/** A connection to a web server, one exchange at a time. */
export class HttpConnection {
  private socket!: Socket
  private user: HttpConnectionUser | null = null
  private error: unknown = null

  private constructor() {}

  /** Begins to connect; what is sent waits for it. */
  static to(target: HttpTarget): HttpConnection {
    const connection = new HttpConnection()
    const { host, port, localAddress, lookup, tlsModule } = target
    const options = {
      host,
      port,
      localAddress,
      lookup,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
      onread: {
        buffer: readBuffer(),
        callback: (length: number, buffer: Uint8Array) => {
          connection.onRead(buffer.subarray(0, length))
          return true
        },
      },
    }
    if (tlsModule === null) return connection.watch(connect(options))
    const servername = isIP(host) === 0 ? host : undefined
    const secure = { servername, ...httpsOptions(target), ALPNProtocols: ['http/1.1'] }
    return connection.watch(tlsModule.connect({ ...options, ...secure }))
  }

  /** Over a socket that leads to the server already, or will: a tunnel through a proxy. */
  static over(socket: Socket): HttpConnection {
    const connection = new HttpConnection().watch(socket)
    // A plain array, so that slice() copies.
    socket.on('data', ({ buffer, byteOffset, byteLength }: Buffer) => {
      connection.onRead(new Uint8Array(buffer, byteOffset, byteLength))
    })
    // One that broke on the way here says so no more.
    if (socket.destroyed) setImmediate(() => connection.close(null))
    return connection
  }

  private watch(socket: Socket): this {
    this.socket = socket
    socket.on('error', (cause) => {
      this.error ??= cause
    })
    socket.on('end', () => this.close(null))
    socket.on('close', () => this.close(this.error))
    socket.on('timeout', () => this.destroy())
    return this
  }

  /** As the system names it; empty before it is connected. */
  get remoteAddress(): string {
    return this.socket.remoteAddress ?? ''
  }

  get isClosed(): boolean {
    return this.socket.destroyed
  }

  /** Sends a request, for `user`, who is told of everything from now on. */
  send(text: string, user: HttpConnectionUser): void {
    this.user = user
    this.socket.setTimeout(0)
    this.socket.ref()
    this.socket.write(text, 'latin1')
  }

  /** The exchange is over, and there may be another. It does not keep the process alive. */
  rest(): void {
    this.user = null
    // What comes now ends it.
    this.socket.resume()
    this.socket.setTimeout(IDLE_MS)
    this.socket.unref()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Silently. */
  destroy(): void {
    this.user = null
    this.socket.destroy()
  }

  private onRead(bytes: Uint8Array): void {
    // Nobody asked for these bytes: they must not become the answer to the next request.
    if (this.user === null) this.destroy()
    else if (!this.user.onRead(bytes)) this.socket.pause()
  }

  private close(cause: unknown): void {
    const { user } = this
    this.destroy()
    user?.onClosed(cause)
  }
}
