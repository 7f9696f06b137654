import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { HttpHandler, HttpListener, HttpServer, HttpServerLimits } from '../platform/httpServer.ts'
import type { Millis } from '../util/flavored.ts'

/** A request has to be complete within this time: who sends it byte by byte is cut off. */
const REQUEST_TIMEOUT_MS: Millis = 10_000
/** How often that is looked at. */
const CHECK_EVERY_MS: Millis = 2_000
/** Until the next request of a connection. */
const KEEP_ALIVE_MS: Millis = 10_000
/** Nothing is sent or taken for so long. */
const SILENCE_MS: Millis = 15_000
/** Request line and headers. */
const MAX_HEADER_BYTES = 16 * 1024
/** Answers on their way at the end. */
const CLOSE_GRACE_MS: Millis = 500

/** HTTP servers by Node. */
export class NodeHttpServer implements HttpServer {
  listen(
    local: Endpoint,
    handler: HttpHandler,
    limits: HttpServerLimits,
    done: (result: HttpListener | LibtorrentError) => void,
  ): void {
    const server = createServer({
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    })
    server.timeout = SILENCE_MS
    server.maxConnections = limits.maxConnections
    const counts = new ConnectionCounts(limits.maxConnectionsPerIp)
    server.on('connection', (socket) => counts.admit(socket))
    server.on('request', (request, response) => reply(request, response, handler))
    server.once('error', (cause) => done(systemError(cause, { operation: 'listen' })))
    server.listen({ host: local.address, port: local.port, ipv6Only: isV6(local.address), exclusive: true }, () => {
      server.removeAllListeners('error')
      // A failed accept (out of files, say) is not the end: the next one may succeed.
      server.on('error', () => {})
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : local.port
      done({ local: { address: local.address, port }, close: (closed) => close(server, closed) })
    })
  }
}

function reply(request: IncomingMessage, response: ServerResponse, handler: HttpHandler): void {
  response.sendDate = false
  const isGet = request.method === 'GET'
  const answer = isGet
    ? handler(request.url ?? '', request.socket.remoteAddress ?? '')
    : { status: 405, body: new Uint8Array(0) }
  // A body is not what a tracker is asked with; it is not read either.
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers
  response.writeHead(answer.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': answer.body.length,
    ...((hasBody || !isGet) && { connection: 'close' }),
  })
  response.end(answer.body)
}

/** Connections of each address, as long as there are any. */
class ConnectionCounts {
  private readonly counts = new Map<string, number>()

  constructor(private readonly limit: number) {}

  admit(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const count = this.counts.get(address) ?? 0
    const isOwn = address === '127.0.0.1' || address === '::1'
    if (count >= this.limit && !isOwn) return void socket.destroy()
    this.counts.set(address, count + 1)
    socket.once('close', () => {
      const now = (this.counts.get(address) ?? 1) - 1
      if (now === 0) this.counts.delete(address)
      else this.counts.set(address, now)
    })
  }
}

function close(server: Server, done: () => void): void {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
  server.close(() => {
    clearTimeout(timer)
    done()
  })
  server.closeIdleConnections()
}
