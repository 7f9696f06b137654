import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { HttpAnswer, HttpHandler, HttpListener, HttpServer, HttpServerLimits } from '../platform/httpServer.ts'
import type { WebSocketService } from '../platform/webSocketServer.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { clientAddress } from './clientAddress.ts'
import { ConnectionCounts } from './connectionCounts.ts'
import { lastAnswer } from './lastAnswer.ts'
import { loadOptional } from './loadOptional.ts'
import { NodeWebSocketServer, type WebSocketServerModule } from './nodeWebSocketServer.ts'

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

/** HTTP servers by Node, and WebSockets by `ws`, a package that need not be installed. */
export class NodeHttpServer implements HttpServer {
  private ws: WebSocketServerModule | null = null

  loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    loadOptional(
      async () => {
        this.ws ??= await import('ws')
      },
      { name: 'ws', what: 'A WebSocket tracker needs', install: 'ws' },
      done,
    )
  }

  listen(
    local: Endpoint,
    handler: HttpHandler,
    limits: HttpServerLimits,
    done: (result: HttpListener | LibtorrentError) => void,
    webSockets?: WebSocketService,
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
    const counts = new ConnectionCounts(limits)
    server.on('connection', (socket) => counts.admit(socket))
    const from = (request: IncomingMessage) => clientAddress(request, limits.trustsProxy)
    const answer = (request: IncomingMessage) => answerTo(request, from(request), handler)
    const sockets = webSockets === undefined ? null : new NodeWebSocketServer(this.loaded, webSockets, from)
    if (sockets !== null) takeUpgrades(server, sockets, counts, answer)
    server.on('request', (request, response) => reply(request, response, answer(request)))
    server.once('error', (cause) => done(systemError(cause, { operation: 'listen' })))
    server.listen({ host: local.address, port: local.port, ipv6Only: isV6(local.address), exclusive: true }, () => {
      server.removeAllListeners('error')
      // A failed accept (out of files, say) is not the end: the next one may succeed.
      server.on('error', () => {})
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : local.port
      done({ local: { address: local.address, port }, close: (closed) => close(server, sockets, closed) })
    })
  }

  private get loaded(): WebSocketServerModule {
    if (this.ws === null) throw new Error('call loadWebSockets first')
    return this.ws
  }
}

function takeUpgrades(
  server: Server,
  sockets: NodeWebSocketServer,
  counts: ConnectionCounts,
  answer: (request: IncomingMessage) => HttpAnswer,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Who would rather speak HTTP/2 says so this way, too, and takes HTTP/1.1 as well.
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return lastAnswer(socket, answer(request))
    socket.setTimeout(0)
    sockets.upgrade(request, socket, head, () => counts.release(socket))
  })
}

function reply(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  response.sendDate = false
  // A body is not what a tracker is asked with; it is not read either.
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers
  response.writeHead(answer.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': answer.body.length,
    ...((hasBody || request.method !== 'GET') && { connection: 'close' }),
  })
  response.end(answer.body)
}

function answerTo({ method, url = '' }: IncomingMessage, from: string, handler: HttpHandler): HttpAnswer {
  return method === 'GET' ? handler(url, from) : { status: 405, body: EMPTY_BYTES }
}

function close(server: Server, sockets: NodeWebSocketServer | null, done: () => void): void {
  const timer = setTimeout(() => {
    server.closeAllConnections()
    sockets?.closeNow()
  }, CLOSE_GRACE_MS)
  server.close(() => {
    clearTimeout(timer)
    done()
  })
  server.closeIdleConnections()
  sockets?.close()
}
