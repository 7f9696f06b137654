import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Endpoint } from '../address/endpoint.ts'
import { type LibtorrentError, sslError, systemError } from '../errors/libtorrentError.ts'
import { type SocketType, securedType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { CertificateNames } from '../platform/tls.ts'
import { certificateNames } from '../ssl/certificateNames.ts'
import { invalidCertificateOf, isCertificateError, notSigned } from './certificateError.ts'

type State =
  | { readonly name: 'handshaking' }
  /** The other side is who it must be. */
  | { readonly name: 'open'; readonly socket: TLSSocket }
  | { readonly name: 'closed' }

const HANDSHAKING: State = { name: 'handshaking' }
const CLOSED: State = { name: 'closed' }

/** A TLS connection as a stream; nothing can be sent before `onConnected`. */
export class NodeTlsStream implements Stream {
  readonly socketType: SocketType
  readonly remote: Endpoint
  private state: State = HANDSHAKING
  private handler: StreamHandler | null = null
  private error: LibtorrentError | null = null

  /** @param below what carries it @param stream what it took the place of */
  constructor(
    private readonly below: Duplex,
    private readonly stream: Stream,
    private readonly verify: (names: CertificateNames) => boolean,
  ) {
    this.socketType = securedType(stream.socketType)
    this.remote = stream.remote
    // It may end without TLS having begun: refused, unreachable.
    below.on('error', (cause) => this.failed(cause))
    // Why TLS ended it is said a moment later.
    below.on('close', () => setImmediate(() => this.close(this.error)))
  }

  /** handshaking -> open, if it is somebody we want to talk to. */
  established(socket: TLSSocket): void {
    if (this.state.name !== 'handshaking') {
      socket.destroy()
      return
    }
    const error = this.objection(socket)
    if (error !== null) return this.close(error)
    this.state = { name: 'open', socket }
    socket.removeAllListeners('error')
    socket.on('error', (cause) => {
      this.error = systemError(cause, { operation: 'socketRead' })
    })
    socket.on('end', () => this.close(null))
    socket.on('close', () => this.close(this.error))
    socket.on('drain', () => this.handler?.onDrain())
    socket.disableRenegotiation()
    this.handler?.onConnected()
    // The handler may have closed it again. A plain array, so that slice() copies.
    if (this.state.name !== 'open') return
    socket.on('data', ({ buffer, byteOffset, byteLength }: Buffer) => {
      this.handler?.onData(new Uint8Array(buffer, byteOffset, byteLength))
    })
  }

  /** handshaking -> closed */
  failed(cause: unknown): void {
    if (this.state.name === 'handshaking') this.close(handshakeError(cause))
  }

  private objection(socket: TLSSocket): LibtorrentError | null {
    if (!socket.authorized) return notSigned('peer', String(socket.authorizationError))
    // Who takes up an earlier session shows no certificate.
    if (socket.isSessionReused()) return invalidCertificateOf('peer', 'it takes up a session of earlier')
    const raw = socket.getPeerX509Certificate()?.raw
    const names = raw === undefined ? null : certificateNames(raw)
    if (names === null) return invalidCertificateOf('peer', 'its names cannot be read')
    return this.verify(names) ? null : invalidCertificateOf('peer', 'it is not for this torrent')
  }

  get local(): Endpoint | null {
    return this.stream.local
  }

  get unsentBytes(): number {
    return this.state.name === 'open' ? this.state.socket.writableLength : 0
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.state.name !== 'open' || this.state.socket.destroyed) {
      if (onSent) setImmediate(onSent)
      return false
    }
    return this.state.socket.write(bytes, onSent)
  }

  cork(): void {
    if (this.state.name === 'open') this.state.socket.cork()
  }

  uncork(): void {
    if (this.state.name === 'open') this.state.socket.uncork()
  }

  pauseReading(): void {
    if (this.state.name === 'open') this.state.socket.pause()
  }

  resumeReading(): void {
    if (this.state.name === 'open') this.state.socket.resume()
  }

  end(): void {
    if (this.state.name === 'open') this.state.socket.end()
    else this.destroy()
  }

  destroy(): void {
    this.handler = null
    this.close(null)
  }

  private close(error: LibtorrentError | null): void {
    const { state, handler } = this
    if (state.name === 'closed') return
    this.state = CLOSED
    this.handler = null
    if (state.name === 'open') state.socket.destroy()
    this.below.destroy()
    handler?.onClosed(error)
  }
}

function handshakeError(cause: unknown): LibtorrentError {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException
  if (syscall === 'connect') return systemError(cause, { operation: 'connect' })
  // How Node names a connection that ended in the middle of the handshake.
  if (code === 'ECONNRESET') return systemError(cause, { operation: 'sslHandshake' })
  return isCertificateError(code ?? '') ? notSigned('peer', code as string) : sslError(cause)
}
