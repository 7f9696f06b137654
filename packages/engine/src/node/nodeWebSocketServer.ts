import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RawData, WebSocket, WebSocketServer } from 'ws'
import type { WebSocketClient, WebSocketService } from '../platform/webSocketServer.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { lastAnswer } from './lastAnswer.ts'
import { PIECE_LIMITS } from './webSocketLimits.ts'

/** What is used of the package `ws`. */
export interface WebSocketServerModule {
  readonly WebSocketServer: typeof WebSocketServer
}

/** The client has this long to answer our goodbye. */
const CLOSE_MS: Millis = 1000
/**
 * How often clients are asked for a sign of life. Who gives none until the next time is gone, and not offered to any more;
 * and proxies between us, which most trackers have for the sake of https pages, close what is silent for a minute.
 */
const PING_EVERY_MS: Millis = 30_000
const NOT_FOUND = { status: 404, body: EMPTY_BYTES }
const UNAVAILABLE = { status: 503, body: EMPTY_BYTES }

/** The WebSockets at the port of one HTTP server: takes connections over that ask for it. */
export class NodeWebSocketServer {
  private readonly server: WebSocketServer
  private readonly pinging: NodeJS.Timeout
  /** Those that have not answered the last ping. */
  private readonly silent = new Set<WebSocket>()

  constructor(
    module: WebSocketServerModule,
    private readonly service: WebSocketService,
    /** Whom a request comes from. */
    private readonly from: (request: IncomingMessage) => string,
  ) {
    this.server = new module.WebSocketServer({
      noServer: true,
      maxPayload: service.maxMessageBytes,
      ...PIECE_LIMITS,
      // What is compressed can grow a thousandfold, and takes memory for each client.
      perMessageDeflate: false,
    })
    this.server.on('connection', (socket, request) => this.accept(socket, request))
    this.pinging = setInterval(() => this.ping(), PING_EVERY_MS).unref()
  }

  /** Takes over a connection that asked to become a WebSocket. `taken` is called when it is one. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, taken: () => void): void {
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (!this.service.serves(path)) return lastAnswer(socket, NOT_FOUND)
    if (this.service.isFull) return lastAnswer(socket, UNAVAILABLE)
    this.server.handleUpgrade(request, socket, head, (client) => {
      taken()
      this.server.emit('connection', client, request)
    })
  }

  /** Says goodbye to all; `closeNow` ends those that do not answer. */
  close(): void {
    clearInterval(this.pinging)
    for (const client of this.server.clients) client.close(1001)
  }

  closeNow(): void {
    for (const client of this.server.clients) client.terminate()
  }

  private ping(): void {
    for (const socket of this.silent) socket.terminate()
    this.silent.clear()
    for (const socket of this.server.clients) {
      if (socket.readyState !== socket.OPEN) continue
      this.silent.add(socket)
      socket.ping()
    }
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const client: WebSocketClient = {
      address: this.from(request),
      get unsentBytes() {
        return socket.bufferedAmount
      },
      send: (text) => {
        if (socket.readyState === socket.OPEN) socket.send(text)
      },
      close: () => {
        socket.close(1008)
        setTimeout(() => socket.terminate(), CLOSE_MS).unref()
      },
    }
    const handler = this.service.accept(client)
    socket.on('message', (data: RawData) => {
      if (socket.readyState === socket.OPEN) handler.onMessage(String(data))
    })
    socket.on('pong', () => this.silent.delete(socket))
    // A 'close' follows.
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      this.silent.delete(socket)
      handler.onClosed()
    })
  }
}
