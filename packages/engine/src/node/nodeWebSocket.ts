import { isIP } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import { normalizeAddress } from '../address/addressBytes.ts'
import { httpError, LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { WebSocketConnection, WebSocketHandler, WebSocketRequest } from '../platform/webRtc.ts'
import type { Millis } from '../util/flavored.ts'
import { checkedLookup } from './checkedLookup.ts'
import { PIECE_LIMITS } from './webSocketLimits.ts'

/** What the package `ws` exports. */
export type WebSocketClass = typeof WebSocket

/** The server has this long to answer our goodbye. */
const CLOSE_MS: Millis = 1000
/** Node's timers take no more. */
const MAX_TIMER_MS: Millis = 0x7fff_ffff

/** One WebSocket. What it tells its handler it tells later, and nothing once it is over. */
export class NodeWebSocket implements WebSocketConnection {
  private socket: WebSocket | null = null
  private isOver = false
  private remoteAddress = ''
  private error: LibtorrentError | null = null
  private readonly timer: NodeJS.Timeout

  constructor(
    Socket: WebSocketClass,
    request: WebSocketRequest,
    private readonly handler: WebSocketHandler,
  ) {
    const timedOut = () => this.fail(libtorrentError('timedOut', { operation: 'connect' }))
    this.timer = setTimeout(timedOut, Math.min(request.openTimeout, MAX_TIMER_MS)).unref()
    try {
      const refusal = refused(request)
      if (refusal !== null) throw refusal
      this.socket = this.open(new Socket(request.url, optionsOf(request)))
    } catch (cause) {
      setImmediate(() => this.fail(systemError(cause, { operation: 'connect' })))
    }
  }

  get unsentBytes(): number {
    return this.socket?.bufferedAmount ?? 0
  }

  send(text: string): void {
    const { socket } = this
    if (!this.isOver && socket !== null && socket.readyState === socket.OPEN) socket.send(text)
  }

  close(): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.timer)
    const { socket } = this
    if (socket === null) return
    if (socket.readyState !== socket.OPEN) return socket.terminate()
    socket.close()
    setTimeout(() => socket.terminate(), CLOSE_MS).unref()
  }

  private open(socket: WebSocket): WebSocket {
    socket.on('upgrade', (response) => {
      const address = response.socket.remoteAddress ?? ''
      this.remoteAddress = normalizeAddress(address) ?? address
    })
    socket.on('open', () => {
      clearTimeout(this.timer)
      if (!this.isOver) this.handler.onOpen(this.remoteAddress)
    })
    socket.on('message', (data: RawData) => {
      if (!this.isOver) this.handler.onMessage(String(data))
    })
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      this.fail(httpError(response.statusCode ?? 0, { operation: 'tracker' }))
    })
    socket.on('error', (cause) => {
      this.error = errorOf(cause)
    })
    socket.on('close', () => this.fail(this.error ?? connectionLost()))
    return socket
  }

  private fail(error: LibtorrentError): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.timer)
    this.socket?.terminate()
    this.handler.onClosed(error)
  }
}

function optionsOf(request: WebSocketRequest): ConstructorParameters<WebSocketClass>[2] {
  return {
    headers: request.headers,
    maxPayload: request.maxMessageBytes,
    ...PIECE_LIMITS,
    // What is compressed can grow a thousandfold.
    perMessageDeflate: false,
    followRedirects: false,
    rejectUnauthorized: request.validateCertificate !== false,
    localAddress: request.localAddress,
    lookup: checkedLookup(request.resolver, (address) => checked(request, address), request.family ?? 0),
  }
}

/** A literal address is connected to without a lookup. */
function refused(request: WebSocketRequest): LibtorrentError | null {
  const { hostname } = new URL(request.url)
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(host) === 0 ? null : checked(request, host)
}

function checked(request: WebSocketRequest, address: string): LibtorrentError | null {
  return request.checkAddress?.(normalizeAddress(address) ?? address) ?? null
}

function errorOf(cause: unknown): LibtorrentError {
  // Of several addresses that all failed the first tells what is wrong.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  if (first instanceof LibtorrentError) return first
  const code = String((first as Partial<NodeJS.ErrnoException>)?.code ?? '')
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return libtorrentError('packetTooLarge', { operation: 'socketRead' })
  // Not WebSocket, or not by its rules.
  if (code === '' || code.startsWith('WS_ERR_') || code.startsWith('HPE_')) {
    return libtorrentError('invalidTrackerResponse', { operation: 'tracker', cause: first })
  }
  return systemError(first, { operation: code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'hostnameLookup' : 'connect' })
}

function connectionLost(): LibtorrentError {
  return new LibtorrentError(
    { code: 'ECONNRESET', value: 104, category: 'system' },
    'the tracker closed the connection',
    {
      operation: 'socketRead',
    },
  )
}
